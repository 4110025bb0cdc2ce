"""Expunged messages come back, for so many days."""

import errno
import os

import pytest

from tests.store.house import flags_of, message
from unitymail.disk import Disk
from unitymail.interfaces.store import OverQuota

DAY = 86_400


def expunged(house, folder="INBOX", flags=("\\Deleted", "\\Seen", "Work"), octets=None):
    target = house.account.folder(folder)
    uid = house.append(target, flags, octets, 1_000_000_000)
    target.expunge([uid])


def test_bring_back(house):
    """A message comes back to its folder with flags, date and octets, as a new UID; once."""
    expunged(house, "Sent", octets=message(5))
    listed = house.account.deleted()
    assert [(one.folder, set(one.flags), one.octets) for one in listed] == [
        ("Sent", {"\\Deleted", "\\Seen", "Work"}, len(message(5)))
    ]
    assert house.account.undelete([one.id for one in listed]) == 1
    sent = house.account.folder("Sent")
    assert flags_of(sent) == {2: frozenset({"\\Seen", "Work"})}
    assert house.octets(sent, 2) == message(5)
    assert sent.rows([2], ["internaldate"])[0][1].startswith(b'" 9-Sep-2001')
    assert house.account.deleted() == [] and house.account.undelete([1]) == 0


def test_from_a_deleted_folder(house):
    """Messages of a deleted folder come back to INBOX."""
    folder = house.account.create("a")
    house.append(folder, octets=message(8))
    house.account.delete("a")
    assert house.account.undelete([one.id for one in house.account.deleted()]) == 1
    assert house.octets(house.inbox, 1) == message(8)


def test_days_are_over(house):
    """After undelete_days nothing is left, on disk or in the list."""
    expunged(house)
    house.account.delete("Junk")
    house.store.settle()
    house.now.ahead = 6 * DAY
    house.store.settle()
    assert len(house.account.deleted()) == 1
    house.now.ahead = 8 * DAY
    house.store.settle()
    assert house.account.deleted() == [] and os.listdir(house.path("undelete")) == []


def test_days_are_over_for_an_account_that_nobody_opens(house):
    """Expunged mail leaves in time although its user never comes back; an account without any is not opened."""
    expunged(house)
    house.store.account("u-other")
    house.reopen()
    house.store.settle()
    house.now.ahead = 6 * DAY
    house.store.settle()
    assert len(os.listdir(house.path("undelete"))) == 1
    house.now.ahead = 8 * DAY
    house.store.settle()
    assert os.listdir(house.path("undelete")) == []
    assert len(house.store._open) == 0


def test_names_are_remembered_longer(make_house):
    """Names of expunged messages outlive undelete_days while deliveries may still be retried; UIDs for 90 days."""
    house = make_house(undelete_days=1, retry_for=5 * DAY)
    path = house.write(message(1))
    house.store.deliver("u-robin", path, "1.x")
    house.inbox.refresh()
    house.inbox.store([1], "add", ["\\Deleted"])
    house.inbox.expunge()
    house.store.settle()
    for days in (4, 80):
        house.now.ahead = days * DAY
        house.store.settle()
        house.store.deliver("u-robin", path, "1.x", again=True)
        assert list(house.inbox.refresh().uids) == []
        assert house.inbox.vanished_since(0) == [1]
    house.now.ahead = 100 * DAY
    house.store.settle()
    assert house.inbox.vanished_since(0) is None
    assert house.inbox.vanished_since(house.inbox.snapshot.highest_modseq) == []


def test_in_the_order_they_had(house):
    """Several come back as they stood, into folders that say \\Recent and new UIDs."""
    uids = [house.append(house.inbox, ["\\Deleted"], message(number)) for number in (3, 4, 5)]
    house.inbox.expunge(uids)
    ids = [one.id for one in house.account.deleted()]
    assert house.account.undelete(ids) == 3
    uids = house.inbox.refresh().uids
    assert [house.octets(house.inbox, uid) for uid in uids] == [message(3), message(4), message(5)]


