"""Foreign hands: other programs add, flag, rename and remove files, and the folder follows."""

import mailbox
import os
import time

import pytest

from tests.store.house import flags_of, message
from unitymail.store import looking
from unitymail.store.content import converted


@pytest.fixture
def five(house):
    """An INBOX of five messages whose files are in cur/, looked at long ago."""
    house.deliver(5)
    house.inbox.refresh()
    house.store.settle()
    house.now.ahead = 5
    house.inbox.refresh()
    return house


def rename(house, old, new, *folder):
    os.rename(house.path(*folder, "cur", old), house.path(*folder, "cur", new))


def test_flags_that_another_program_sets(five):
    """Letters another program adds or removes become flags, with a higher MODSEQ."""
    name = five.files()["cur"][2]
    before = five.inbox.snapshot.highest_modseq
    rename(five, name, name + "FS")
    assert flags_of(five.inbox)[3] == frozenset({"\\Flagged", "\\Seen"})
    assert five.inbox.snapshot.modseqs[2] > before
    rename(five, name + "FS", name + "S")
    assert flags_of(five.inbox)[3] == frozenset({"\\Seen"})


def test_only_what_changed_is_taken_over(five):
    """A foreign change to one flag leaves our own change, whose file has not followed yet, and keywords."""
    five.inbox.store([1], "add", ["\\Seen", "Work"])
    name = five.files()["cur"][0]
    rename(five, name, name + "F")
    assert flags_of(five.inbox)[1] == frozenset({"\\Seen", "\\Flagged", "Work"})
    five.store.settle()
    assert five.files()["cur"][0] == name + "FS"


def test_settling_finds_a_file_that_was_renamed(five):
    """A file another program renamed in the same moment gets the flags of both."""
    five.inbox.store([1], "remove", ["\\Seen"])
    five.inbox.store([1], "add", ["\\Answered"])
    name = five.files()["cur"][0]
    rename(five, name, name + "T")
    five.store.settle()
    five.store.settle()
    assert five.files()["cur"][0] == name + "RT"
    assert flags_of(five.inbox)[1] == frozenset({"\\Answered", "\\Deleted"})


def test_files_that_another_program_removes(five):
    """A removed file's message is gone, and its UID never comes back."""
    os.unlink(five.path("cur", five.files()["cur"][1]))
    assert list(five.inbox.refresh().uids) == [1, 3, 4, 5]
    assert five.inbox.vanished_since(0) == [2]
    assert five.account.usage()[1] == 4


def test_files_that_another_program_adds(five):
    """Python's own mailbox module delivers into the folder; the message has the next UID, served in CRLF form."""
    maildir = mailbox.Maildir(five.path(), create=False)
    octets = message(9).replace(b"\r\n", b"\n")
    added = mailbox.MaildirMessage(octets)
    added.set_subdir("cur")
    added.set_flags("FS")
    key = maildir.add(added)
    assert flags_of(five.inbox)[6] == frozenset({"\\Flagged", "\\Seen"})
    assert five.octets(five.inbox, 6) == message(9)
    assert five.inbox.rows([6], ["size"]) == [(6, len(message(9)))]
    maildir.remove(key)
    assert 6 not in flags_of(five.inbox)


def test_moved_to_cur_by_another_program(house):
    """Another reader moves a delivery from new/ to cur/: it stays the same message."""
    name = house.deliver(1)[0]
    house.inbox.refresh()
    os.rename(house.path("new", name), house.path("cur", name + ":2,S"))
    assert flags_of(house.inbox) == {1: frozenset({"\\Seen"})}
    house.store.settle()
    assert house.files() == {"new": [], "cur": [name + ":2,S"]}


