"""The commit journal of one process: framed records in segments, one flush for a batch of them.

Knows frames, segments and whose they are; refuses to know what a record means. A record is `LENGTH CRC` in hex, a
line end, the payload, a line end: a person can read it, and a torn tail shows.

Note *Never behind a flaw*. Reading stops at the first flawed frame. So after any failure a segment takes no more
records: the failed ones are cut off, and the next batch begins a new segment. Only the segment that takes records
has an open descriptor, however many wait for a mailbox in trouble.

Note *Room*. A segment grows by whole steps, filled with zeros, which are no frame. An append within its room changes
nothing but octets, so that its flush is one write to the disk and not one to the file system's own journal as well.
"""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.spool import Item
from unitymail.spool.claim import lock_descriptor, try_lock
from unitymail.spool.notes import Note
from unitymail.spool.places import unlink_if_there

_HEADER = 18
_STEP = 64 * 1024


def frame(payload: bytes) -> bytes:
    return b"%08x %08x\n%b\n" % (len(payload), zlib.crc32(payload), payload)


def read_frames(octets: bytes) -> Iterator[bytes]:
    """The payloads up to the first flaw."""
    at = 0
    while True:
        header = octets[at : at + _HEADER]
        try:
            length, crc = int(header[:8], 16), int(header[9:17], 16)
        except ValueError:
            return
        payload = octets[at + _HEADER : at + _HEADER + length]
        at += _HEADER + length + 1
        if len(header) < _HEADER or at > len(octets) or zlib.crc32(payload) != crc:
            return
        yield payload


@dataclass(slots=True, eq=False)
class Committed:
    """A message with a durable record. `linked` once its links are made and what is left is an item.

    `item` has all steps and the intake file as its path. `waits` is what became an item, None when nothing did;
    `stuck` says that it could not be made yet. `retired`: nothing can bring it back.
    """

    item: Item
    payload: bytes
    linked: bool = False
    waits: Item | None = None
    stuck: bool = False
    retired: bool = False


@dataclass(slots=True, eq=False)
class Noted:
    """A note about an item. `applied` once the files of the item say the same, `settled` once they do so durably.

    `leaving`: the item is finished, and somebody is about to remove its files.
    """

    note: Note
    payload: bytes
    leaving: bool = False
    applied: bool = False
    settled: bool = False


@dataclass(slots=True, eq=False)
class Segment:
    path: str
    fd: int
    size: int = 0
    room: int = 0
    committed: list[Committed] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)


