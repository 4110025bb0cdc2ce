"""The files of finished items on their way out.

Freeing files takes the longest of all, and nobody waits for it: the note that an item is finished is durable. Knows who
removes them and when that is over; refuses to know how (`in_hand`). What cannot go now is left to the retirement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred

from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.threads import IThreads
from unitymail.spool.in_hand import InHand
from unitymail.spool.journal_file import Noted

MOST = 200
"""Items that may wait for it; each keeps a descriptor."""


class Leaving:
    """One job at a time takes all that wait. Reactor thread, but `remove`."""

    def __init__(self, *, threads: IThreads, in_hand: InHand, journal: IJournal) -> None:
        self._threads = threads
        self._in_hand = in_hand
        self._journal = journal
        self._waiting: list[Noted] = []
        self._busy = False
        self._idle: list[Deferred[None]] = []

    def add(self, finished: Sequence[Noted]) -> None:
        """Items whose end is durable and answered."""
        self._waiting += finished
        if self._waiting and not self._busy:
            self._begin()

    def surplus(self) -> Sequence[Noted]:
        """Those beyond what may wait, for the caller to `remove` before it lets more items end."""
        surplus, self._waiting = self._waiting[MOST:], self._waiting[:MOST]
        return surplus

    def _begin(self) -> None:
        self._busy = True
        now, self._waiting = self._waiting, []
        running: Any = self._threads.run(self.remove, now)
        running.addCallback(self._end)

    def _end(self, _: None) -> None:
        self._busy = False
        if self._waiting:
            self._begin()
            return
        waiters, self._idle = self._idle, []
        for waiter in waiters:
            waiter.callback(None)

    def when_idle(self) -> Deferred[None]:
        waiter: Deferred[None] = Deferred()
        if self._busy:
            self._idle.append(waiter)
        else:
            waiter.callback(None)
        return waiter

    def remove(self, finished: Sequence[Noted]) -> None:
        """In a thread. Raises nothing."""
        for noted in finished:
            try:
                self._in_hand.remove(noted.note.trace)
                noted.applied = True
            except Exception as error:
                self._journal.trouble(f"removing the files of {noted.note.trace}; it is tried again", error)
            noted.leaving = False