@pytest.mark.parametrize("octets", [b"A: b\n\nx\ny\n", b"A: b\r\n\nx\r\ny\n", b"\n", b"", b"no end", b"a\r\rb\n\r"])
def test_line_ends_of_others(house, octets):
    """Files with LF ends stay as they are on disk and are served, and measured, in CRLF form."""
    house.store.deliver("u-robin", house.write(octets), "1.foreign")
    inbox = house.inbox
    inbox.refresh()
    expected = converted(octets)
    assert house.octets(inbox, 1) == expected
    assert inbox.rows([1], ["size"]) == [(1, len(expected))]
    assert inbox.status().size == len(expected)
    inbox.copy([1], inbox)
    assert inbox.rows([2], ["size"]) == [(2, len(expected))] and house.octets(inbox, 2) == expected
    with open(house.path("new", "1.foreign"), "rb") as file:
        assert file.read() == octets


def test_sizes_in_names_are_not_believed_against_the_file(house):
    """A name that claims a wrong size, or a CRLF form it does not have, does not deceive anyone."""
    octets = b"A: b\n\nx\n"
    for number, sizes in enumerate([f",S={len(octets)}", ",S=5,W=5", f",S={len(octets)},W=99"]):
        house.store.deliver("u-robin", house.write(octets), f"{number}.foreign{sizes}")
    house.inbox.refresh()
    assert [size for _, size in house.inbox.rows([1, 2, 3], ["size"])] == [len(octets) + 3] * 3


def test_uids_are_given_in_arrival_order(house, monkeypatch):
    """However the directory lists its files, the UIDs follow the seconds, then the microseconds, in their names."""
    for order in (lambda names: sorted(names), lambda names: sorted(names, reverse=True)):
        monkeypatch.setattr(looking, "listing", lambda directory, order=order: order(os.listdir(directory)))
        first = len(house.inbox.refresh().uids) + 1
        times = ["1700000009.M1", "1700000010.M900", "1700000010.M10000", "999.M1"]
        for number, name in enumerate(times):
            house.store.deliver("u-robin", house.write(message(first + number)), f"{name}P{first}.x")
        house.inbox.refresh()
        arrived = [house.octets(house.inbox, first + number) for number in range(4)]
        assert arrived == [message(first + number) for number in (3, 0, 1, 2)]


def test_missing_once_is_not_gone(five, monkeypatch):
    """A name that one listing skips (readdir may, when files are renamed meanwhile) is not taken for removed."""
    listing = looking.listing
    calls = []

    def skipping(directory):
        names = sorted(listing(directory))
        calls.append(directory)
        return names[1:] if len(calls) == 2 else names

    monkeypatch.setattr(looking, "listing", skipping)
    os.utime(five.path("cur"), (1, 1))
    assert list(five.inbox.refresh().uids) == [1, 2, 3, 4, 5]
    assert len(calls) >= 4


def test_a_young_directory_is_scanned_again(five):
    """A change within the tick of the clock in which the directory was scanned is found by the scan two seconds on."""
    stamp = os.stat(five.path("cur"))
    five.now.ahead = stamp.st_mtime - time.time() + 0.5
    os.utime(five.path("cur"), (stamp.st_mtime + 0.001, stamp.st_mtime + 0.001))
    five.inbox.refresh()
    stamp = os.stat(five.path("cur"))
    name = five.files()["cur"][0]
    rename(five, name, name + "S")
    os.utime(five.path("cur"), ns=(stamp.st_mtime_ns, stamp.st_mtime_ns))
    assert flags_of(five.inbox)[1] == frozenset()
    five.now.ahead += 3
    assert flags_of(five.inbox)[1] == frozenset({"\\Seen"})


def test_a_delivery_in_the_tick_of_a_scan_is_seen_at_once(house):
    """New mail is found at the next look even when the time stamp of new/ does not tell."""
    house.deliver(1)
    house.inbox.refresh()
    stamp = os.stat(house.path("new")).st_mtime_ns
    house.deliver(1)
    os.utime(house.path("new"), ns=(stamp, stamp))
    assert list(house.inbox.refresh().uids) == [1, 2]


