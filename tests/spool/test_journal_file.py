"""The commit journal's files: frames, torn tails, segments, and who is alive."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.power.recording import RecordingDisk
from unitymail.disk import Disk
from unitymail.spool.claim import unlock
from unitymail.spool.journal_file import CommitJournal, Committed, find_dead, frame, read_frames

payloads = st.lists(st.binary(max_size=60), max_size=6)


@given(payloads)
def test_frames_come_back(some):
    """What was framed is read, in order."""
    assert list(read_frames(b"".join(map(frame, some)))) == some


@given(payloads, st.data())
def test_a_torn_tail_hides_nothing_before_it(some, data):
    """Cut anywhere, the whole records before the cut are read and nothing else."""
    octets = b"".join(map(frame, some))
    cut = data.draw(st.integers(0, len(octets)))
    found = list(read_frames(octets[:cut]))
    assert found == some[: len(found)]
    whole = [len(b"".join(map(frame, some[:n]))) for n in range(len(some) + 1)]
    assert len(found) == sum(end <= cut for end in whole) - 1


@given(payloads, st.data())
def test_a_flipped_bit_is_noticed(some, data):
    """Reading stops at a damaged record; those before it are right."""
    octets = bytearray(b"".join(map(frame, some)) or b"x")
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] ^= 1 << data.draw(st.integers(0, 7))
    for found, expected in zip(read_frames(bytes(octets)), some, strict=False):
        assert found == expected or octets[at] in b"0123456789abcdefABCDEF \n"


@given(st.binary(max_size=100))
def test_garbage_is_no_record(octets):
    """Nothing is read from noise, and nothing crashes."""
    list(read_frames(octets))


def record(payload):
    return Committed(None, payload)


def octets_of(path):
    with open(path, "rb") as file:
        return file.read()


@pytest.fixture
def journal(tmp_path):
    journal = CommitJournal(str(tmp_path), "1-a", Disk())
    yield journal
    journal.close()


def test_a_batch_is_one_flush(tmp_path):
    """However many records, the segment is written and flushed once."""
    disk = RecordingDisk(tmp_path)
    journal = CommitJournal(str(tmp_path), "1-a", disk)
    segment = journal.append([record(b"one"), record(b"two")])
    journal.append([record(b"three"), record(b"four"), record(b"five")])
    assert [event[0] for event in disk.events] == [
        "create", "create", "flush_directory", "write", "flush", "write", "flush",
    ]
    assert list(read_frames(octets_of(segment.path))) == [b"one", b"two", b"three", b"four", b"five"]
    assert journal.unretired() == 5
    journal.close()


def test_most_appends_change_nothing_but_octets(journal):
    """A segment is made longer by whole steps, and the zeros behind its records are no records."""
    segment = journal.append([record(b"one")])
    length = os.path.getsize(segment.path)
    journal.append([record(b"two")])
    assert os.path.getsize(segment.path) == length == 64 * 1024
    assert list(read_frames(octets_of(segment.path))) == [b"one", b"two"]
    journal.append([record(b"x" * 100_000)])
    journal.append([record(b"four")])
    assert os.path.getsize(segment.path) == 128 * 1024
    assert list(read_frames(octets_of(segment.path))) == [b"one", b"two", b"x" * 100_000, b"four"]


def test_segments_leave_when_they_are_retired(journal):
    """After a rotation the old segment can be removed while the new one takes records."""
    old = journal.append([record(b"old")])
    assert journal.rotate() == [old]
    new = journal.append([record(b"new")])
    journal.remove([old])
    assert not os.path.exists(old.path)
    assert os.path.exists(new.path)
    assert journal.unretired() == 1


def test_a_failed_append_leaves_nothing(tmp_path):
    """When the flush fails the records do not count, and the next batch begins a new segment."""
    fail = []

    def before(call):
        if call == "flush" and fail:
            fail.clear()
            raise OSError(5, "Input/output error")

    journal = CommitJournal(str(tmp_path), "1-a", RecordingDisk(tmp_path, before))
    first = journal.append([record(b"good")])
    fail.append(True)
    with pytest.raises(OSError, match="output error"):
        journal.append([record(b"bad")])
    second = journal.append([record(b"better")])
    assert list(read_frames(octets_of(first.path))) == [b"good"]
    assert list(read_frames(octets_of(second.path))) == [b"better"]
    journal.close()


def test_the_living_and_the_dead(tmp_path):
    """A journal whose process lives is nobody else's; one whose lock is free is found, segments in order."""
    alive = CommitJournal(str(tmp_path), "1-a", Disk())
    dead = CommitJournal(str(tmp_path), "2-b", Disk())
    for n in range(11):
        dead.append([record(b"%d" % n)])
        dead.rotate()
    os.close(dead._life)
    found, living = find_dead(str(tmp_path))
    assert living == {"1-a"}
    ((owner, paths, lock),) = [(r.owner, r.segments, r.lock) for r in found]
    assert owner == "2-b"
    assert [list(read_frames(octets_of(path))) for path in paths[:11]] == [[b"%d" % n] for n in range(11)]
    assert find_dead(str(tmp_path))[0] == []
    unlock(lock)
    alive.close()


@pytest.mark.parametrize("broken", ["flush", "write_at", "flush_directory"])
def test_a_disk_in_trouble_for_long_leaves_no_heap_of_segments(tmp_path, broken):
    """Each batch that is refused begins a new segment; those with nothing in them go."""
    failing = set()

    def before(call):
        if call in failing:
            raise OSError(5, "Input/output error")

    journal = CommitJournal(str(tmp_path), "9-x", RecordingDisk(tmp_path, before))
    journal.append([record(b"first")])
    failing.add(broken)
    for _ in range(20):
        if broken == "flush_directory":
            journal.rotate()
        with pytest.raises(OSError):
            journal.append([record(b"refused")])
    failing.clear()
    journal.append([record(b"last")])
    assert len(list(tmp_path.iterdir())) == 3
    found = [read_frames(octets_of(path)) for path in sorted(tmp_path.iterdir()) if path.suffix != ".lock"]
    assert [payload for frames in found for payload in frames] == [b"first", b"last"]