def test_line_ends_of_other_programs(house):
    """A file with bare line feeds that comes back is shown with CRLF and its size, as before."""
    house.inbox.refresh()
    octets = message(1).replace(b"\r\n", b"\n")
    with open(house.path("new", "1.M1P1.other"), "wb") as file:
        file.write(octets)
    house.inbox.refresh()
    house.inbox.store([1], "add", ["\\Deleted"])
    house.inbox.expunge([1])
    assert house.account.undelete([one.id for one in house.account.deleted()]) == 1
    assert house.octets(house.inbox, 2) == message(1)
    assert house.inbox.rows([2], ["size"]) == [(2, len(message(1)))]


def test_one_name_in_two_folders(house):
    """Other programs may give two messages one name: both come back, each to its folder."""
    for number, place in enumerate(("cur", ".Sent/cur")):
        house.inbox.refresh()
        with open(house.path(place, "1.M1P1.other:2,T"), "wb") as file:
            file.write(message(number))
    folders = house.inbox, house.account.folder("Sent")
    for folder in folders:
        folder.refresh()
        folder.expunge()
    listed = house.account.deleted()
    assert [one.folder for one in listed] == ["Sent", "INBOX"]
    assert house.account.undelete([one.id for one in listed]) == 2
    assert [house.octets(folder, 2) for folder in folders] == [message(0), message(1)]


def test_a_second_name_of_what_is_there_already(house):
    """A repeated delivery of an expunged message leaves no file where clients' mail is."""
    house.inbox.refresh()
    source = house.write(message(1))
    name = f"1.M1P1.test,S={len(message(1))}"
    for _ in range(2):
        house.store.deliver("u-robin", source, name)
        if uids := house.inbox.refresh().uids:
            house.inbox.store(uids, "add", ["\\Deleted"])
            house.inbox.expunge()
            house.account.settle()
    assert house.files() == {"new": [], "cur": []} and os.listdir(house.path("undelete")) == [name]


def test_the_header_of_what_was_deleted(house):
    """Can be shown; of what is gone, there is none."""
    expunged(house, octets=message(5))
    [one] = house.account.deleted()
    assert house.account.deleted_heading(one.id).startswith(b"From: Robin Smith")
    assert house.account.deleted_heading(one.id + 1) == b""
    os.unlink(house.path(os.fsdecode(one.path)))
    assert house.account.deleted_heading(one.id) == b""
    assert house.account.undelete([one.id]) == 0 and house.account.deleted() == []


def test_no_room(make_house):
    """A mailbox that is full refuses, and the message can still come back later."""
    limit = [0]
    house = make_house(quota=lambda account: limit[0])
    expunged(house, octets=message(5))
    limit[0] = 10
    [one] = house.account.deleted()
    with pytest.raises(OverQuota):
        house.account.undelete([one.id])
    assert [left.id for left in house.account.deleted()] == [one.id] and os.listdir(house.path("tmp")) == []
    limit[0] = 0
    assert house.account.undelete([one.id]) == 1


def test_interrupted_at_every_step(make_house):
    """Whenever the process ends, the message is back once or can come back; never both, never neither."""
    steps = 0
    while True:
        disk = Failing(steps)
        house = make_house()
        folder = f"f{steps}"
        house.account.create(folder)
        expunged(house, folder, octets=message(steps))
        house.store.settle()
        [one] = [one for one in house.account.deleted() if one.folder == folder]
        house.crash(disk)
        try:
            house.account.undelete([one.id])
        except Exception:
            pass
        house.crash()
        listed = [one for one in house.account.deleted() if one.folder == folder]
        assert len(house.account.folder(folder).refresh().uids) + len(listed) == 1
        house.close()
        if disk.left:
            return
        steps += 1


class Failing(Disk):
    """Every change after so many fails: the process might as well have ended."""

    def __init__(self, left):
        self.left = left

    def __getattribute__(self, name):
        if name in ("link", "rename", "unlink", "flush_directory", "begin", "commit"):
            if not self.left:
                raise OSError(errno.EIO, "the disk is gone")
            self.left -= 1
        return super().__getattribute__(name)