def test_gone_while_another_program_works(five, monkeypatch):
    """As long as somebody renames files, a name that listings skip is looked for again; a file that is gone is gone."""
    listing, calls = looking.listing, []

    def skipping(directory):
        calls.append(directory)
        names = sorted(listing(directory))
        if len(calls) < 12:
            os.utime(directory)
            return [name for name in names if name != hidden]
        return names

    hidden = os.fsencode(five.files()["cur"][0])
    os.unlink(five.path("cur", five.files()["cur"][1]))
    monkeypatch.setattr(looking, "listing", skipping)
    five.now.ahead = 0
    assert list(five.inbox.refresh().uids) == [1, 3, 4, 5]


def test_a_foreign_change_beside_our_own_is_found(five):
    """A file added between two of our own renames, hidden by them, is found when they are verified."""
    five.inbox.store([1, 2], "add", ["\\Seen"])
    settled = five.disk.rename

    def rename_and_add(source, target):
        settled(source, target)
        with open(five.path("cur", "99.foreign:2,F"), "wb") as file:
            file.write(message(99))

    five.account.disk = type("Hand", (), {"__getattr__": lambda self, name: getattr(five.disk, name)})()
    five.account.disk.rename = rename_and_add
    five.store.settle()
    five.account.disk = five.disk
    assert 6 not in flags_of(five.inbox)
    five.now.ahead += 3
    assert flags_of(five.inbox)[6] == frozenset({"\\Flagged"})


def test_expunged_names_do_not_come_back(five):
    """A repeated delivery of an expunged message, or a file that lingers, is no new message."""
    name = five.files()["cur"][0].partition(":")[0]
    five.inbox.store([1], "add", ["\\Deleted"])
    five.inbox.expunge()
    assert list(five.inbox.refresh().uids) == [2, 3, 4, 5]
    five.store.settle()
    for part, tail in (("new", ""), ("cur", ":2,S")):
        with open(five.path(part, name + tail), "wb") as file:
            file.write(message(0))
        assert list(five.inbox.refresh().uids) == [2, 3, 4, 5]
        assert not os.path.exists(five.path(part, name + tail))


def test_a_removed_file_may_come_back(five):
    """What a foreign hand took away and put back is a message again, with a new UID."""
    name = five.files()["cur"][0]
    os.rename(five.path("cur", name), five.path("tmp", name))
    assert list(five.inbox.refresh().uids) == [2, 3, 4, 5]
    os.rename(five.path("tmp", name), five.path("cur", name))
    assert list(five.inbox.refresh().uids) == [2, 3, 4, 5, 6]


def test_two_files_of_one_name(five):
    """A hard-linked twin is the same message, and one in new/ goes; another file of the name is another message."""
    name = five.files()["cur"][0]
    os.link(five.path("cur", name), five.path("new", name.partition(":")[0]))
    assert len(five.inbox.refresh().uids) == 5
    assert five.files()["new"] == [] and five.files()["cur"][0] == name
    with open(five.path("new", name.partition(":")[0]), "wb") as file:
        file.write(message(77))
    assert len(five.inbox.refresh().uids) == 6
    assert five.octets(five.inbox, 6) == message(77)


def test_what_is_no_message(five):
    """Directories and dot files in cur/ are no messages, and names that are not text are."""
    os.mkdir(five.path("cur", "directory"))
    with open(five.path("cur", ".hidden"), "wb"), open(os.fsencode(five.path("cur")) + b"/\xff\xfe:2,", "wb") as file:
        file.write(message(50))
    assert list(five.inbox.refresh().uids) == [1, 2, 3, 4, 5, 6]
    assert five.octets(five.inbox, 6) == message(50)


def test_dovecot_letters_stay(five):
    """Letters that are no flags of ours stay in the name through our own renames."""
    name = five.files()["cur"][0]
    rename(five, name, name + "ab")
    five.inbox.refresh()
    five.inbox.store([1], "add", ["\\Seen"])
    five.store.settle()
    assert five.files()["cur"][0] == name + "Sab"


def test_a_message_renamed_while_it_is_read(five):
    """Reading finds the file under the name that another program gave it a moment ago."""
    name = five.files()["cur"][0]
    rename(five, name, name + "S")
    assert five.octets(five.inbox, 1) == message(0)
