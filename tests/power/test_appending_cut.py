"""The power is cut while a client appends: what it was told is there is there afterwards, whole and once."""

import os

import pytest

from tests.power.cutting import cuts
from tests.power.recording import DROPPED, KILLED, NAMES, RecordingDisk
from tests.power.test_shredding_cut import octets_in
from tests.store.house import Clock, message
from unitymail.disk import Disk
from unitymail.store import Store, landing

LARGE = b"y" * (landing.MOST_OCTETS + 1)


class Client:
    """One that appends as IMAP's APPEND does; `said` in the disk's log is what it may rely on."""

    def __init__(self, disk):
        self.disk = disk
        self.store = store_at(disk.root, disk)
        self.account = self.store.account("u1")
        self.inbox = self.account.folder("INBOX")

    def append(self, *numbers, body=b"Hello\r\n", flags=("\\Seen", "work")):
        messages = []
        for number in numbers:
            descriptor, path = self.account.new_file()
            self.disk.write(descriptor, message(number, body))
            self.disk.close(descriptor)
            messages.append((path, flags, 1_000_000_000.0))
        self.disk.mark("asked", {message(number, body) for number in numbers})
        uids = self.inbox.append_all(messages, flushed=False)
        self.disk.mark("there", "INBOX", [message(number, body) for number in numbers], uids)

    def hand_over(self, uid, number, how, target):
        copied = how([uid], self.account.folder(target))
        self.disk.mark("there", target, [message(number)], copied.targets)

    def expunge(self, uid):
        self.inbox.store([uid], "add", ["\\Deleted"])
        self.disk.mark("leaves", "INBOX", uid)
        self.inbox.expunge([uid])


def store_at(root, disk):
    return Store(os.path.join(root, "mail"), disk=disk, now=Clock(), host="h", undelete_days=2)


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Messages one by one and several at once, small and large; some are copied, moved and expunged at once."""
    disk = RecordingDisk(tmp_path_factory.mktemp("life"))
    client = Client(disk)
    client.append(1)
    client.append(2, 3, 4)
    client.append(5, body=LARGE)
    client.append(6)
    client.hand_over(6, 6, client.inbox.copy, "Archive")
    client.append(7)
    disk.mark("leaves", "INBOX", 7)
    client.hand_over(7, 7, client.inbox.move, "Archive")
    client.append(8)
    client.inbox.store([8], "add", ["\\Flagged"])
    client.append(9)
    client.expunge(9)
    client.store.settle()
    disk.mark("settled")
    client.append(10)
    client.append(11)
    client.expunge(10)
    client.store.close()
    return list(disk.events)


class Told:
    """What the client was told up to some moment."""

    def __init__(self):
        self.there = {}
        self.asked = []

    def take(self, word, *rest):
        if word == "asked":
            self.asked.append(rest[0])
        elif word == "there":
            folder, octets, uids = rest
            self.there |= {(folder, uid): one for uid, one in zip(uids, octets, strict=True)}
        elif word == "leaves":
            self.there.pop(tuple(rest))


def seen(account, name):
    folder = account.folder(name)
    folder.refresh()
    return {(name, uid): octets for uid, octets in zip(folder.snapshot.uids, octets_in(account, name), strict=True)}


@pytest.mark.parametrize("variant", [DROPPED, NAMES, KILLED])
def test_what_was_told_is_there(events, variant, place):
    """For each prefix of the disk calls: every message told of has its UID, octets, flags and date; of one command
    all messages are there or none; nothing is there in part.
    """
    told, done, tried = Told(), 0, 0
    for number, root, label in cuts(events, variant, place):
        for event in events[done:number]:
            if event[0] == "mark":
                told.take(*event[1])
        done = number
        if not os.path.isdir(os.path.join(root, "mail", "u1", "new")):
            continue
        check(root, told, label)
        check(root, told, (*label, "again"))
        tried += 1
    assert tried > 20


def check(root, told, label):
    store = store_at(root, Disk())
    account = store.account("u1")
    found = {}
    for info in account.folders():
        found |= seen(account, info.name)
    assert told.there.items() <= found.items(), (label, told.there.keys() - found.keys())
    for command in told.asked:
        assert len(command) == 1 or set(found.values()) & command in (set(), command), label
    whole = set().union(*told.asked) if told.asked else set()
    assert set(found.values()) <= whole, (label, sorted(map(len, found.values())))
    inbox = account.folder("INBOX")
    for (folder, uid), _ in told.there.items():
        if folder == "INBOX":
            snapshot = inbox.snapshot
            flags = snapshot.combinations[snapshot.flags[snapshot.uids.index(uid)]]
            assert {"\\Seen", "work"} <= flags, (label, uid, flags)
            assert inbox.rows([uid], ["internaldate"])[0][1] == b'" 9-Sep-2001 01:46:40 +0000"', label
    brought_back = account.undelete([one.id for one in account.deleted()])
    assert brought_back == 0 or set(octets_in(account, "INBOX")) <= whole, label
    store.close()
