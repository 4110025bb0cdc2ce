"""Envelopes become durable, also those of which a flush failed: what a flush lost does not come back by itself."""

import os
from dataclasses import replace

import pytest

from tests.power.recording import DROPPED, Model, RecordingDisk
from tests.spool.room import NOW
from unitymail.disk import Disk
from unitymail.interfaces.spool import Item, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.routing.steps import RelayToSmartHost
from unitymail.spool import durable
from unitymail.spool.claim import try_lock, unlock
from unitymail.spool.durable import Durable
from unitymail.spool.items import Items
from unitymail.spool.places import Places

STEPS = (StepState(RelayToSmartHost("a@x"), attempts=1),)
ITEM = Item("t1", "", NOW, Envelope("c@x", (Recipient("a@x"),)), "email", "normal", False, "", "", "", 6, 0, STEPS)


class Room:
    """Three items, none of them durable yet; `failing` says which calls to the disk do."""

    def __init__(self, root):
        self.root = root
        self.failing = set()
        self.troubles = []
        (root / "before").mkdir()
        self.disk = RecordingDisk(root / "before", self.before)
        self.places = Places(str(root / "before" / "spool"))
        self.places.make(self.disk)
        self.items = Items(self.places, self.disk)
        self.durable = Durable(
            places=self.places, disk=self.disk, items=self.items, renew=self.items.renew,
            trouble=lambda what, error: self.troubles.append(what),
        )
        source = os.path.join(self.places.intake, "source")
        fd = self.disk.create(source)
        self.disk.write(fd, b"octets")
        self.disk.flush(fd)
        self.disk.close(fd)
        for trace in ("t1", "t2", "t3"):
            self.items.create(replace(ITEM, trace=trace), source)

    def before(self, call):
        if call in self.failing:
            raise OSError(5, "Input/output error")

    def make(self, *failing):
        """With these calls failing: the traces that are not durable afterwards."""
        self.failing = set(failing)
        try:
            return self.durable.make(["t1", "t2", "t3"])
        finally:
            self.failing = set()

    def after_a_cut(self):
        """Traces of items that are whole, when all that was not flushed is gone."""
        root = self.root / f"after{len(self.disk.events)}"
        Model(self.disk.events).build(root, DROPPED)
        places = Places(str(root / "spool"))
        return [trace for trace in ("t1", "t2", "t3") if Items(places, Disk()).is_whole(trace)]


@pytest.fixture(params=[False, True], ids=["one-by-one", "together"])
def room(tmp_path, request, monkeypatch):
    monkeypatch.setattr(durable, "FLUSHED_ONE_BY_ONE", 0 if request.param else 64)
    return Room(tmp_path)


def test_what_a_flush_lost_is_written_anew(room):
    """A flush that does well after one that failed is not believed: only a new file is."""
    assert room.make("flush", "flush_filesystem") == {"t1", "t2", "t3"}
    assert room.make() == set()
    assert room.after_a_cut() == ["t1", "t2", "t3"]
    assert room.items.read("t2").steps == STEPS


def test_at_once_where_that_is_possible(tmp_path, monkeypatch):
    """One flush for all that fails costs nobody his item: each is written anew, and that is durable."""
    monkeypatch.setattr(durable, "FLUSHED_ONE_BY_ONE", 0)
    room = Room(tmp_path)
    assert room.make("flush_filesystem") == set()
    assert room.after_a_cut() == ["t1", "t2", "t3"]
    assert room.troubles == ["making the envelopes of items durable; they are written anew"]


def test_one_that_somebody_works_on_holds_up_no_other(room):
    """It is written anew once that is possible, and not before: his change would be lost."""
    room.make("flush", "flush_filesystem")
    claim = try_lock(room.items.envelope_path("t2"))
    assert room.make() == {"t2"}
    assert room.after_a_cut() == ["t1", "t3"]
    unlock(claim)
    assert room.make() == set()
    assert room.after_a_cut() == ["t1", "t2", "t3"]


def test_one_that_is_gone_is_no_matter(room):
    """What was lost of an item that left since is forgotten; a later one of that name is flushed as any other."""
    room.make("flush", "flush_filesystem")
    for trace in ("t1", "t2", "t3"):
        room.items.unlink(trace)
    assert room.make() == set()
    assert room.after_a_cut() == []
    assert room.durable._lost == set()


def test_a_disk_in_trouble_with_the_others_does_not_bring_one_back(room):
    """That one is gone is durable when it is said, also where nothing else could be made so."""
    assert room.make() == set()
    room.items.unlink("t1")
    assert room.make("flush", "flush_filesystem") == {"t2", "t3"}
    assert "t1" not in room.after_a_cut()


def test_one_that_cannot_be_read_any_more(room):
    """It is told, holds up no other, and stays what it is."""
    room.make("flush", "flush_filesystem")
    with open(room.items.envelope_path("t2"), "w") as file:
        file.write("{")
    assert room.make() == {"t2"}
    assert room.troubles[-1] == "writing the envelope of t2 anew; it is tried again"
