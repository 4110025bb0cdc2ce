"""What processes of the node left when they ended is taken over by one that lives on, while the others work.

Knows whose remains are to be looked at, and when again; refuses to know what is in them (`recovery`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred

from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.threads import IThreads
from unitymail.spool.queue import Queue
from unitymail.spool.recovery import Recovery

SOON_S = 1.0
"""For an item that somebody works on just now, and for a process that has not quite ended."""
LATER_S = 10.0
"""After an error: of the disk, as a rule."""


class Inheriting:
    """Reactor thread only. One look at a time, in a thread."""

    def __init__(
        self, *, recovery: Callable[[], Recovery], queue: Queue, threads: IThreads, clock: Any, journal: IJournal
    ) -> None:
        self._recovery = recovery
        self._queue = queue
        self._threads = threads
        self._clock = clock
        self._journal = journal
        self._wanted: set[str] = set()
        self._waiters: list[Deferred[None]] = []
        self._looking: Deferred[None] | None = None
        self._alarm: Any = None
        self._going = True

    def expect(self, owners: Iterable[str]) -> None:
        """These live, and are no children of this process: it looks now and then whether they have ended."""
        self._wanted |= set(owners)
        self._look_again(LATER_S)

    def take_over(self, pid: int) -> Deferred[None]:
        """Fires once somebody has looked at what this process left; what cannot be done at once follows."""
        self._wanted.add(f"{pid}-")
        done: Deferred[None] = Deferred()
        self._waiters.append(done)
        self._look()
        return done

    def stop(self) -> Deferred[None]:
        """Begin no more; fires when nothing is under way. The next start does what is left."""
        self._going = False
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._looking is None:
            self._tell(self._waiters)
        done: Deferred[None] = Deferred()
        (self._looking or _fired()).addCallback(lambda _: done.callback(None))
        return done

    def _look(self) -> None:
        if self._looking is not None or not self._going:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._looking = Deferred()
        wanted, self._wanted = tuple(self._wanted), set()
        waiters, self._waiters = self._waiters, []
        running: Any = self._threads.run(self._take, wanted)
        running.addCallbacks(self._took, self._failed, callbackArgs=(wanted,), errbackArgs=(wanted,))
        running.addBoth(lambda _: self._looked(waiters))

    def _take(self, wanted: tuple[str, ...]) -> tuple[list[tuple[str, int]], set[str]]:
        """In a thread: what was done, and whose remains must be looked at again."""
        recovery = self._recovery()
        done = recovery.run_beside(lambda owner: owner.startswith(wanted))
        self._queue.renew(recovery.traces)
        return list(done.items()), recovery.later

    def _took(self, found: tuple[list[tuple[str, int]], set[str]], wanted: tuple[str, ...]) -> None:
        done, later = found
        for what, count in done:
            self._journal.recovered(what, count)
        self._queue.wake()
        self._wanted |= later
        if later:
            self._look_again(SOON_S)

    def _failed(self, failure: Any, wanted: tuple[str, ...]) -> None:
        self._wanted |= set(wanted)
        if failure.check(BlockingIOError) is None:
            self._journal.trouble("taking over what a process left; it is tried again", failure.value)
            self._look_again(LATER_S)
        else:
            self._look_again(SOON_S)

    def _looked(self, waiters: list[Deferred[None]]) -> None:
        looking, self._looking = self._looking, None
        if self._waiters:
            self._look()
        self._tell(waiters)
        if looking is not None:
            looking.callback(None)

    def _tell(self, waiters: list[Deferred[None]]) -> None:
        for waiter in waiters:
            waiter.callback(None)

    def _look_again(self, seconds: float) -> None:
        if self._going and self._wanted and self._alarm is None:
            self._alarm = self._clock.callLater(seconds, self._alarmed)

    def _alarmed(self) -> None:
        self._alarm = None
        self._look()


def _fired() -> Deferred[None]:
    done: Deferred[None] = Deferred()
    done.callback(None)
    return done
