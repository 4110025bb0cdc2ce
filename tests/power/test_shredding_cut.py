"""The power is cut while what is gone for good is overwritten: no message that anybody can see is spoiled by it."""

import os

import pytest

from tests.power.cutting import cuts
from tests.power.recording import DROPPED, KILLED, NAMES, RecordingDisk
from tests.store.house import Clock, message
from unitymail.disk import Disk
from unitymail.store import Store, shredding

DAY = 86_400
BODY = b"x" * 9_000 + b"\r\n"


def store_at(root, disk, now):
    return Store(os.path.join(root, "mail"), disk=disk, now=now, host="h", shredding=2, undelete_days=2)


def appended(disk, account, folder, number):
    descriptor, path = account.new_file()
    disk.write(descriptor, message(number, BODY))
    disk.flush(descriptor)
    disk.close(descriptor)
    account.folder(folder).append(path, [], None)


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Messages are expunged, past undelete, and overwritten; others stay, one of them by a name of the same file."""
    disk, now = RecordingDisk(tmp_path_factory.mktemp("life")), Clock()
    store = store_at(disk.root, disk, now)
    account = store.account("u1")
    for number in range(4):
        appended(disk, account, "INBOX", number)
    inbox = account.folder("INBOX")
    inbox.copy([2], account.folder("Archive"))
    inbox.store([1, 2, 3], "add", ["\\Deleted"])
    inbox.expunge([1, 2, 3])
    store.settle()
    disk.mark("expunged")
    now.ahead = 3 * DAY
    store.settle()
    now.ahead += 60
    while store.shred(60):
        continue
    assert not os.listdir(os.path.join(disk.root, "mail", shredding.DIRECTORY))
    store.close()
    return list(disk.events)


@pytest.mark.parametrize("variant", [DROPPED, NAMES, KILLED])
def test_nothing_that_can_be_seen_is_spoiled(events, variant, place):
    """What stayed is whole; what comes back, or can be brought back, is whole; the rest goes at the next start."""
    whole = {message(number, BODY) for number in range(4)}
    expunged, tried = False, 0
    for number, root, label in cuts(events, variant, place):
        if not os.path.isdir(os.path.join(root, "mail", "u1", "new")):
            continue
        expunged = expunged or any(event[0] == "mark" for event in events[:number])
        now = Clock()
        store = store_at(root, Disk(), now)
        account = store.account("u1")
        account.undelete([one.id for one in account.deleted()])
        seen = [(info.name, octets) for info in account.folders() for octets in octets_in(account, info.name)]
        assert {octets for _, octets in seen} <= whole, label
        if expunged:
            assert ("INBOX", message(3, BODY)) in seen and ("Archive", message(1, BODY)) in seen, label
        now.ahead += 60
        while store.shred(60):
            continue
        left = os.path.join(root, "mail", shredding.DIRECTORY)
        assert not os.path.isdir(left) or not os.listdir(left), label
        store.close()
        tried += 1
    assert tried > 20


def octets_in(account, name):
    folder = account.folder(name)
    found = []
    for uid in folder.refresh().uids:
        content = folder.content(uid)
        if content is not None:
            found.append(bytes(content.buffer[:]))
            content.close()
    return found
