"""The queue as the courier sees it: the index in memory, the files of items, and the claims of this process.

Knows that other processes put items into the same directory; refuses to know what performing a step means.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace

from zope.interface import implementer

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import Never
from unitymail.interfaces.spool import IQueue, Item
from unitymail.spool.claim import try_lock, unlock
from unitymail.spool.form import Unreadable
from unitymail.spool.index import Index
from unitymail.spool.items import NEVER, Items, wakes_at
from unitymail.spool.places import Places, is_trace

_STAYS_S = 1.0
_COARSE_S = 2.0
_DISTRUST_S = 3_600.0


@implementer(IQueue)
class Queue:
    """`now` is the clock's `seconds`."""

    def __init__(self, places: Places, disk: IDisk, now: Callable[[], float]) -> None:
        self._places = places
        self._disk = disk
        self._now = now
        self._items = Items(places, disk)
        self._index = Index()
        self._claims: dict[str, int] = {}
        self._fresh: set[str] = set()
        self._wake: Callable[[], None] = lambda: None
        self._looked = threading.Lock()
        self._seen = 0.0

    # in memory (reactor thread)

    def due(self, now: float) -> str | None:
        return self._index.due(now)

    def next_time(self) -> float | None:
        return self._index.next_time()

    def listen(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def added(self, item: Item) -> None:
        """An item that this process has just made."""
        self._fresh.add(item.trace)
        self._index.put(item.trace, wakes_at(item), item.priority > 0)
        self._wake()

    def __contains__(self, trace: str) -> bool:
        return trace in self._index

    # on disk (any thread)

    def look(self) -> int:
        with self._looked:
            changed = os.stat(self._places.items).st_mtime
            if changed != self._seen:
                self._scan()
                # A directory that changed a moment ago may change again within the same time stamp.
                self._seen = changed if changed < self._now() - _COARSE_S else changed - _COARSE_S
        return len(self._index)

    def _scan(self) -> None:
        known, found, new = self._index.traces(), set(), []
        with os.scandir(self._places.items) as entries:
            for entry in entries:
                trace = entry.name.removesuffix(".json")
                if trace == entry.name or not is_trace(trace):
                    continue
                found.add(trace)
                if trace not in known:
                    try:
                        stat = entry.stat()
                    except FileNotFoundError:
                        continue
                    # However far the hint is in the future (a clock may have been wrong), look within the hour.
                    when = min(stat.st_mtime, self._now() + _DISTRUST_S)
                    new.append((trace, when, bool(stat.st_mode & 0o100)))
        self._index.load(new)
        for trace in known - found:
            if not self._index.is_claimed(trace) and not os.path.exists(self._items.envelope_path(trace)):
                self._index.drop(trace)

    def claim(self, trace: str) -> Item | None:
        try:
            fd = try_lock(self._items.envelope_path(trace))
        except FileNotFoundError:
            self._index.drop(trace)
            return None
        except OSError:
            self._index.again(trace, self._now() + _STAYS_S)
            raise
        if fd is None:
            self._index.again(trace, self._now() + _STAYS_S)
            return None
        self._claims[trace] = fd
        self._index.claim(trace)
        try:
            item = self._items.read(trace)
        except Unreadable as error:
            raise Never(why=f"the envelope of {trace} cannot be read") from error
        except OSError:
            self.release(trace, self._now() + _STAYS_S)
            raise
        if item.held:
            self.release(trace, NEVER)
            return None
        fresh = trace in self._fresh
        self._fresh.discard(trace)
        return replace(item, fresh=fresh)

    def record(self, item: Item) -> None:
        fd = self._items.rewrite(item)
        unlock(self._claims[item.trace])
        self._claims[item.trace] = fd

    def release(self, trace: str, next_at: float) -> None:
        unlock(self._claims.pop(trace))
        self._index.again(trace, next_at)

    def finish(self, item: Item) -> bool:
        if not self._items.outlives_intake(item):
            if self._items.read(item.trace).steps != item.steps:
                self.record(item)
            self.release(item.trace, self._now() + _STAYS_S)
            return False
        self._items.remove(item.trace)
        self._end(item.trace)
        return True

    def shunt(self, trace: str, why: str) -> None:
        self._items.shunt(trace, why)
        self._end(trace)

    def items(self) -> list[Item]:
        found = []
        for trace in sorted(self._traces_on_disk()):
            try:
                found.append(self._items.read(trace))
            except (Unreadable, FileNotFoundError):
                continue
        return found

    def _traces_on_disk(self) -> set[str]:
        names = (name.removesuffix(".json") for name in os.listdir(self._places.items) if name.endswith(".json"))
        return {name for name in names if is_trace(name)}

    def _end(self, trace: str) -> None:
        self._index.drop(trace)
        self._fresh.discard(trace)
        unlock(self._claims.pop(trace))
