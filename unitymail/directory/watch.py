"""Keeps the address book fresh: asks for the newest change every second, and at once when somebody rings.

Knows when to look; what changed is the book's business, and who rang is the doorbell's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import LoopingCall

from unitymail.directory.book import Book
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.threads import IThreads

INTERVAL_S = 1.0


class Watcher:
    """Reactor thread only. `threads` run the refresh."""

    def __init__(self, book: Book, threads: IThreads, *, clock: Any, journal: IJournal) -> None:
        self._book = book
        self._threads = threads
        self._journal = journal
        self._waiting: list[Deferred[int]] = []
        self._ended: list[Deferred[None]] = []
        self._running = False
        self._failing = False
        self._listeners: list[Callable[[int], None]] = []
        self._poll = LoopingCall(self.take)
        self._poll.clock = clock

    def start(self) -> None:
        self._journal.guard(self._poll.start(INTERVAL_S, now=False), "watching the directory")

    def stop(self) -> Deferred[None]:
        """Fires when no refresh is under way any more."""
        if self._poll.running:
            self._poll.stop()
        if not self._running:
            return succeed(None)
        ended: Deferred[None] = Deferred()
        self._ended.append(ended)
        return ended

    def listen(self, changed: Callable[[int], None]) -> None:
        """Call `changed(usn)` after each change that the book took."""
        self._listeners.append(changed)

    def take(self, usn: int = 0) -> Deferred[int]:
        """Look now (unless the book has `usn` already); fires with the USN that the book holds then.

        A look that is under way may have begun before the change, so it does not count: another one follows it.
        """
        if usn and self._book.usn >= usn:
            return succeed(self._book.usn)
        waiting: Deferred[int] = Deferred()
        self._waiting.append(waiting)
        if not self._running:
            self._journal.guard(self._refresh(), "refreshing the address book")
        return waiting

    async def _refresh(self) -> None:
        self._running = True
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                await self._look()
                for one in waiting:
                    one.callback(self._book.usn)
        finally:
            self._running = False
            ended, self._ended = self._ended, []
            for stopped in ended:
                stopped.callback(None)

    async def _look(self) -> None:
        try:
            changed = await self._threads.run(self._book.refresh)
        except Exception as error:
            # The book stays as it is. Said once, not every second, until it works again.
            if not self._failing:
                self._journal.trouble("refreshing the address book", error)
            self._failing = True
            return
        self._failing = False
        if changed:
            self._journal.settings_changed(self._book.usn)
            for listener in list(self._listeners):
                listener(self._book.usn)
