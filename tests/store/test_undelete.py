"""Expunged messages come back, for so many days."""

import os

from tests.store.house import flags_of, message

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
