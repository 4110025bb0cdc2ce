"""The items that this process has in hand: young ones, and those it has claimed. Knows what each is by now.

Note *Young*. While a courier of this process listens, a new item is handed over in memory: its message file is there,
its envelope only in the commit journal. Most are finished before anybody else needs to know of them. The retirement of
its record writes the envelope of the others (`ripen`), and from then on an item is what its file says.

Note *All of it*. A file is replaced without a flush, and a power cut may leave it empty. So the note of an item that
has a file says everything; that of a young one says what is new since its record.

Note *The newest state* is always known here while an item is in hand, whether the journal and the file could take it or
not: what a step came to is never forgotten by the process that did it.

Note *Two locks*. Files are changed by one thread at a time (`_files`), which may wait for the disk. The reactor thread
asks and answers under `_lock` only, which nobody holds for longer than it takes to look.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from unitymail.interfaces.spool import Item
from unitymail.spool import notes
from unitymail.spool.claim import try_lock, unlock
from unitymail.spool.items import Items
from unitymail.spool.notes import Note
from unitymail.spool.reading import FROM_DISK, Reading

NO_FILE = -1


@dataclass(slots=True, eq=False)
class _Held:
    """`fd` is the claim on the envelope file, None while there is no file; `written` the revision that it has.

    `revision` is that of `item`, whatever the item itself says. `noted` is the state on which the next note can build:
    somebody who starts anew would know it.
    """

    item: Item
    revision: int = 0
    fd: int | None = None
    written: int = NO_FILE
    noted: Item | None = None
    claimed: bool = False
    finished: bool = False

    def is_written(self) -> bool:
        return self.written == self.revision


class InHand:
    """`keeps_young` says whether there is a courier in this process; without one items get their files at once."""

    def __init__(self, items: Items) -> None:
        self._items = items
        self._held: dict[str, _Held] = {}
        self._unreadable: dict[str, int] = {}
        self._lock = threading.Lock()
        self._files = threading.Lock()
        self.keeps_young = False

    def __contains__(self, trace: str) -> bool:
        return trace in self._held

    # the reactor thread

    def take(self, trace: str) -> Item | None:
        """Claim an item that is in hand already; None when it is not."""
        with self._lock:
            held = self._held.get(trace)
            if held is None or held.claimed or held.finished:
                return None
            held.claimed = True
            return held.item

    def let_go(self, trace: str) -> None:
        """End a claim. An item whose file does not have its newest state stays in hand."""
        with self._lock:
            if (fd := self._unreadable.pop(trace, None)) is not None:
                unlock(fd)
            if (held := self._held.get(trace)) is not None:
                held.claimed = False
                self._drop_if_idle(trace, held)
                if held.item.content:
                    held.item = replace(held.item, content=b"")

    def is_noted(self, item: Item) -> bool:
        """Whether everything that has happened to the item's steps is durable."""
        held = self._held.get(item.trace)
        return held is not None and held.noted is not None and held.noted.steps == item.steps

    # any thread

    def born(self, item: Item, source: str) -> Item:
        """A new item, of the message at `source`; as it is from now on. Raises OSError."""
        if not self.keeps_young:
            return self._items.create(item, source)
        item = self._items.adopt(item, source)
        with self._lock:
            self._held[item.trace] = _Held(item, item.revision)
        return item

    def claim(self, trace: str, reading: Reading = FROM_DISK) -> Item | None:
        """The item in its file, locked; None when another process has it.

        Raises FileNotFoundError, OSError, and Unreadable: then it is ours all the same.
        """
        fd = try_lock(self._items.envelope_path(trace), reading)
        if fd is None:
            return None
        try:
            item = self._items.read_from(fd, trace, reading)
        except OSError:
            unlock(fd)
            raise
        except ValueError:
            with self._lock:
                self._unreadable[trace] = fd
            raise
        with self._lock:
            self._held[trace] = _Held(item, item.revision, fd, item.revision, noted=item, claimed=True)
        return item

    def note(self, item: Item, *, finished: bool) -> Note:
        """What to write about a new state of a claimed item. Then `apply` it, or tell that it `failed`."""
        held = self._held[item.trace]
        with self._files:
            held.revision += 1
            before, held.item, held.noted = held.noted, item, item
            if finished:
                return notes.finished(item, held.revision)
            return notes.outcomes(before if held.fd is None else None, item, held.revision)

    def failed(self, trace: str) -> None:
        """Its newest note is not durable: the next one cannot build on it."""
        if (held := self._held.get(trace)) is not None:
            held.noted = None

    def apply(self, note: Note) -> None:
        """Let the item's file say what a durable note says, or nothing any more. Again is no matter. Raises OSError."""
        with self._files:
            held = self._held.get(note.trace)
            if held is None:
                return
            held.finished = held.finished or note.finished
            if not held.finished and held.fd is not None and not held.is_written():
                self._write(held)

    def remove(self, trace: str) -> None:
        """Remove the files of a finished item, which nobody writes any more, and end its claim. Raises OSError."""
        held = self._held.get(trace)
        if held is not None and held.finished:
            self._items.unlink(trace, envelope=held.fd is not None)
            self.forget(trace)

    def ripen(self, trace: str) -> None:
        """Give a young item its envelope file, not durably; what is not young (any more) is left alone."""
        with self._files:
            held = self._held.get(trace)
            if held is not None and held.fd is None and not held.finished:
                self._write(held)

    def shunt(self, trace: str, why: str) -> None:
        """Put the item's files aside and forget it."""
        with self._files:
            held = self._held.get(trace)
            if held is not None:
                self._write(held, flushed=True)
            self._items.shunt(trace, why)
            self.forget(trace)

    def renew(self, trace: str) -> None:
        """Write the item's file anew, flushed. Raises OSError; BlockingIOError when another process has it."""
        with self._files:
            held = self._held.get(trace)
            if held is None:
                self._items.renew(trace)
            elif not held.finished:
                self._write(held, flushed=True)

    def _write(self, held: _Held, *, flushed: bool = False) -> None:
        item, revision = held.item, held.revision
        fd = self._items.write(replace(item, revision=revision), flushed=flushed)
        with self._lock:
            if held.fd is not None:
                unlock(held.fd)
            held.fd, held.written, held.noted = fd, revision, item
            self._drop_if_idle(item.trace, held)

    def _drop_if_idle(self, trace: str, held: _Held) -> None:
        if not held.claimed and held.fd is not None and held.is_written():
            del self._held[trace]
            unlock(held.fd)

    def locks_of(self, traces: Iterable[str]) -> dict[str, int]:
        """The descriptors that hold the locks of these items, as far as they have a file."""
        return {trace: held.fd for trace in traces if (held := self._held.get(trace)) and held.fd is not None}

    def forget(self, trace: str) -> None:
        """Its files are gone, or somewhere else."""
        with self._lock:
            held, fd = self._held.pop(trace, None), self._unreadable.pop(trace, None)
        for descriptor in (held.fd if held is not None else None, fd):
            if descriptor is not None:
                unlock(descriptor)
