"""The queue: claims among processes, what others put in, and what must outlive its record."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from zope.interface.verify import verifyObject

import unitymail
from tests.spool.room import NOW, files_under
from unitymail.disk import Disk
from unitymail.interfaces.errors import Never
from unitymail.interfaces.spool import DONE, IQueue, Item, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.routing.steps import RelayToSmartHost
from unitymail.spool.items import Items
from unitymail.spool.places import Places
from unitymail.spool.queue import Queue

WAITING = StepState(RelayToSmartHost("a@x"))


class Room:
    def __init__(self, root):
        self.places = Places(str(root))
        self.places.make(Disk())
        self.now = NOW
        self.queue = self.another()
        self.items = Items(self.places, Disk())
        self.source = os.path.join(self.places.intake, "source")
        with open(self.source, "wb") as file:
            file.write(b"octets")

    def another(self):
        """The queue as another process sees it."""
        return Queue(self.places, Disk(), lambda: self.now)

    def put(self, trace, **facts):
        facts.setdefault("steps", (WAITING,))
        item = Item(
            trace, "", NOW, Envelope("c@x", (Recipient("a@x"),)), "email", "normal", False, "", "", "", 6, 0, **facts
        )
        return self.items.create(item, self.source)


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_provides_what_the_courier_needs(room):
    """The queue keeps the interface."""
    verifyObject(IQueue, room.queue)


def test_one_claim_at_a_time(room):
    """Who claims an item has it alone, among all queues, until it is released, also after its file was replaced."""
    room.put("t1")
    other = room.another()
    item = room.queue.claim("t1")
    assert item.steps == (WAITING,)
    assert other.claim("t1") is None
    room.queue.record(replace(item, steps=(replace(WAITING, attempts=1),)))
    assert other.claim("t1") is None
    room.queue.release("t1", NOW + 60)
    assert other.claim("t1").steps[0].attempts == 1
    other.release("t1", NOW)


CLAIMER = """
import sys
from unitymail.disk import Disk
from unitymail.spool.places import Places
from unitymail.spool.queue import Queue
queue = Queue(Places(sys.argv[1]), Disk(), lambda: 0.0)
print(queue.claim("t1") is not None, flush=True)
sys.stdin.read()
"""


def test_a_claim_ends_with_its_process(room):
    """Another process's claim holds while it lives, however it dies."""
    room.put("t1")
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMER, room.places.root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(unitymail.__file__).parent.parent,
    ) as process:
        assert process.stdout.readline() == "True\n"
        assert room.queue.claim("t1") is None
        process.kill()
    assert room.queue.claim("t1") is not None
    room.queue.release("t1", NOW)


def test_what_others_put_in_is_found(room):
    """`look` notices new items and those that left; a start reads no envelope, times are the files' own."""
    room.put("t1", steps=(replace(WAITING, next_at=NOW + 50),))
    room.put("t2", priority=1)
    assert room.queue.look() == 2
    assert room.queue.due(NOW + 1) == "t2"
    assert room.queue.due(NOW + 49) is None
    assert room.queue.due(NOW + 50) == "t1"
    room.items.remove("t1")
    room.put("t3")
    assert sorted((room.queue.look(), room.queue.due(NOW + 1) == "t3")) == [1, 3]


def test_a_hint_far_in_the_future_is_not_believed_for_ever(room):
    """A file whose time is nonsense is looked at within the hour."""
    room.put("t1")
    os.utime(room.items.envelope_path("t1"), (NOW + 10**8, NOW + 10**8))
    room.queue.look()
    assert room.queue.due(NOW + 3_600) == "t1"


def test_a_clock_that_was_set_back_hides_nothing(room):
    """What is put in after the clock went back by hours is found."""
    room.put("t1")
    os.utime(room.places.items, (NOW - 5, NOW - 5))
    assert room.queue.look() == 1
    room.put("t2")
    os.utime(room.places.items, (NOW - 7_200, NOW - 7_200))
    assert room.queue.look() == 2


def test_a_claim_that_cannot_read_is_given_back(room, monkeypatch):
    """While the disk, or the lack of descriptors, keeps the envelope from being read, the item is nobody's."""
    room.queue.added(room.put("t1"))
    assert room.queue.due(NOW + 1) == "t1"

    def no_descriptor(trace):
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(room.queue._items, "read", no_descriptor)
        with pytest.raises(OSError, match="Too many"):
            room.queue.claim("t1")
    other = room.another()
    assert other.claim("t1") is not None
    other.release("t1", NOW)
    assert room.queue.due(NOW + 2) == "t1"


def test_held_items_wait(room):
    """A held item is nobody's."""
    room.put("t1", held=True)
    room.queue.look()
    assert room.queue.claim("t1") is None
    assert room.queue.due(NOW + 10**6) is None


def test_an_item_that_is_gone(room):
    """Claiming what is no longer there says so, and forgets it."""
    room.put("t1")
    room.queue.look()
    room.items.remove("t1")
    assert room.queue.claim("t1") is None
    assert room.queue.next_time() is None


def test_an_item_outlives_its_intake_file(room):
    """As long as its record may be replayed a finished item stays, done; then it goes, without a trace."""
    room.put("t1", intake="source")
    item = room.queue.claim("t1")
    done = replace(item, steps=(replace(WAITING, outcome=DONE),))
    assert room.queue.finish(done) is False
    assert room.items.read("t1").steps[0].outcome == DONE
    written = os.stat(room.items.envelope_path("t1")).st_ino
    assert room.queue.finish(room.queue.claim("t1")) is False
    assert os.stat(room.items.envelope_path("t1")).st_ino == written
    os.unlink(room.source)
    room.queue.look()
    assert room.queue.due(NOW + 2) == "t1"
    assert room.queue.finish(room.queue.claim("t1")) is True
    assert files_under(room.places.items) == []


def test_freshness_is_known_once(room):
    """Only the first claim of an item that this process made is fresh."""
    room.queue.added(room.put("t1"))
    assert room.queue.claim("t1").fresh
    room.queue.release("t1", NOW)
    assert not room.queue.claim("t1").fresh
    room.queue.release("t1", NOW)


def test_an_unreadable_item_can_be_shunted(room):
    """It is claimed, said to be unreadable, and put aside with the reason."""
    room.put("t1")
    with open(room.items.envelope_path("t1"), "w") as file:
        json.dump({"trace": "t1"}, file)
    with pytest.raises(Never):
        room.queue.claim("t1")
    room.queue.shunt("t1", "no sense")
    assert files_under(room.places.items) == []
    assert files_under(room.places.shunted) == ["t1.eml", "t1.json", "t1.txt"]


def test_a_shunted_item_that_is_moved_back_is_tried_again(room):
    """An operator moves both files back, and the running queue finds the item as it was."""
    room.put("t1")
    room.queue.claim("t1")
    room.queue.shunt("t1", "no sense")
    assert room.queue.look() == 0
    for ending in (".eml", ".json"):
        os.rename(os.path.join(room.places.shunted, "t1" + ending), os.path.join(room.places.items, "t1" + ending))
    assert room.queue.look() == 1
    assert room.queue.due(NOW + 3_600) == "t1"
    assert room.queue.claim("t1").steps == (WAITING,)
    room.queue.release("t1", NOW)


def test_a_person_sees_all_items(room):
    """Listed by trace, oldest first, without claiming anything."""
    room.put("t2")
    room.put("t1")
    held = room.queue.claim("t2")
    assert [item.trace for item in room.another().items()] == ["t1", "t2"]
    room.queue.release(held.trace, NOW)
