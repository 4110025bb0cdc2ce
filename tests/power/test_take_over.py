"""The power is cut while a Maildir of another server is taken over: run again, it ends as if nothing had happened."""

import os
import time

import pytest

from tests.power.cutting import cuts
from tests.power.recording import DROPPED, KILLED, NAMES, HastyDisk, RecordingDisk
from tests.store.house import flags_of
from tests.store.takeover.other import dovecot
from unitymail.store import Store
from unitymail.store.checking import examine
from unitymail.store.takeover import take_over

INBOX = {3: {"\\Seen", "Work", "$Label1"}, 4: {"\\Flagged", "\\Answered", "\\Deleted"}, 8: frozenset(),
         10: frozenset()}  # fmt: skip


def opened(root, disk):
    return Store(os.path.join(root, "mail"), disk=disk, now=time.time, host="host.example")


def source(root, place):
    return os.path.join(root, "mail", "u-robin") if place == "here" else os.path.join(root, "Maildir")


@pytest.fixture(scope="module", params=["here", "elsewhere"])
def life(request, tmp_path_factory):
    """(where the Maildir lies, what happened on the disk, after how many events it began and was done)."""
    root = str(tmp_path_factory.mktemp("life"))
    os.mkdir(os.path.join(root, "mail"))
    dovecot(source(root, request.param))
    disk = RecordingDisk(root)
    store = opened(root, disk)
    take_over(store, "u-robin", source(root, request.param))
    done = len(disk.events)
    store.close()
    return request.param, list(disk.events), disk.began, done


@pytest.mark.parametrize("variant", [DROPPED, NAMES, KILLED])
def test_after_any_cut_it_can_be_run_again(life, variant, place):
    """Nothing is lost or doubled, UIDs are kept, and once it had said that it was done nothing need be run again."""
    where, events, began, done = life
    tried = 0
    for number, root, label in cuts(events, variant, place):
        if number < began:
            continue
        store = opened(root, HastyDisk())
        if number < done:
            take_over(store, "u-robin", source(root, where))
        account = store.account("u-robin")
        inbox = account.folder("INBOX")
        assert (inbox.refresh().uidvalidity, flags_of(inbox)) == (1500000000, INBOX), label
        deep = account.folder("Work/Süb")
        assert (deep.refresh().uidvalidity, flags_of(deep)) == (1500000002, {7: {"\\Seen", "Other"}}), label
        for uid in inbox.snapshot.uids:
            content = inbox.content(uid)
            assert b"body of " in bytes(content.buffer[:]), label
            content.close()
        assert "Work/Süb" in account.subscriptions(), label
        store.settle()
        assert len(os.listdir(os.path.join(root, "mail", "u-robin", "cur"))) == 4, label
        assert examine(account).findings == (), label
        store.close()
        tried += 1
    assert tried > 10
