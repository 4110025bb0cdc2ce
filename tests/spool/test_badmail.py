"""Bad mail: kept, listed, shown, sent back, deleted."""

import os
import time
import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from tests.spool.room import NOW, files_under
from unitymail.disk import Disk
from unitymail.interfaces.spool import Busy, IBadMail, Item, NoSuchBadMail
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.spool.badmail import BadMailFolder, read_entry, write_entry
from unitymail.spool.claim import try_lock, unlock
from unitymail.spool.items import Items
from unitymail.spool.nudges import Nudge, Nudges
from unitymail.spool.places import Places

ENVELOPE = Envelope(
    "x@elsewhere.example", (Recipient("robin@vm1.example.com", frozenset({"NEVER"}), "rfc822;r"), Recipient("b@x")),
    smtputf8=True, ret="HDRS", envid="e1", priority=-4,
)


def an_item(path, trace="t1"):
    return Item(
        trace, str(path), NOW - 9, ENVELOPE, "email", "private", True, 'Say "hi"\n', "<1@x>", "u-chris", 22, 5, (),
        name=f"1.{trace}.host,S=22", silent=True, malformed=True, priority=-4,
    )


@pytest.fixture
def folder(tmp_path):
    times = iter(range(1, 99))
    return BadMailFolder(str(tmp_path), disk=Disk(), now=lambda: NOW + next(times))


@pytest.fixture
def message(tmp_path):
    path = tmp_path / "message"
    path.write_bytes(b"A: b\r\n\r\nHello.\r\n")
    return path


def test_kept_and_shown(folder, message):
    """The message is one more name of its file; the note says why, and all about it; twice is once."""
    verifyObject(IBadMail, folder)
    item = an_item(message)
    folder.keep(item, "the sender is unknown")
    folder.keep(item, "the sender is unknown")
    (entry,) = folder.entries()
    assert (entry.id, entry.reason, entry.kept) == ("t1", "the sender is unknown", NOW + 2)
    assert entry.item == replace(item, path=entry.path)
    assert os.path.samefile(entry.path, message)
    assert folder.entry("t1") == entry


def test_a_person_can_read_the_note(folder, message, tmp_path):
    """It is TOML: the reason first."""
    folder.keep(an_item(message), "nobody knows the sender")
    with open(tmp_path / "badmail" / "t1.toml", "rb") as file:
        octets = file.read()
    assert octets.startswith(b'reason = "nobody knows the sender"\n')
    assert tomllib.loads(octets.decode())["recipients"][0]["address"] == "robin@vm1.example.com"


def test_an_entry_of_an_earlier_version(folder, message, tmp_path):
    """It does not say whether the message is malformed; all else of it is read."""
    folder.keep(an_item(message), "nobody knows the sender")
    note = tmp_path / "badmail" / "t1.toml"
    note.write_text(note.read_text().replace("malformed = true\n", ""))
    assert folder.entry("t1").item == replace(an_item(folder.entry("t1").path), malformed=False)


def test_oldest_first(folder, message):
    """The list is in the order in which they came."""
    for trace in ("t3", "t1", "t2"):
        folder.keep(an_item(message, trace), "r")
    assert [entry.id for entry in folder.entries()] == ["t3", "t1", "t2"]


def test_sent_back(folder, message, tmp_path):
    """Requeued mail is an item that nobody has decided on, and no longer bad mail."""
    folder.keep(an_item(message), "r")
    folder.requeue("t1")
    assert folder.entries() == []
    item = Items(Places(str(tmp_path)), Disk()).read("t1")
    assert (item.steps, item.envelope, item.name, item.priority) == ((), ENVELOPE, "1.t1.host,S=22", -4)
    assert os.path.samefile(item.path, message)


@pytest.mark.parametrize("young", [False, True])
def test_its_item_has_not_left_yet(folder, message, tmp_path, young):
    """While it waits for others, or its files are about to go, nothing takes their names: they would go with them."""
    items, item = Items(Places(str(tmp_path)), Disk()), an_item(message)
    there = items.adopt(item, item.path) if young else items.create(item, item.path)
    folder.keep(there, "r")
    before = files_under(tmp_path)
    with pytest.raises(Busy, match="t1 has not left the queue yet; try again"):
        folder.requeue("t1")
    assert files_under(tmp_path) == before
    items.unlink("t1")
    folder.requeue("t1")
    assert items.read("t1").steps == ()
    assert os.path.samefile(items.message_path("t1"), message)


