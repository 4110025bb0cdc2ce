"""Locks on files that others may replace."""

import os

import pytest

from unitymail.spool import claim
from unitymail.spool.claim import lock_descriptor, try_lock, unlock, wait_for_lock
from unitymail.spool.reading import FromDisk


def test_one_holder(tmp_path):
    """A second lock waits for nobody: it is refused until the first is given back."""
    path = tmp_path / "x"
    path.write_text("")
    first = try_lock(str(path))
    assert try_lock(str(path)) is None
    unlock(first)
    second = try_lock(str(path))
    assert second is not None
    unlock(second)


def test_a_replaced_file_is_locked_anew(tmp_path):
    """The lock on a file that lost its name is worth nothing; the new file's holder counts."""
    path, new = tmp_path / "x", tmp_path / "new"
    path.write_text("old")
    old = try_lock(str(path))
    new.write_text("new")
    fd = os.open(new, os.O_RDONLY)
    assert lock_descriptor(fd)
    os.rename(new, path)
    unlock(old)
    assert try_lock(str(path)) is None
    os.close(fd)


def test_a_file_replaced_between_opening_and_locking(tmp_path, monkeypatch):
    """Whoever opened the old file just before it was replaced, and released, does not hold the new one's lock."""
    path, new = tmp_path / "x", tmp_path / "new"
    path.write_text("old")

    def replaced_first(fd):
        if not new.exists():
            new.write_text("new")
            path.unlink()
            os.link(new, path)
        return lock_descriptor(fd)

    monkeypatch.setattr(claim, "lock_descriptor", replaced_first)
    fd = try_lock(str(path))
    assert os.path.samestat(os.fstat(fd), os.stat(path))
    unlock(fd)


def test_nothing_to_lock(tmp_path):
    """A file that is not there is an error of its own."""
    with pytest.raises(FileNotFoundError):
        try_lock(str(tmp_path / "none"))


def test_who_waited_for_a_lock_has_that_of_the_file_there_is(tmp_path, monkeypatch):
    """What was opened has lost its name by the time it is locked: the file that has it now is locked."""
    path = tmp_path / "x"
    path.write_text("old")

    class Late(FromDisk):
        def open(self, name):
            fd = super().open(name)
            if path.read_text() == "old":
                (tmp_path / "new").write_text("new")
                (tmp_path / "new").rename(path)
            return fd

    monkeypatch.setattr(claim, "FROM_DISK", Late())
    fd = wait_for_lock(str(path))
    assert os.pread(fd, 10, 0) == b"new"
    unlock(fd)
