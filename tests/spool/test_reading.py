"""Reading what the system has in memory, and never waiting for more."""

import ctypes
import os

import pytest

from unitymail.spool import reading
from unitymail.spool.reading import FROM_DISK, FromMemory

AT_HAND = FromMemory()


@pytest.fixture
def path(tmp_path):
    """A file of three pages that was written just now."""
    place = tmp_path / "file"
    place.write_bytes(bytes(range(256)) * 48)
    return str(place)


def opened(reader, path, count, offset=0):
    fd = reader.open(path)
    try:
        return reader.read(fd, count, offset)
    finally:
        os.close(fd)


@pytest.mark.parametrize(
    "count, offset", [(10, 0), (4096, 100), (12_288, 0), (20_000, 0), (20_000, 12_000), (5, 12_288)]
)
def test_both_ways_read_the_same(path, count, offset):
    """What was written a moment ago is at hand, up to the end of the file."""
    found = opened(AT_HAND, path, count, offset)
    assert found == opened(FROM_DISK, path, count, offset) == (bytes(range(256)) * 48)[offset : offset + count]


def test_what_was_read_before_stays(path):
    """The room that is used again and again is not what a reader is given."""
    first = opened(AT_HAND, path, 4, 0)
    opened(AT_HAND, path, 4, 8)
    assert first == bytes(range(4))


def test_what_is_not_at_hand(path):
    """Octets that were dropped from memory are not waited for: the reader is told to go elsewhere."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    with pytest.raises(BlockingIOError):
        opened(AT_HAND, path, 20_000)
    os.pread(fd, 1, 0)
    os.posix_fadvise(fd, 4096, 0, os.POSIX_FADV_DONTNEED)
    with pytest.raises(BlockingIOError):
        opened(AT_HAND, path, 20_000)
    assert len(opened(FROM_DISK, path, 20_000)) == 12_288
    assert len(opened(AT_HAND, path, 20_000)) == 12_288
    os.close(fd)


def test_more_than_a_turn_should_take(path):
    """Long files are for readers who have time."""
    with pytest.raises(BlockingIOError):
        opened(AT_HAND, path, 10**6)


def test_a_name_that_memory_does_not_know(tmp_path):
    """Whether it is there only the disk could say."""
    with pytest.raises(BlockingIOError):
        AT_HAND.open(str(tmp_path / "none"))


def test_a_system_that_has_no_such_call(path, monkeypatch):
    """An older Linux, or a container that forbids it, has nothing at hand; a thread reads it then."""

    def unknown(*args):
        ctypes.set_errno(38)
        return -1

    monkeypatch.setattr(reading, "_syscall", unknown)
    with pytest.raises(BlockingIOError):
        AT_HAND.open(path)


def test_a_file_system_that_always_waits(path, monkeypatch):
    """Where reading cannot be asked not to wait, it is left alone."""

    def refused(*args):
        raise OSError(95, "Operation not supported")

    fd = AT_HAND.open(path)
    monkeypatch.setattr(os, "preadv", refused)
    with pytest.raises(BlockingIOError):
        AT_HAND.read(fd, 10, 0)
    os.close(fd)


def test_descriptors_end_with_their_process(path):
    """No child inherits them."""
    fd = AT_HAND.open(path)
    assert not os.get_inheritable(fd)
    os.close(fd)