def test_who_sent_it_back_is_told(message, tmp_path):
    """The running node hears who did it, for the story of the message."""
    folder = BadMailFolder(str(tmp_path), disk=Disk(), now=lambda: NOW, who="root")
    folder.keep(an_item(message), "r")
    folder.requeue("t1")
    (nudge,) = Nudges(Places(str(tmp_path)).nudges, Disk()).take()
    assert nudge == Nudge("root", "requeue from bad mail", ("t1",))


def test_deleted(folder, message, tmp_path):
    """Deleted mail is gone from the disk."""
    folder.keep(an_item(message), "r")
    folder.delete("t1")
    assert files_under(tmp_path / "badmail") == []


@pytest.mark.parametrize("id", ["t9", "", "../items/t1", "a/b"])
def test_no_such(folder, id):
    """What is not there, or cannot be an id, is refused by name."""
    for act in (folder.entry, folder.requeue, folder.delete):
        with pytest.raises(NoSuchBadMail):
            act(id)


def test_a_note_that_makes_no_sense_hides_no_other(folder, message, tmp_path):
    """Half a note is left out of the list; the others are shown."""
    folder.keep(an_item(message), "r")
    (tmp_path / "badmail" / "t2.toml").write_text("reason = ")
    assert [entry.id for entry in folder.entries()] == ["t1"]


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_any_words_come_back(reason, subject):
    """Whatever a peer wrote, the note stays TOML and says the same."""
    item = replace(an_item("/m"), subject=subject)
    entry = read_entry(tomllib.loads(write_entry(item, reason, 1.0).decode()), "t1", "/m")
    assert (entry.reason, entry.item) == (reason, item)


class Killed(BaseException):
    """The process ends here."""


class KilledBefore(Disk):
    """Ends the process at call number `at` of those that change names or files."""

    def __init__(self, at):
        self.left = at

    def _count(self):
        self.left -= 1
        if self.left < 0:
            raise Killed

    def create(self, path, mode=0o600):
        self._count()
        return super().create(path, mode)

    def write(self, fd, data):
        self._count()
        super().write(fd, data)

    def flush_directory(self, path):
        self._count()
        super().flush_directory(path)

    def link(self, source, target):
        self._count()
        super().link(source, target)

    def rename(self, source, target):
        self._count()
        super().rename(source, target)

    def unlink(self, path):
        self._count()
        super().unlink(path)


@pytest.mark.parametrize("start", [False, True], ids=["again", "after-a-start"])
def test_sending_back_may_be_interrupted(tmp_path, start):
    """Killed anywhere, by the next try at once, or with the start of a node between, it is in the queue once."""
    interrupted = 0
    for at in range(12):
        root = tmp_path / str(at)
        root.mkdir()
        folder, items = BadMailFolder(str(root), disk=Disk(), now=lambda: NOW), Items(Places(str(root)), Disk())
        (root / "message").write_bytes(b"A: b\r\n\r\nHello.\r\n")
        folder.keep(replace(an_item(root / "message"), size=16), "r")
        (root / "message").unlink()
        try:
            BadMailFolder(str(root), disk=KilledBefore(at), now=lambda: NOW).requeue("t1")
        except Killed:
            interrupted += 1
        if start:
            items.clean(time.time())
        if not items.is_whole("t1"):
            if start:
                assert files_under(root / "items") == []
            folder.requeue("t1")
        assert items.is_whole("t1")
        assert files_under(root / "items") == ["t1.eml", "t1.json"]
    assert interrupted >= 7


def test_one_at_a_time(folder, message, tmp_path):
    """While another command works on an entry, nobody else does; when it ends, however it does, the next one may."""
    folder.keep(an_item(message), "r")
    lock = try_lock(str(tmp_path / "badmail" / "t1.toml"))
    for act in (folder.requeue, folder.delete):
        with pytest.raises(Busy, match="another is working on the bad mail t1"):
            act("t1")
    unlock(lock)
    folder.requeue("t1")
    assert folder.entries() == []


def test_an_item_that_is_being_written_is_nobody_elses(folder, message, tmp_path):
    """The file of a node that has only begun to write an item's envelope is not taken for ours."""
    items, item = Items(Places(str(tmp_path)), Disk()), replace(an_item(message), intake="t1.9")
    young = items.adopt(item, item.path)
    folder.keep(young, "r")
    fd = items.begin(young, flushed=False)
    os.close(fd)
    with pytest.raises(Busy, match="t1 has not left the queue yet"):
        folder.requeue("t1")
    assert files_under(tmp_path / "items") == ["t1.eml", "t1.tmp"]
