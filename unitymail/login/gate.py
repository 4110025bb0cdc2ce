"""A bounded way in to costly work, one at a time for each name. Refuses to know what the work is.

Serving one name at a time makes the count of wrong passwords exact within a process, and lets the second connection of
a mail program find the first one's result instead of hashing again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from twisted.internet.defer import DeferredLock


class Full(Exception):
    """More is waiting than will be served in good time."""


class Crowd(Full):
    """And most of it has one key."""


class Share:
    """At most `most` callers at once for one key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, key: str) -> Iterator[None]:
        if self._taken[key] >= self._most:
            raise Crowd
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


class Gate:
    """At most `most` callers inside or waiting, of them at most `most_of_one` for one name."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._inside = 0
        self._locks: dict[str, DeferredLock] = {}

    @asynccontextmanager
    async def entered(self, name: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault(name, DeferredLock())
        if self._inside >= self._most or len(lock.waiting) >= self._most_of_one:
            self._forget(name, lock)
            raise Full
        self._inside += 1
        try:
            await lock.acquire()
            try:
                yield
            finally:
                lock.release()
        finally:
            self._inside -= 1
            self._forget(name, lock)

    def _forget(self, name: str, lock: DeferredLock) -> None:
        if not lock.locked and not lock.waiting and self._locks.get(name) is lock:
            del self._locks[name]
