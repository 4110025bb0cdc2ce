"""The courier: takes what is due from the queue, a bounded number of items at once, and goes on for ever.

Knows when to look, and keeps its hands free of hops that are down or busy; refuses to know what happens to an item
(`run`) and how hops fare (`destinations`). Reactor thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, succeed

from unitymail.courier.destinations import Destinations
from unitymail.courier.perform import Performers
from unitymail.courier.run import Run
from unitymail.interfaces.book import IBook
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import IQueue, Item
from unitymail.interfaces.threads import IThreads
from unitymail.routing.decision import Decision

AT_ONCE = 100
PARTING = 200
"""Items of which nothing is left to do but to write that down: what a crash may have done again."""
IN_A_TURN = 16
"""Items that are begun in one turn of the reactor."""
LOOK_EVERY_S = 1.0


class Courier:
    """`performers` as `courier.perform.find_performers` gives them; `decide` as `Decider.decide_item`."""

    def __init__(
        self, *, queue: IQueue, performers: Performers, destinations: Destinations, threads: IThreads, book: IBook,
        journal: IJournal, clock: Any, decide: Callable[[Item], Decision], at_once: int = AT_ONCE,
    ) -> None:
        self._queue = queue
        self._performers = performers
        self._destinations = destinations
        self._threads = threads
        self._book = book
        self._journal = journal
        self._clock = clock
        self._decide = decide
        self._at_once = at_once
        self._runs = 0
        self._parting: set[str] = set()
        self._going = False
        self._looking_around = False
        self._alarm: Any = None
        self._look_call: Any = None
        self._idle: list[Deferred[None]] = []

    def start(self) -> None:
        self._going = True
        self._queue.listen(self.wake, self._ask_for)
        self._look()
        self.wake()

    def _ask_for(self, traces: Iterable[str]) -> None:
        self._destinations.ask_for(traces, self._clock.seconds())

    def stop(self) -> Deferred[None]:
        """Begin nothing more; fires when the items in hand are written back."""
        self._going = False
        for call in (self._alarm, self._look_call):
            if call is not None and call.active():
                call.cancel()
        if not self._runs:
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        self._idle.append(waiter)
        return waiter

    def wake(self) -> None:
        """Look for work, now and whenever something falls due."""
        if self._looking_around:
            return  # an item that was begun a moment ago has ended already: the look goes on
        self._looking_around = True
        try:
            self._take_up()
        finally:
            self._looking_around = False

    def _take_up(self) -> None:
        begun = 0
        while self._going and self._has_room():
            now = self._clock.seconds()
            if begun == IN_A_TURN:
                self._wake_at(now)
                return
            trace = self._queue.due(now, self._destinations.closed(now))
            if trace is None:
                self._wake_when_due(now)
                return
            self._destinations.expect(self._queue.hop_of(trace), trace, now)
            self._begin(trace)
            begun += 1

    def _has_room(self) -> bool:
        parting = len(self._parting)
        return self._runs - parting < self._at_once and parting < PARTING

    def _begin(self, trace: str) -> None:
        self._runs += 1
        run = Run(
            trace, queue=self._queue, performers=self._performers, threads=self._threads, book=self._book,
            journal=self._journal, now=self._clock.seconds, decide=self._decide, opens_at=self._destinations.opens_at,
            done=self._done,
        )
        ensureDeferred(run.perform()).addErrback(self._surprised, trace).addCallback(self._ended, trace)

    def _surprised(self, failure: Any, trace: str) -> None:
        self._journal.trouble(f"the courier's work on {trace}", failure.value)

    def _done(self, trace: str) -> None:
        """Its hands are free for others while the disk takes it down."""
        self._parting.add(trace)
        self._give_up_place(trace)

    def _give_up_place(self, trace: str) -> None:
        now = self._clock.seconds()
        self._destinations.over(trace, now)
        if self._going:
            self._wake_at(now)  # once for all that end in this turn

    def _ended(self, _: None, trace: str) -> None:
        self._runs -= 1
        if trace in self._parting:
            self._parting.remove(trace)
            if self._going and len(self._parting) == PARTING - 1:
                self._wake_at(self._clock.seconds())
        else:
            self._give_up_place(trace)
        if not self._going and not self._runs:
            waiters, self._idle = self._idle, []
            for waiter in waiters:
                waiter.callback(None)

    def _wake_when_due(self, now: float) -> None:
        moments = (self._queue.next_time(self._destinations.closed(now)), self._destinations.next_probe(now))
        when = min((moment for moment in moments if moment is not None), default=None)
        if when is not None:
            self._wake_at(when)

    def _wake_at(self, when: float) -> None:
        """One alarm: an earlier one stays, since looking in vain costs little."""
        if self._alarm is not None and self._alarm.active():
            if self._alarm.getTime() <= when:
                return
            self._alarm.cancel()
        self._alarm = self._clock.callLater(max(0.0, when - self._clock.seconds()), self.wake)

    def _look(self) -> None:
        """See what other processes put into the queue, and what administrators want of it."""
        looking: Any = self._threads.run(self._queue.look)
        looking.addErrback(lambda failure: self._journal.trouble("looking through the queue", failure.value))
        looking.addCallback(self._looked)

    def _looked(self, _: Any) -> None:
        if self._going:
            self._look_call = self._clock.callLater(LOOK_EVERY_S, self._look)
            self.wake()
