"""Locks on files that others may replace."""

import fcntl
import os

import pytest

from unitymail.spool import claim
from unitymail.spool.claim import Patience, is_locked, lock_descriptor, try_lock, unlock


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


def test_who_looks_is_in_nobodys_way(tmp_path):
    """Whether a file is locked can be asked without keeping it from anybody; who asks is not taken for a holder."""
    path = tmp_path / "x"
    path.write_text("")
    with open(path) as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert not is_locked(str(path))
    first = try_lock(str(path))
    assert is_locked(str(path))
    unlock(first)
    assert not is_locked(str(path))
    unlock(try_lock(str(path)))
    with pytest.raises(FileNotFoundError):
        is_locked(str(tmp_path / "none"))


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


class Told:
    """Hears of trouble; `then` is called each time."""

    def __init__(self, then=lambda: None):
        self.words = []
        self.then = then

    def __call__(self, what, error):
        self.words.append(f"{what}: {error}")
        self.then()


def a_locked_file(path):
    path.write_text("old")
    return try_lock(str(path))


def test_who_waits_says_so_and_has_the_lock_of_the_file_there_is(tmp_path):
    """What was locked is replaced meanwhile: the file that has its name now is locked, once its holder lets go."""
    path, new = tmp_path / "x", tmp_path / "new"
    old = a_locked_file(path)

    def replaced():
        new.write_text("new")
        new.rename(path)

    told = Told(replaced)
    fd = Patience(told).lock(str(path))
    assert os.pread(fd, 10, 0) == b"new"
    assert told.words == [
        f"waiting for at most 10 s: {path} is locked by another process, perhaps one that is stopped"
    ]
    unlock(fd)
    unlock(old)


def test_patience_ends(tmp_path):
    """Locks that nobody gives back hold up nobody for longer than that, however many they are; it is said once."""
    locks = [a_locked_file(tmp_path / name) for name in "abc"]
    told = Told()
    patience = Patience(told, seconds=0.05)
    assert [patience.lock(str(tmp_path / name)) for name in "abc"] == [None, None, None]
    assert len(told.words) == 1
    for lock in locks:
        unlock(lock)


def test_no_patience_is_needed(tmp_path):
    """What is free is locked without a word; what is not there is an error of its own."""
    path, told = tmp_path / "x", Told()
    unlock(a_locked_file(path))
    unlock(Patience(told).lock(str(path)))
    with pytest.raises(FileNotFoundError):
        Patience(told).lock(str(tmp_path / "none"))
    assert told.words == []
