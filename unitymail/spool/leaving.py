"""The files of finished items on their way out.

Freeing files takes the longest of all, and nobody waits for it: the note that an item is finished is durable. Knows
who removes them and when that is over; refuses to know how (`remover`, or `in_hand` in a thread). What cannot go now is
left to the retirement.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred

from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.threads import IThreads
from unitymail.spool import removing
from unitymail.spool.in_hand import InHand
from unitymail.spool.journal_file import Noted
from unitymail.spool.remover import Remover

MOST = 200
"""Items that may wait for it; each keeps a descriptor."""


class Leaving:
    """One batch at a time, of all that wait. Without a `remover` threads do it. Reactor thread, but `remove`."""

    def __init__(
        self, *, threads: IThreads, in_hand: InHand, journal: IJournal, remover: Remover | None = None
    ) -> None:
        self._threads = threads
        self._in_hand = in_hand
        self._journal = journal
        self._remover = remover
        self._waiting: list[Noted] = []
        self._busy = False
        self._idle: list[Deferred[None]] = []

    def add(self, finished: Sequence[Noted]) -> None:
        """Items whose end is durable and answered."""
        self._waiting += finished
        if self._waiting and not self._busy:
            self._busy = True
            self._journal.guard(self._remove_all(), "removing finished items")

    def surplus(self) -> Sequence[Noted]:
        """Those beyond what may wait, for the caller to `remove` before it lets more items end."""
        surplus, self._waiting = self._waiting[MOST:], self._waiting[:MOST]
        return surplus

    async def _remove_all(self) -> None:
        try:
            while self._waiting:
                now, self._waiting = self._waiting[: removing.MOST], self._waiting[removing.MOST :]
                try:
                    if left := await self._helped(now):
                        await self._threads.run(self.remove, left)
                except BaseException:
                    left, self._waiting = [*now, *self._waiting], []
                    for noted in left:
                        noted.leaving = False
                    raise
        finally:
            self._busy = False
            waiters, self._idle = self._idle, []
            for waiter in waiters:
                waiter.callback(None)

    async def _helped(self, finished: Sequence[Noted]) -> Sequence[Noted]:
        """Let the process do it; what is left for a thread."""
        if self._remover is None:
            return finished
        locked = self._in_hand.locks_of(noted.note.trace for noted in finished)
        left = await self._remover.remove(locked) if locked else set()
        gone = locked.keys() - left
        for noted in finished:
            if noted.note.trace in gone:
                self._in_hand.forget(noted.note.trace)
                noted.applied, noted.leaving = True, False
        return [noted for noted in finished if noted.leaving]

    def when_idle(self) -> Deferred[None]:
        waiter: Deferred[None] = Deferred()
        if self._busy:
            self._idle.append(waiter)
        else:
            waiter.callback(None)
        return waiter

    def stop(self) -> Deferred[None]:
        """Fires when nothing is left to remove, and the process has ended."""
        remover = self._remover
        return self.when_idle() if remover is None else self.when_idle().addCallback(lambda _: remover.stop())

    def remove(self, finished: Sequence[Noted]) -> None:
        """In a thread. Raises nothing."""
        for noted in finished:
            try:
                self._in_hand.apply(noted.note)  # a commit that was broken off has not
                self._in_hand.remove(noted.note.trace)
                noted.applied = True
            except Exception as error:
                self._journal.trouble(f"removing the files of {noted.note.trace}; it is tried again", error)
            noted.leaving = False
