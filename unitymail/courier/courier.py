"""The courier: takes what is due from the queue, a bounded number of items at once, and goes on for ever.

Knows when to look, and keeps its hands free of hops that are down or busy; refuses to know what happens to an item
(`run`) and how hops fare (`destinations`). Reactor thread only.

Note *One look a turn*. However many items come, end or fall due in a turn of the reactor, the next turn looks once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from unitymail.courier.destinations import Destinations
from unitymail.courier.perform import Performers
from unitymail.courier.run import Means, Run
from unitymail.interfaces.book import IBook
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import IQueue, Item
from unitymail.interfaces.threads import IThreads
from unitymail.routing.decision import Decision

AT_ONCE = 400
"""Items in hand: a few times what one hop may have of them (`destinations.A_HOP`)."""
PARTING = 200
"""Items of which nothing is left to do but to write that down: what a crash may have done again."""
IN_A_TURN = 16
"""Items that are begun in one turn of the reactor."""
A_LOOK_S = 0.002
"""After so long a look goes on in the next turn: some items are much work to begin."""
LOOK_AROUND_S = 1.0
"""How often the queue looks at what other processes and administrators did."""


class Courier:
    """`performers` as `courier.perform.find_performers` gives them; `decide` as `Decider.decide_item`.

    Of what it counts: an item that is `_parting` needs no hand any more; who is `_over` gives up its places at hops in
    the next look.
    """

    def __init__(
        self, *, queue: IQueue, performers: Performers, destinations: Destinations, threads: IThreads, book: IBook,
        journal: IJournal, clock: Any, decide: Callable[[Item], Decision], at_once: int = AT_ONCE,
    ) -> None:
        self._queue = queue
        self._destinations = destinations
        self._threads = threads
        self._journal = journal
        self._clock = clock
        self._at_once = at_once
        self._means = Means(
            queue=queue, performers=performers, threads=threads, book=book, journal=journal, now=clock.seconds,
            decide=decide, opens_at=destinations.opens_at, done=self._done, rest=partial(deferLater, clock, 0),
        )  # fmt: skip
        self._runs = 0
        self._parting: set[str] = set()
        self._over: list[str] = []
        self._going = False
        self._next_look: Any = None
        self._next_look_around: Any = None
        self._alarm: Any = None
        self._idle: list[Deferred[None]] = []

    def start(self) -> None:
        self._going = True
        self._queue.listen(self.wake, self._ask_for)
        self._look_around()
        self.wake()

    def _ask_for(self, traces: Iterable[str]) -> None:
        self._destinations.ask_for(traces, self._clock.seconds())

    def stop(self) -> Deferred[None]:
        """Begin nothing more; fires when the items in hand are written back."""
        self._going = False
        for call in (self._next_look, self._next_look_around, self._alarm):
            if call is not None and call.active():
                call.cancel()
        self._next_look = None
        if not self._runs:
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        self._idle.append(waiter)
        return waiter

    def wake(self) -> None:
        """There may be work: look for it in the next turn."""
        if self._next_look is None and self._going:
            self._next_look = self._clock.callLater(0, self._look_for_work)

    def _look_for_work(self) -> None:
        self._next_look = None
        now = began = self._clock.seconds()
        self._free_places(now)
        closed = self._destinations.closed(now)
        begun = 0
        while self._has_room():
            if begun == IN_A_TURN or now > began + A_LOOK_S:
                return self.wake()
            trace = self._queue.due(now, closed)
            if trace is None:
                return self._wake_when_due(now)
            self._destinations.expect(self._queue.hop_of(trace), trace, now)
            self._begin(trace)
            begun += 1
            now = self._clock.seconds()

    def _has_room(self) -> bool:
        parting = len(self._parting)
        return self._runs - parting < self._at_once and parting < PARTING

    def _begin(self, trace: str) -> None:
        self._runs += 1
        ensureDeferred(Run(trace, self._means).perform()).addBoth(self._ended, trace)

    def _done(self, trace: str) -> None:
        """Its hands are free for others while the disk takes it down."""
        self._parting.add(trace)
        self._over.append(trace)
        self.wake()

    def _ended(self, result: Failure | None, trace: str) -> None:
        if result is not None:
            self._journal.trouble(f"the courier's work on {trace}", result.value)
        self._runs -= 1
        if trace in self._parting:
            self._parting.remove(trace)
            if len(self._parting) == PARTING - 1:
                self.wake()
        else:
            self._over.append(trace)
            self.wake()
        if not self._going and not self._runs:
            waiters, self._idle = self._idle, []
            for waiter in waiters:
                waiter.callback(None)

    def _free_places(self, now: float) -> None:
        over, self._over = self._over, []
        for trace in over:
            self._destinations.over(trace, now)

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

    def _look_around(self) -> None:
        """See what other processes put into the queue, and what administrators want of it."""
        looking: Any = self._threads.run(self._queue.look)
        looking.addErrback(lambda failure: self._journal.trouble("looking through the queue", failure.value))
        looking.addCallback(self._looked_around)

    def _looked_around(self, _: Any) -> None:
        if self._going:
            self._next_look_around = self._clock.callLater(LOOK_AROUND_S, self._look_around)
            self.wake()
