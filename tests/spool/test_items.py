"""Items on the disk: what was written, moved or removed is so after a power cut as well."""

import os
import time
from dataclasses import replace

import pytest

from tests.power.recording import DROPPED, KILLED, Model, RecordingDisk
from tests.spool.room import NOW, files_under
from unitymail.disk import Disk
from unitymail.interfaces.spool import DONE, Item, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.routing.steps import Deliver, RelayToSmartHost
from unitymail.spool.badmail import BadMailFolder
from unitymail.spool.claim import try_lock
from unitymail.spool.durable import Durable
from unitymail.spool.index import LOW, NORMAL, URGENT
from unitymail.spool.items import Items, level_of_mode
from unitymail.spool.places import Places

WAITING = StepState(RelayToSmartHost("a@x"))


class Room:
    def __init__(self, root):
        self.root = root
        os.makedirs(root / "before")
        self.disk = RecordingDisk(root / "before")
        places = Places(str(root / "before" / "spool"))
        places.make(self.disk)
        self.items = Items(places, self.disk)
        self.badmail = BadMailFolder(places.root, disk=self.disk, now=lambda: NOW)
        source = os.path.join(places.intake, "source")
        fd = self.disk.create(source)
        self.disk.write(fd, b"octets")
        self.disk.flush(fd)
        self.disk.close(fd)
        self.item = self.items.create(
            Item(
                "t1", "", NOW, Envelope("c@x", (Recipient("a@x"),)), "email", "normal", False, "", "", "", 6, 0,
                steps=(WAITING,),
            ),
            source,
        )  # fmt: skip

    def make_durable(self, *traces):
        """All of them are, without trouble."""
        trouble = []
        durable = Durable(
            places=self.items._places, disk=self.disk, items=self.items, renew=self.items.renew,
            trouble=lambda *what: trouble.append(what),
        )
        assert (durable.make(traces), trouble) == (set(), [])

    def after_a_cut(self):
        """Everything that was not flushed is dropped: (the items, all files but the intake's)."""
        root = self.root / "after"
        Model(self.disk.events).build(root, DROPPED)
        places = Places(str(root / "spool"))
        left = [path for path in files_under(places.root) if not path.startswith("intake/")]
        return Items(places, Disk()), left


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_a_new_item_is_durable_when_asked_for(room):
    """Making it costs no flush; `Durable` makes both files so. One that is gone by then is no matter."""
    room.make_durable("t1", "gone")
    items, left = room.after_a_cut()
    assert left == ["items/t1.eml", "items/t1.json"]
    assert items.read("t1").steps == (WAITING,) and items.is_whole("t1")


def test_an_outcome_is_durable_once_it_is_written(room):
    """What became of a step is known after a power cut: no relay is done twice for want of a flush."""
    room.make_durable("t1")
    done = replace(room.item, steps=(replace(WAITING, outcome=DONE),))
    room.disk.close(room.items.write(done))
    room.make_durable("t1")
    items, _ = room.after_a_cut()
    assert items.read("t1").steps == done.steps


def test_many_are_made_durable_at_once(room):
    """Above 64 of them the whole file system is flushed, once."""
    for n in range(65):
        room.items.create(replace(room.item, trace=f"x{n}"), room.item.path)
    since = len(room.disk.events)
    room.make_durable(*(f"x{n}" for n in range(65)))
    assert [event[0] for event in room.disk.events[since:]] == ["flush_filesystem"]


def test_urgency_shows_without_reading(room):
    """A start learns what is urgent and what can wait from the permissions of the files."""
    for priority, level in ((1, URGENT), (0, NORMAL), (-1, LOW)):
        room.items.create(replace(room.item, priority=priority), room.item.path)
        assert level_of_mode(os.stat(room.items.envelope_path("t1")).st_mode) == level
        room.make_durable("t1")


def test_a_small_message_that_leaves_comes_with_its_envelope(room):
    """Whoever sends it opens no file; what is large, cut short or only delivered here is read where it is wanted."""

    def content(item):
        fd = room.items.write(item)
        try:
            return room.items.read_from(fd, item.trace).content
        finally:
            os.close(fd)

    assert content(room.item) == b"octets"
    assert content(replace(room.item, head=2)) == b"tets"
    assert content(replace(room.item, size=7)) == b""
    assert content(replace(room.item, size=5)) == b""
    assert content(replace(room.item, size=100_000)) == b""
    assert content(replace(room.item, steps=(StepState(Deliver("u", "a@x")),))) == b""
    os.unlink(room.item.path)
    assert content(room.item) == b""


def test_an_item_that_left_stays_away(room):
    """Removed is removed: a power cut brings no finished item back."""
    room.make_durable("t1")
    room.items.unlink("t1")
    room.make_durable("t1")
    assert room.after_a_cut()[1] == []