class CommitJournal:
    """Any thread; `append` is for one committer at a time. `owner` names this process in file names."""

    def __init__(self, directory: str, owner: str, disk: IDisk) -> None:
        self._directory = directory
        self._disk = disk
        self.owner = owner
        self._lock = threading.Lock()
        self._current: Segment | None = None
        self._sealed: list[Segment] = []
        self._number = 0
        self._life = self._begin_life()

    def append(self, batch: Sequence[Committed | Noted]) -> Segment:
        """One record each, one flush for all. Whatever it raises, OSError as a rule, none of them counts."""
        octets = b"".join(frame(one.payload) for one in batch)
        with self._lock:
            segment = self._current or self._new_segment()
            self._current = segment
            try:
                self._write(segment, octets)
                self._disk.flush(segment.fd)
            except BaseException:
                self._cut(segment)
                raise
            segment.size += len(octets)
            segment.committed.extend(one for one in batch if isinstance(one, Committed))
            segment.noted.extend(one for one in batch if isinstance(one, Noted))
            return segment

    def _write(self, segment: Segment, octets: bytes) -> None:
        end = segment.size + len(octets)
        if end > segment.room:
            segment.room = -(-end // _STEP) * _STEP
            octets += bytes(segment.room - end)
        self._disk.write_at(segment.fd, octets, segment.size)

    def rotate(self) -> list[Segment]:
        """Let the next records begin a new segment; all segments that take no more, oldest first."""
        with self._lock:
            if self._current is not None and self._current.size:
                self._seal(self._current)
                with suppress(OSError):
                    self._current = self._new_segment()
            return list(self._sealed)

    def remove(self, segments: Sequence[Segment]) -> None:
        """Forget segments of which everything is retired. Not durable: one that comes back says nothing new."""
        for segment in segments:
            unlink_if_there(self._disk, segment.path)
        with self._lock:
            self._sealed = [segment for segment in self._sealed if segment not in segments]

    def unretired(self) -> int:
        """How many records and notes wait for their retirement, about: who asks must not wait for a flush."""
        return sum(len(segment.committed) + len(segment.noted) for segment in self._segments())

    def octets(self) -> int:
        """How long all segments are, about: what a recovery would have to read."""
        return sum(segment.size for segment in self._segments())

    def _segments(self) -> list[Segment]:
        current = self._current
        return [*self._sealed, *([current] if current is not None else [])]

    def close(self) -> None:
        """End this life. A segment that still holds records stays, for the next start to recover."""
        with self._lock:
            if self._current is not None:
                self._seal(self._current)
            for segment in self._sealed:
                if not segment.size:
                    unlink_if_there(self._disk, segment.path)
            self._sealed = []
            unlink_if_there(self._disk, self._life_path())
            self._disk.close(self._life)

    def _new_segment(self) -> Segment:
        self._number += 1
        path = os.path.join(self._directory, f"{self.owner}.{self._number}")
        segment = Segment(path, self._disk.create(path))
        try:
            self._disk.flush_directory(self._directory)
        except OSError:
            self._disk.close(segment.fd)
            with suppress(OSError):
                unlink_if_there(self._disk, path)
            raise
        return segment

    def _cut(self, segment: Segment) -> None:
        # What cannot be cut off is harmless: the intake files of these records are removed, too.
        with suppress(OSError):
            self._disk.truncate(segment.fd, segment.size)
            self._disk.flush(segment.fd)
        self._seal(segment)
        if not segment.size:
            with suppress(OSError):
                unlink_if_there(self._disk, segment.path)
                self._sealed.remove(segment)

    def _seal(self, segment: Segment) -> None:
        """It takes no more records."""
        self._current = None
        self._sealed.append(segment)
        self._disk.close(segment.fd)

    def _life_path(self) -> str:
        return os.path.join(self._directory, f"{self.owner}.lock")

    def _begin_life(self) -> int:
        while True:
            fd = self._disk.append_to(self._life_path())
            if lock_descriptor(fd) and os.path.exists(self._life_path()):
                return fd
            self._disk.close(fd)


@dataclass(frozen=True, slots=True)
class Remains:
    """What a dead process left: its segments' paths in order. `lock` is held by the one who recovers it."""

    owner: str
    segments: tuple[str, ...]
    lock: int | None


def find_dead(
    directory: str, wanted: Callable[[str], bool] = lambda owner: True
) -> tuple[list[Remains], set[str]]:
    """(the remains of dead owners, now locked by us; the owners that live). Of those only that are `wanted`."""
    segments: dict[str, list[tuple[int, str]]] = {}
    for name in os.listdir(directory):
        owner, _, ending = name.rpartition(".")
        if not wanted(owner):
            continue
        found = segments.setdefault(owner, [])
        if ending.isdigit():
            found.append((int(ending), os.path.join(directory, name)))
    dead, living = [], set()
    for owner, found in sorted(segments.items()):
        try:
            lock = try_lock(os.path.join(directory, f"{owner}.lock"))
        except FileNotFoundError:
            lock = None
        else:
            if lock is None:
                living.add(owner)
                continue
        dead.append(Remains(owner, tuple(path for _, path in sorted(found)), lock))
    return dead, living


def has_remains(directory: str, owner: str) -> bool:
    """Whether there is anything of a process: it lives, or its records may still be replayed. Once not, never again."""
    return any(name.startswith(f"{owner}.") for name in os.listdir(directory))
