"""Directories that other programs change, watched by inotify: who waits hears of it in a moment, not in seconds.

Knows the system's watches and their limits; refuses to know what is in a directory. It is an accelerator: everything
it tells would be found by looking now and then, and where it cannot watch it says so once and tells nothing.

*Note: Twisted's INotify.* It passes over an overflow of the queue, and ends altogether when any watched directory is
removed. Here an overflow tells everybody, and a directory that is removed ends its own watch only.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.inotify import (
    IN_CREATE,
    IN_DELETE,
    IN_DELETE_SELF,
    IN_DONT_FOLLOW,
    IN_IGNORED,
    IN_MOVED_FROM,
    IN_MOVED_TO,
    IN_ONLYDIR,
    IN_Q_OVERFLOW,
    INotify,
    INotifyError,
)
from twisted.python.filepath import FilePath
from zope.interface import implementer

from unitymail.interfaces.eyes import IEyes
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.threads import IThreads

MOST = 8_192
"""Directories watched by one process; the system grants each user a number of them for all processes."""
SOON_S = 0.2
"""Events within this time are one: our own hands and busy programs make many."""
MASK = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW
_EVENT = struct.Struct("=iIII")


class _Watcher:
    """Somebody who wants to hear of some directories, after a moment."""

    def __init__(self, clock: Any, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._soon: Any = None
        self.ended = False
        self.heard_by: list[int] = []
        """The numbers of the directories that it hears of."""

    def hear(self) -> None:
        if self._soon is None and not self.ended:
            self._soon = self._clock.callLater(SOON_S, self._tell)

    def _tell(self) -> None:
        self._soon = None
        self._changed()

    def end(self) -> None:
        self.ended = True
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None


class _Queue(INotify):
    """The system's queue of events: `told(wd, mask)` for each."""

    def __init__(self, reactor: Any, told: Callable[[int, int], None]) -> None:
        super().__init__(reactor)
        self._told = told

    def _doRead(self, octets: bytes) -> None:
        self._buffer += octets
        at = 0
        while len(self._buffer) - at >= _EVENT.size:
            wd, mask, _, size = _EVENT.unpack_from(self._buffer, at)
            at += _EVENT.size + size
            self._told(wd, mask)
        self._buffer = self._buffer[at:]

    def add(self, path: bytes) -> int:
        """The watch of a directory; any thread. Raises INotifyError."""
        return int(self._inotify.add(self._fd, FilePath(path), MASK))

    def remove(self, wd: int) -> None:
        if self._fd >= 0:
            self._inotify.remove(self._fd, wd)


@implementer(IEyes)
class Eyes:
    """Those of a process. `most`: how many directories at once."""

    def __init__(self, *, reactor: Any, threads: IThreads, journal: IJournal, most: int = MOST) -> None:
        self._reactor = reactor
        self._threads = threads
        self._journal = journal
        self._most = most
        self._queue: _Queue | None = None
        self._blind = False
        self._asked = 0
        self._watchers: dict[int, list[_Watcher]] = {}

    def watch(self, places: Sequence[bytes], changed: Callable[[], None]) -> Callable[[], None]:
        watcher = _Watcher(self._reactor, changed)
        if places and self._asked + len(places) <= self._most and self._open():
            self._asked += len(places)
            self._journal.guard(self._begin(places, watcher), "watching directories")
            return lambda: self._end(watcher, len(places))
        return watcher.end

    def _open(self) -> bool:
        """Whether the system lets this process watch anything."""
        if self._queue is None and not self._blind:
            try:
                self._queue = _Queue(self._reactor, self._told)
                self._queue.startReading()
            except INotifyError as error:
                self._give_up(error)
        return self._queue is not None and not self._blind

    async def _begin(self, places: Sequence[bytes], watcher: _Watcher) -> None:
        assert self._queue is not None
        for place in places:
            if watcher.ended or self._blind:
                return
            queue = self._queue
            try:
                wd = await self._threads.run(queue.add, place)
            except INotifyError as error:
                if os.path.isdir(place):  # else it went meanwhile, as directories do
                    self._give_up(error)
                return
            if self._queue is not queue:
                return
            self._watchers.setdefault(wd, []).append(watcher)
            watcher.heard_by.append(wd)
            if watcher.ended:
                self._drop(watcher)

    def _give_up(self, error: INotifyError) -> None:
        """What is watched stays watched; nothing is added any more."""
        self._blind = True
        words = "changes that other programs make are found within seconds only (see fs.inotify in sysctl)"
        self._journal.trouble(words, error)

    def _end(self, watcher: _Watcher, places: int) -> None:
        if not watcher.ended:
            watcher.end()
            self._asked -= places
            self._drop(watcher)

    def _drop(self, watcher: _Watcher) -> None:
        """Nobody hears of a directory any more: it need not be watched."""
        for wd in watcher.heard_by:
            watchers = self._watchers.get(wd, [])
            if watcher in watchers:
                watchers.remove(watcher)
                if not watchers:
                    del self._watchers[wd]
                    if self._queue is not None:
                        self._queue.remove(wd)
        watcher.heard_by.clear()

    def _told(self, wd: int, mask: int) -> None:
        if mask & IN_Q_OVERFLOW:
            everybody = {watcher for watchers in self._watchers.values() for watcher in watchers}
        elif mask & IN_IGNORED:
            everybody = set(self._watchers.pop(wd, ()))
        else:
            everybody = set(self._watchers.get(wd, ()))
        for watcher in everybody:
            watcher.hear()

    def stop(self) -> None:
        """Nothing is watched any more."""
        queue, self._queue, self._blind = self._queue, None, True
        for watcher in {watcher for watchers in self._watchers.values() for watcher in watchers}:
            watcher.end()
        self._watchers.clear()
        if queue is not None:
            queue.stopReading()
            os.close(queue.fileno())
            queue._fd = -1
