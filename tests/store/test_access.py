"""The index opened, closed, shared, lost and built anew."""

import os
import sqlite3
import threading

import pytest

from tests.store.house import House, flags_of, message
from unitymail.interfaces.errors import Never, TryAgain
from unitymail.store import access


def test_a_lost_index_is_built_anew(house):
    """Without its index every message and system flag is still there; UIDVALIDITY is higher, UIDs by arrival."""
    house.deliver(3)
    house.inbox.refresh()
    house.inbox.store([2], "add", ["\\Seen", "Work"])
    before = house.inbox.snapshot
    house.store.close()
    os.unlink(house.path("unitymail.index"))
    house.store = house.open()
    snapshot = house.inbox.refresh()
    assert snapshot.uidvalidity > before.uidvalidity and list(snapshot.uids) == [1, 2, 3]
    assert flags_of(house.inbox) == {1: frozenset(), 2: frozenset({"\\Seen"}), 3: frozenset()}
    assert [house.octets(house.inbox, uid) for uid in (1, 2, 3)] == [message(0), message(1), message(2)]


@pytest.mark.parametrize("damage", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_index_is_built_anew(house, damage):
    """An index that is no database is put aside and built anew at the next start."""
    house.deliver(3)
    house.inbox.refresh()
    house.store.close()
    with open(house.path("unitymail.index"), "wb") as file:
        file.write(damage)
    house.store = house.open()
    assert len(house.inbox.refresh().uids) == 3
    assert os.path.exists(house.path("unitymail.index.broken"))


def test_an_index_damaged_while_it_is_open(house):
    """Damage met in the middle is mended in the middle: the command goes on with a new UIDVALIDITY."""
    house.deliver(400)
    inbox, sent = house.inbox, house.account.folder("Sent")
    before = inbox.refresh()
    house.store.settle()
    inbox.access.using().__enter__().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(house.path("unitymail.index"), "r+b") as file:
        file.seek(4096)
        file.write(b"\xaa" * (os.path.getsize(file.name) - 4096))
    inbox.access.using().__enter__().execute("PRAGMA shrink_memory")
    snapshot, _ = inbox.store([1], "add", ["\\Flagged"])
    snapshot = inbox.refresh()
    assert snapshot.uidvalidity > before.uidvalidity and len(snapshot.uids) == 400
    assert house.inbox is inbox
    assert sent.refresh().uidvalidity > before.uidvalidity


def test_an_index_removed_while_it_is_open(house):
    """An administrator removes the index under a running node: it is built anew at the next change of files."""
    house.deliver(2)
    inbox = house.inbox
    before = inbox.refresh()
    for name in ("unitymail.index", "unitymail.index-wal", "unitymail.index-shm"):
        os.unlink(house.path(name))
    house.deliver(1)
    snapshot = inbox.refresh()
    assert snapshot.uidvalidity > before.uidvalidity and list(snapshot.uids) == [1, 2, 3]
    inbox.store([3], "add", ["\\Seen"])
    house.reopen()
    assert flags_of(house.inbox)[3] == frozenset({"\\Seen"})


def test_an_index_that_cannot_be_opened_holds_no_descriptor(house):
    """However often it is tried: an index of a newer version is refused and leaves nothing open."""
    house.account.close()
    newer = sqlite3.connect(house.path("unitymail.index"))
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(Never):
            house.store.account("u-robin").folder("INBOX")
    assert len(os.listdir("/proc/self/fd")) == before


def test_no_connection_crosses_a_fork(house, tmp_path):
    """A child opens its own index and leaves its parent's alone."""
    house.deliver(1)
    house.inbox.refresh()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            before = house.inbox.access._index.connection
            uids = list(house.inbox.refresh().uids)
            house.inbox.store([1], "add", ["\\Seen"])
            own = house.inbox.access._index.connection is not before
            os.write(writer, b"%d%d" % (uids == [1], own))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"11"
    os.close(reader)
    os.close(writer)
    assert flags_of(house.inbox) == {1: frozenset({"\\Seen"})}
    assert access._GRAVEYARD == []


def test_two_openers_see_each_other(house, tmp_path):
    """What one process does is in the other's next look: deliveries, flags, expunges, keywords."""
    other = House(tmp_path)
    house.deliver(3)
    assert list(house.inbox.refresh().uids) == [1, 2, 3] == list(other.inbox.refresh().uids)
    assert house.inbox.snapshot.uidvalidity == other.inbox.snapshot.uidvalidity
    house.inbox.store([1], "add", ["Work"])
    other.inbox.store([2], "add", ["\\Deleted"])
    assert flags_of(house.inbox) == flags_of(other.inbox)
    assert "Work" in other.inbox.snapshot.keywords
    other.inbox.expunge()
    house.store.settle()
    other.store.settle()
    assert list(house.inbox.refresh().uids) == [1, 3] == list(other.inbox.refresh().uids)
    assert house.inbox.snapshot.modseqs == other.inbox.snapshot.modseqs
    assert other.octets(other.inbox, 3) == message(2)
    other.close()


def test_threads_of_one_process(house):
    """Eight threads change one folder at once: nothing fails, nothing is lost."""
    house.deliver(40)
    inbox = house.inbox
    inbox.refresh()
    troubles = []

    def work(number):
        try:
            for uid in range(number + 1, 41, 8):
                inbox.store([uid], "add", [f"k{number}", "\\Seen"])
                inbox.rows([uid], ["envelope", "size"])
                inbox.refresh()
                house.store.settle()
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert flags_of(inbox) == {uid: frozenset({f"k{(uid - 1) % 8}", "\\Seen"}) for uid in range(1, 41)}


def test_closing_never_fails(house):
    """A mailbox that cannot be settled when it is closed is closed all the same, and mended at the next start."""
    house.deliver(2)
    house.inbox.refresh()
    os.rename(house.path("cur"), house.path("elsewhere"))
    house.store.close()
    os.rename(house.path("elsewhere"), house.path("cur"))
    house.store = house.open()
    house.inbox.refresh()
    house.store.settle()
    assert house.files()["new"] == [] and len(house.files()["cur"]) == 2


def test_a_busy_index_is_try_again(house, monkeypatch):
    """What SQLite cannot do now is a TryAgain with the cause for the log."""
    house.deliver(1)
    house.inbox.refresh()
    blocker = sqlite3.connect(house.path("unitymail.index"), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    house.inbox.access._index.connection.execute("PRAGMA busy_timeout = 10")
    with pytest.raises(TryAgain) as caught:
        house.inbox.store([1], "add", ["\\Seen"])
    assert caught.value.reply.code == 451 and isinstance(caught.value.__cause__, sqlite3.OperationalError)
    blocker.execute("ROLLBACK")
    blocker.close()
    house.inbox.store([1], "add", ["\\Seen"])