def test_a_shunted_item_is_whole_where_it_went(room):
    """Both files and the note are in shunted/, none is left behind, whatever happens next; also if it was just made."""
    room.items.shunt("t1", "Traceback: for the test")
    items, left = room.after_a_cut()
    assert left == ["shunted/t1.eml", "shunted/t1.json", "shunted/t1.txt"]
    assert items.is_shunted("t1")


def test_shunting_may_be_interrupted(room):
    """Killed between any two calls, the item is whole in one place or the other, and shunting can be done again."""
    room.make_durable("t1")
    began = len(room.disk.events)
    room.items.shunt("t1", "for the test")
    for number in range(began, len(room.disk.events)):
        root = str(room.root / f"killed{number}")
        Model(room.disk.events[:number]).build(root, KILLED)
        places = Places(os.path.join(root, "spool"))
        whole = [
            place for place in (places.items, places.shunted) if {"t1.eml", "t1.json"} <= set(os.listdir(place))
        ]
        assert len(whole) == 1
        Items(places, Disk()).shunt("t1", "again")
        assert sorted(os.listdir(places.shunted)) == ["t1.eml", "t1.json", "t1.txt"] and not os.listdir(places.items)


def test_bad_mail_is_kept_for_good(room):
    """Once it is said to be kept, entry and message are there after a cut."""
    room.badmail.keep(room.item, "for the test")
    room.after_a_cut()
    (entry,) = BadMailFolder(str(room.root / "after" / "spool"), disk=Disk(), now=lambda: NOW).entries()
    assert entry.reason == "for the test" and os.path.getsize(entry.path) == 6


def test_bad_mail_sent_back_is_an_item_for_good(room):
    """The entry goes only once the item is durable."""
    room.badmail.keep(room.item, "for the test")
    room.items.unlink("t1")
    room.badmail.requeue("t1")
    items, left = room.after_a_cut()
    assert left == ["items/t1.eml", "items/t1.json"]
    assert items.read("t1").steps == ()


def test_half_of_something_may_be_an_administrators(room):
    """A start leaves alone a message that is being moved back from shunted/, its envelope to follow, and an envelope
    that is being written; what has been half of nothing for an hour goes, and what the dead were writing at once."""
    items, now = room.items, time.time()
    os.unlink(items.envelope_path("t1"))
    for trace in ("t2", "t3"):
        with open(items.envelope_path(trace).replace(".json", ".tmp"), "w") as file:
            file.write("{")
    fd = try_lock(items.envelope_path("t3").replace(".json", ".tmp"))
    folder = os.path.dirname(items.message_path("t1"))
    assert items.clean(now + 3_500) == 1
    assert sorted(os.listdir(folder)) == ["t1.eml", "t3.tmp"]
    os.close(fd)
    assert items.clean(now + 3_700) == 2
    assert os.listdir(folder) == []


def test_one_that_was_not_put_aside_after_all(room):
    """Whichever call fails, once, what was begun in shunted/ goes: it would be counted there as mail put aside."""
    shunted, failed = os.path.join(room.root, "before", "spool", "shunted"), 0
    for at in range(12):
        rest = iter(range(at))

        def fail_once(call, rest=rest, done=[]):  # noqa: B006
            if next(rest, None) is None and not done:
                done.append(call)
                raise OSError(28, "No space left on device")

        room.disk.before = fail_once
        try:
            room.items.shunt("t1", "odd")
        except OSError:
            failed += 1
        else:
            break
        finally:
            room.disk.before = lambda call: None
        if room.items.is_whole("t1"):
            assert os.listdir(shunted) == []
        else:
            os.rename(os.path.join(shunted, "t1.json"), room.items.envelope_path("t1"))
    assert failed > 4


def test_a_start_clears_what_a_crash_left_in_shunted(room):
    """Killed while it was put aside, the item is tried again; what is there for good stays, as does the only copy."""
    spool = str(room.root / "before" / "spool")
    for trace in ("t2", "t3", "t4"):
        room.items.create(replace(room.item, trace=trace), room.item.path)
    room.items.shunt("t2", "for good")
    for trace in ("t1", "t3"):
        os.link(room.items.message_path(trace), os.path.join(spool, "shunted", f"{trace}.eml"))
    for trace in ("t1", "t4"):
        with open(os.path.join(spool, "shunted", f"{trace}.txt"), "w") as file:
            file.write("odd")
    os.unlink(room.items.message_path("t3"))
    assert room.items.clean(time.time()) == 3
    assert sorted(os.listdir(os.path.join(spool, "shunted"))) == ["t2.eml", "t2.json", "t2.txt", "t3.eml"]
