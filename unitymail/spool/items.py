"""The files of waiting items: TRACE.eml, one more name of the message, and TRACE.json, its readable envelope.

Knows in which order they must be written and removed; refuses to know when an item is due or who works on it.

Note *What a start may not read*. A start with 100,000 items opens none of them. The envelope file's modification
time is when to look at the item next; its owner's permissions say whether it is urgent (may execute) or low (may not
write). These are hints: a claim reads the file. An envelope file is always replaced by rename, never changed.

Note *The envelope may come later*. While the commit record of an item is not retired, its envelope file may be missing,
or older than what the commit journal notes of it (`in_hand`, `notes`). A message file alone is no item to anybody else.

Note *Alone*. It may be half of something all the same: a message that an administrator is moving back from shunted/,
or sending back in from bad mail. One that is nobody's any more is removed only when it has been so for a while.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.spool import Item, StepState
from unitymail.routing.steps import HandOver, RelayToSmartHost, RelayToUser
from unitymail.spool.claim import lock_descriptor, try_lock, unlock
from unitymail.spool.form import Unreadable, read_form, write_form
from unitymail.spool.index import LOW, NORMAL, URGENT, level_of
from unitymail.spool.places import Places, traces_in, unlink_if_there
from unitymail.spool.reading import FROM_DISK, Reading

MODES = {URGENT: 0o700, NORMAL: 0o600, LOW: 0o400}
FLUSHED_ONE_BY_ONE = 64
_USUAL = 8_192
"""Octets that are read at once; most envelopes are shorter."""
ALONE_S = 3_600.0
NEVER = 7_258_118_400.0
"""When a held item falls due: the year 2200."""


SMALL = 16_384
SENT_AS_IT_IS = (RelayToSmartHost, RelayToUser, HandOver)


def wakes_at(item: Item) -> float:
    """When somebody should look at the item: the earliest time of a step without outcome; at once when all have one."""
    if item.held:
        return NEVER
    return min((state.next_at for state in item.steps if state.outcome is None), default=0.0) or item.arrived


def level_of_mode(mode: int) -> int:
    """The level that the permissions of an envelope file stand for."""
    return URGENT if mode & 0o100 else NORMAL if mode & 0o200 else LOW


class Items:
    def __init__(self, places: Places, disk: IDisk) -> None:
        self._places = places
        self._disk = disk

    def message_path(self, trace: str) -> str:
        return f"{self._places.items}/{trace}.eml"

    def envelope_path(self, trace: str) -> str:
        return f"{self._places.items}/{trace}.json"

    def create(self, item: Item, source: str) -> Item:
        """Make the item of the message at `source`; not durable yet. The item with its own path."""
        item = self.adopt(item, source)
        self._disk.close(self.write(item))
        return item

    def adopt(self, item: Item, source: str) -> Item:
        """Only its message file: the envelope is still to come. The item with its own path, nobody has had it."""
        item = replace(item, path=self.message_path(item.trace), fresh=True)
        with suppress(FileExistsError):
            self._disk.link(source, item.path)
        return item

    def make_durable(self, traces: Collection[str]) -> None:
        """Return once these items, as far as they are there, would survive a power cut, and those that are gone not."""
        there = [trace for trace in traces if os.path.exists(self.envelope_path(trace))]
        if len(there) > FLUSHED_ONE_BY_ONE:
            self._disk.flush_filesystem(self._places.items)
            return
        for trace in there:
            with suppress(FileNotFoundError):
                fd = os.open(self.envelope_path(trace), os.O_RDONLY | os.O_CLOEXEC)
                try:
                    self._disk.flush(fd)
                finally:
                    os.close(fd)
        if traces:
            self._disk.flush_directory(self._places.items)

    def write(self, item: Item) -> int:
        """Write or replace the envelope file, not durably; a descriptor that holds the lock on the new one."""
        temporary = os.path.join(self._places.items, f"{item.trace}.tmp")
        unlink_if_there(self._disk, temporary)
        fd = self._disk.create(temporary, MODES[level_of(item.priority)])
        try:
            lock_descriptor(fd)
            self._disk.write(fd, write_form(item))
            self._disk.set_times(temporary, wakes_at(item))
            self._disk.rename(temporary, self.envelope_path(item.trace))
        except OSError:
            self._disk.close(fd)
            with suppress(OSError):
                unlink_if_there(self._disk, temporary)
            raise
        return fd

    def read(self, trace: str) -> Item:
        """Raises Unreadable, FileNotFoundError."""
        fd = FROM_DISK.open(self.envelope_path(trace))
        try:
            return read_form(_octets_of(fd, FROM_DISK), self.message_path(trace))
        finally:
            os.close(fd)

    def read_from(self, fd: int, trace: str, reading: Reading = FROM_DISK) -> Item:
        """The item whose envelope file is open, with its content when somebody is about to send it as it is.

        Raises Unreadable, OSError; BlockingIOError where not all is at hand.
        """
        path = self.message_path(trace)
        return read_form(_octets_of(fd, reading), path, partial(_content_of, path, reading))

    def is_shunted(self, trace: str) -> bool:
        return os.path.exists(os.path.join(self._places.shunted, f"{trace}.json"))

    def is_whole(self, trace: str) -> bool:
        """Whether both files are there as they should be."""
        try:
            item = self.read(trace)
            return os.path.getsize(item.path) == item.size
        except (OSError, Unreadable):
            return False

    def may_come_back(self, item: Item) -> bool:
        """Whether the item's commit record may still be replayed after a crash."""
        return bool(item.intake) and os.path.exists(os.path.join(self._places.intake, item.intake))

    def unlink(self, trace: str, *, envelope: bool = True) -> None:
        """The envelope, if there is one, first: a message file alone is no item. Not durable."""
        if envelope:
            unlink_if_there(self._disk, self.envelope_path(trace))
        unlink_if_there(self._disk, self.message_path(trace))

    def remove(self, trace: str) -> None:
        """Durable."""
        self.unlink(trace)
        self._disk.flush_directory(self._places.items)

    def shunt(self, trace: str, why: str) -> None:
        """Move both files to shunted/, untouched, with `why` beside them; durable."""
        self.make_durable([trace])
        note = os.path.join(self._places.shunted, f"{trace}.txt")
        unlink_if_there(self._disk, note)
        fd = self._disk.create(note)
        try:
            self._disk.write(fd, why.encode("utf-8", "backslashreplace"))
            self._disk.flush(fd)
        finally:
            self._disk.close(fd)
        # At every moment one of the two directories has both files.
        with suppress(FileNotFoundError, FileExistsError):
            self._disk.link(self.message_path(trace), os.path.join(self._places.shunted, f"{trace}.eml"))
        with suppress(FileNotFoundError):
            self._disk.rename(self.envelope_path(trace), os.path.join(self._places.shunted, f"{trace}.json"))
        self._disk.flush_directory(self._places.shunted)
        unlink_if_there(self._disk, self.message_path(trace))
        self._disk.flush_directory(self._places.items)

    def clean(self, now: float) -> int:
        """Remove what was left behind, when no other node works here; how many files.

        These are envelopes that nobody is writing, and messages without envelope, if they were not touched for a while.
        """
        count = 0
        for trace in list(traces_in(self._places.items, ".tmp")):
            count += self._remove_abandoned(os.path.join(self._places.items, f"{trace}.tmp"))
        for trace in set(traces_in(self._places.items, ".eml")) - set(traces_in(self._places.items, ".json")):
            with suppress(FileNotFoundError):
                if os.stat(self.message_path(trace)).st_ctime < now - ALONE_S:
                    self._disk.unlink(self.message_path(trace))
                    count += 1
        return count

    def _remove_abandoned(self, temporary: str) -> bool:
        """Who writes it holds its lock."""
        try:
            fd = try_lock(temporary)
        except FileNotFoundError:
            return False
        if fd is None:
            return False
        try:
            unlink_if_there(self._disk, temporary)
        finally:
            unlock(fd)
        return True


def _octets_of(envelope: int, reading: Reading) -> bytes:
    octets = some = reading.read(envelope, _USUAL, 0)
    while len(some) == _USUAL:
        if not reading.patient:
            raise BlockingIOError("a long envelope")
        some = reading.read(envelope, _USUAL, len(octets))
        octets += some
    return octets


def _content_of(path: str, reading: Reading, size: int, head: int, steps: Sequence[StepState]) -> bytes:
    """What follows our header block; b"" when that is not small, or cannot be read: who sends it meets the trouble."""
    if size - head > SMALL or not any(isinstance(state.step, SENT_AS_IT_IS) for state in steps):
        return b""
    try:
        fd = reading.open(path)
        try:
            octets = reading.read(fd, size - head + 1, head)
        finally:
            os.close(fd)
    except BlockingIOError:
        raise
    except OSError:
        return b""
    return octets if len(octets) == size - head else b""
