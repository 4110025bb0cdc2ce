"""What a peer sent is known for as long as it may send it again, through restarts, damage and trouble."""

import os
import sqlite3

import pytest

from tests.fakes import RecordingJournal
from tests.power.recording import DROPPED, Model, RecordingDisk
from tests.spool.room import NOW
from unitymail.disk import Disk
from unitymail.interfaces.spool import Item
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.spool import xids as module
from unitymail.spool.xids import Xids, recipients_of

DAY = 86_400.0


class Room:
    def __init__(self, root):
        self.root, self.now, self.retry_for = str(root), NOW, 2 * DAY
        self.journal = RecordingJournal()
        self.xids = self.another()

    def another(self, disk=None):
        return Xids(
            self.root, disk=disk or Disk(), now=lambda: self.now, retry_for=lambda: self.retry_for,
            journal=self.journal,
        )  # fmt: skip


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def an_item(xid, *addresses):
    recipients = tuple(Recipient(address) for address in addresses)
    return Item("t", "", NOW, Envelope("c@x", recipients), "email", "normal", False, "", "", "", 1, 1, (), xid=xid)


def test_known_from_the_commit_on(room):
    """In memory first, in the file later; each pair of transaction and recipient by itself."""
    room.xids.remember("a.t1", ["robin@x", "chris@x"])
    assert room.xids.known("a.t1", {"robin@x", "terry@x"}) == {"robin@x"}
    assert room.xids.known("a.t2", {"robin@x"}) == set()
    assert os.listdir(room.root) == []
    room.xids.keep([an_item("a.t1", "Robin@X", "chris@x"), an_item("", "terry@x")])
    assert room.xids._young == {}
    assert room.xids.known("a.t1", {"robin@x", "chris@x", "terry@x"}) == {"robin@x", "chris@x"}
    assert room.another().known("a.t1", {"robin@x"}) == {"robin@x"}


def test_spellings_of_an_address_are_one(room):
    """As everywhere in the node."""
    assert recipients_of(an_item("x", "Robin@X.example", "robin@x.EXAMPLE")) == {"robin@x.example"}


def test_nothing_is_made_where_no_peer_sends(room):
    """A node without peers has no file, and asking makes none."""
    assert room.xids.known("a.t1", {"robin@x"}) == set()
    room.xids.keep([an_item("", "robin@x")])
    assert os.listdir(room.root) == []


def test_kept_once_is_durable(tmp_path):
    """On return a power cut loses nothing."""
    os.makedirs(tmp_path / "before")
    disk = RecordingDisk(str(tmp_path / "before"))
    room = Room(tmp_path / "before")
    room.another(disk).keep([an_item("a.t1", "robin@x")])
    Model(disk.events).build(str(tmp_path / "after"), DROPPED)
    assert Room(tmp_path / "after").xids.known("a.t1", {"robin@x"}) == {"robin@x"}


def test_forgotten_a_day_after_nobody_sends_it_again(room, monkeypatch):
    """Kept for the time of retries and a day more, then pruned, some at a time."""
    monkeypatch.setattr(module, "PRUNED_AT_ONCE", 10)
    room.xids.keep([an_item(f"a.t{n}", "robin@x", "chris@x") for n in range(50)])
    room.now += 3 * DAY - 10
    room.xids.keep([an_item("a.new", "robin@x")])
    assert room.xids.known("a.t7", {"robin@x"})
    room.now += 2 * 3_600
    room.xids.keep([an_item("a.newer", "robin@x")])
    assert room.xids.known("a.t49", {"robin@x"})  # who asks meanwhile does not wait for all of it
    for _ in range(11):
        room.xids.keep([an_item("a.newer", "robin@x")])
    assert not room.xids.known("a.t7", {"robin@x", "chris@x"})
    with sqlite3.connect(os.path.join(room.root, module.FILE)) as file:
        assert file.execute("SELECT count(*) FROM pairs").fetchone() == (2,)


def test_kept_twice_is_kept(room):
    """A recovery may do it again."""
    for _ in range(2):
        room.another().keep([an_item("a.t1", "robin@x")])
    assert room.xids.known("a.t1", {"robin@x"}) == {"robin@x"}


def test_a_damaged_file_is_put_aside_by_one(room):
    """Two processes meet the damage as they begin: the second leaves alone what the first has begun anew."""
    path = os.path.join(room.root, module.FILE)
    with open(path, "wb") as file:
        file.write(b"damaged " * 1_000)
    first, second = room.another(), room.another()
    errors = []
    for xids in (first, second):
        with pytest.raises(sqlite3.DatabaseError) as refused:
            xids._opened()
        errors.append(refused.value)
    first._put_aside(errors[0])
    first.keep([an_item("x1", "robin@vm1")])
    second._put_aside(errors[1])
    assert second.known("x1", {"robin@vm1"}) == {"robin@vm1"}
    with open(path + ".damaged", "rb") as file:
        assert file.read() == b"damaged " * 1_000
    assert len(room.journal.named("trouble")) == 1


def test_a_damaged_file_is_put_aside(room):
    """It is kept for whoever wants to look, said so, and the memory begins anew; mail goes on."""
    path = os.path.join(room.root, module.FILE)
    with open(path, "wb") as file:
        file.write(b"no database at all" * 1_000)
    assert room.xids.known("a.t1", {"robin@x"}) == set()
    room.xids.keep([an_item("a.t1", "robin@x")])
    assert room.another().known("a.t1", {"robin@x"}) == {"robin@x"}
    assert os.path.exists(path + ".damaged")
    (trouble,) = room.journal.named("trouble")
    assert "beyond use" in trouble.args[0]


def test_one_that_was_never_finished_is_finished(room):
    """A crash between making the file and its tables leaves nothing that stands in the way."""
    open(os.path.join(room.root, module.FILE), "wb").close()
    assert room.xids.known("a.t1", {"robin@x"}) == set()
    room.xids.keep([an_item("a.t1", "robin@x")])
    assert room.xids.known("a.t1", {"robin@x"}) == {"robin@x"}


def test_trouble_is_told_and_forgets_nothing(room):
    """What the file could not take stays in memory."""
    room.xids.remember("a.t1", ["robin@x"])
    os.mkdir(os.path.join(room.root, module.FILE))
    with pytest.raises(sqlite3.Error):
        room.xids.keep([an_item("a.t1", "robin@x")])
    assert room.xids.known("a.t1", {"robin@x"}) == {"robin@x"}
    os.rmdir(os.path.join(room.root, module.FILE))
    room.xids.keep([an_item("a.t1", "robin@x")])
    assert room.another().known("a.t1", {"robin@x"}) == {"robin@x"}
