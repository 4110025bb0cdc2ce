"""What waits on the disk of a node, counted by looking."""

import os

from unitymail.mail.trace import moment_of, new_trace
from unitymail.settings.node import NodeSettings
from unitymail.standing import look

NOW = 1_800_000_000.0


def put(folder, room, *names):
    where = folder / "spool" / room
    where.mkdir(parents=True, exist_ok=True)
    for name in names:
        (where / name).write_bytes(b"")


def test_an_empty_node(tmp_path):
    """Folders that are not there yet hold nothing, and nothing is known of their disk."""
    found = look(NodeSettings(str(tmp_path)), NOW)
    assert (found.queue, found.oldest_s, found.shunted, found.bad_mail, found.free) == (0, 0.0, 0, 0, {})


def test_what_waits(tmp_path):
    """Messages are counted, not their envelopes nor what is being written; the oldest gives its age."""
    old, young = new_trace(NOW - 3_600, b"x" * 8), new_trace(NOW - 5, b"y" * 8)
    put(tmp_path, "items", f"{young}.eml", f"{young}.toml", f"{old}-r1.eml", f"{old}-r1.toml", "new.tmp")
    put(tmp_path, "shunted", "a.eml", "a.toml", "a.why")
    put(tmp_path, "badmail", "b.eml", "c.eml")
    (tmp_path / "accounts").mkdir()
    found = look(NodeSettings(str(tmp_path)), NOW)
    assert (found.queue, round(found.oldest_s), found.shunted, found.bad_mail) == (2, 3_600, 1, 2)
    disk = os.statvfs(tmp_path)
    assert abs(found.free["accounts"] - disk.f_bavail * disk.f_frsize) < 10**9
    assert set(found.free) == {"accounts", "spool"}


def test_names_that_tell_no_moment(tmp_path):
    """An item of another name counts, and its age is not guessed."""
    put(tmp_path, "items", "0123.eml", "Zzzzzzzzzzzzzzzzzzzz.eml")
    found = look(NodeSettings(str(tmp_path)), NOW)
    assert (found.queue, found.oldest_s) == (2, 0.0)


def test_a_clock_that_was_put_back(tmp_path):
    """A message of the future is of no age."""
    put(tmp_path, "items", f"{new_trace(NOW + 60, b'x' * 8)}.eml")
    assert look(NodeSettings(str(tmp_path)), NOW).oldest_s == 0.0


def test_the_moment_in_a_trace():
    """To the microsecond, for derived ones too; what is none has none."""
    trace = new_trace(NOW + 0.25, b"12345678")
    assert moment_of(trace) == NOW + 0.25
    assert moment_of(trace + "-r1") == NOW + 0.25
    for other in ("", "abc", "A" * 20, "é" * 20, "0123456789-123456789"):
        assert moment_of(other) is None
