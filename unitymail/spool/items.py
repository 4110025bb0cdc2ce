"""The files of waiting items: TRACE.eml, one more name of the message, and TRACE.json, its readable envelope.

Knows in which order they must be written and removed; refuses to know when an item is due or who works on it.

Note *What a start may not read*. A start with 100,000 items opens none of them. The envelope file's modification
time is when to look at the item next; its owner's permissions say whether it is urgent (may execute) or low (may not
write). These are hints: a claim reads the file. An envelope file is always replaced by rename, never changed.

Note *The envelope may come later*. While the commit record of an item is not retired, its envelope file may be missing,
or older than what the commit journal notes of it (`in_hand`, `notes`). A message file alone is no item to anybody else.

Note *Alone*. It may be half of something all the same: a message that an administrator is moving back from shunted/.
One that is nobody's any more is removed only when it has been so for a while. What is brought in from bad mail has its
envelope first, under a temporary name and lock: once that lock is free it is known to be nobody's.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
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

    def _temporary(self, trace: str) -> str:
        return os.path.join(self._places.items, f"{trace}.tmp")

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

    def flush(self, trace: str) -> None:
        """Return once the octets of the envelope file are durable. Raises OSError: then see `durable`."""
        fd = os.open(self.envelope_path(trace), os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._disk.flush(fd)
        finally:
            os.close(fd)

    def write(self, item: Item, *, flushed: bool = False) -> int:
        """Write or replace the envelope file; a descriptor that holds the lock on the new one.

        Not durably; `flushed`: what it says is durable before the file has its name.
        """
        fd = self.begin(item, flushed=flushed)
        try:
            self.show(item.trace)
        except BaseException:
            self._disk.close(fd)
            self.forgo(item.trace)
            raise
        return fd

    def begin(self, item: Item, *, flushed: bool) -> int:
        """An envelope file under a temporary name, for `show` or `forgo`; a descriptor that holds its lock."""
        temporary = self._temporary(item.trace)
        unlink_if_there(self._disk, temporary)
        fd = self._disk.create(temporary, MODES[level_of(item.priority)])
        try:
            lock_descriptor(fd)
            self._disk.write(fd, write_form(item))
            self._disk.set_times(temporary, wakes_at(item))
            if flushed:
                self._disk.flush(fd)
        except BaseException:
            self._disk.close(fd)
            self.forgo(item.trace)
            raise
        return fd

    def show(self, trace: str) -> None:
        """What was begun is the envelope from now on."""
        self._disk.rename(self._temporary(trace), self.envelope_path(trace))

    def forgo(self, trace: str) -> None:
        """What was begun is not wanted any more. Raises nothing: what stays is removed at a start."""
        with suppress(OSError):
            unlink_if_there(self._disk, self._temporary(trace))

    def renew(self, trace: str) -> None:
        """Write the file anew, flushed, saying the same. Raises OSError; BlockingIOError when it is locked."""
        claim = try_lock(self.envelope_path(trace))
        if claim is None:
            raise BlockingIOError(errno.EAGAIN, "somebody works on it", self.envelope_path(trace))
        try:
            self._disk.close(self.write(self.read(trace), flushed=True))
        except Unreadable as error:
            raise OSError(errno.EIO, str(error), self.envelope_path(trace)) from error
        finally:
            unlock(claim)

    def bring_in(self, item: Item, source: str) -> None:
        """An item that no record stands behind. Its envelope is flushed; its name is not.

        Interrupted, it leaves the envelope under its temporary name, and perhaps the message: see `is_half_in`.
        """
        fd = self.begin(item, flushed=True)
        try:
            self._disk.flush_directory(self._places.items)
            self.adopt(item, source)
            self.show(item.trace)
        finally:
            self._disk.close(fd)

    def is_half_in(self, trace: str) -> bool:
        """Whether somebody died while he brought this item in. It is not asked while another may do so."""
        if os.path.lexists(self.envelope_path(trace)):
            return False
        try:
            with open(self._temporary(trace), "rb") as file:
                item = read_form(file.read(), self.message_path(trace))
        except (FileNotFoundError, Unreadable):
            return False
        return not item.intake and not item.steps

    def take_out(self, trace: str) -> None:
        """Remove what is half in. The envelope last: it tells whose the message is."""
        unlink_if_there(self._disk, self.message_path(trace))
        unlink_if_there(self._disk, self._temporary(trace))

    def read(self, trace: str) -> Item:
        """Raises Unreadable, FileNotFoundError."""
        fd = FROM_DISK.open(self.envelope_path(trace))
        try:
            return self.read_locked(fd, trace)
        finally:
            os.close(fd)

    def read_locked(self, fd: int, trace: str) -> Item:
        """The item whose envelope file is open. Raises Unreadable."""
        return read_form(_octets_of(fd, FROM_DISK), self.message_path(trace))

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

    def shunt(self, trace: str, why: str) -> None:
        """Move both files to shunted/, untouched, with `why` beside them; durable. Raises OSError."""
        try:
            self._put_aside(trace, why)
        except OSError:
            with suppress(OSError):
                self._clear_shunted(trace)
            raise

    def _put_aside(self, trace: str, why: str) -> None:
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

    def _clear_shunted(self, trace: str) -> int:
        """Remove what somebody began to put aside, if the item is where it was all the same; how many files."""
        there, aside = (
            {ending: os.path.join(place, trace + ending) for ending in (".eml", ".json", ".txt")}
            for place in (self._places.items, self._places.shunted)
        )
        if os.path.exists(aside[".json"]) or not os.path.exists(there[".json"]):
            return 0
        if os.path.exists(aside[".eml"]) and not os.path.exists(there[".eml"]):
            return 0
        left = [path for path in (aside[".eml"], aside[".txt"]) if os.path.exists(path)]
        for path in left:
            unlink_if_there(self._disk, path)
        return len(left)

    def clean(self, now: float) -> int:
        """Remove what was left behind, when no other node works here; how many files.

        These are envelopes that nobody is writing, messages without envelope, if they were not touched for a while, and
        what lies in shunted/ of items that were not put aside after all.
        """
        count = 0
        for trace in set(traces_in(self._places.shunted, ".eml")) | set(traces_in(self._places.shunted, ".txt")):
            count += self._clear_shunted(trace)
        for trace in list(traces_in(self._places.items, ".tmp")):
            count += self._remove_abandoned(trace)
        for trace in set(traces_in(self._places.items, ".eml")) - set(traces_in(self._places.items, ".json")):
            with suppress(FileNotFoundError):
                if os.stat(self.message_path(trace)).st_ctime < now - ALONE_S:
                    self._disk.unlink(self.message_path(trace))
                    count += 1
        return count

    def _remove_abandoned(self, trace: str) -> bool:
        """What was begun by somebody who is dead: who writes it holds its lock."""
        try:
            fd = try_lock(self._temporary(trace))
        except FileNotFoundError:
            return False
        if fd is None:
            return False
        try:
            if self.is_half_in(trace):
                self.take_out(trace)
            else:
                self.forgo(trace)
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
