"""The courier: takes what is due from the queue, a bounded number of items at once, and goes on for ever.

Knows when to look; refuses to know what happens to an item (`run`). Reactor thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, succeed

from unitymail.courier.run import Run
from unitymail.interfaces.book import IBook
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import IQueue, IStepPerformer, Item
from unitymail.interfaces.threads import IThreads
from unitymail.routing.steps import Step

AT_ONCE = 20
LOOK_EVERY_S = 1.0
LOOK_SHARE = 0.02


class Courier:
    """`performers` by step class, as `courier.perform.find_performers` gives them; `decide` as `Decider.steps_of`."""

    def __init__(
        self, *, queue: IQueue, performers: Mapping[type[Any], IStepPerformer], threads: IThreads, book: IBook,
        journal: IJournal, clock: Any, decide: Callable[[Item], tuple[Step, ...]], at_once: int = AT_ONCE,
    ) -> None:
        self._queue = queue
        self._performers = performers
        self._threads = threads
        self._book = book
        self._journal = journal
        self._clock = clock
        self._decide = decide
        self._at_once = at_once
        self._runs = 0
        self._going = False
        self._alarm: Any = None
        self._look_call: Any = None
        self._idle: list[Deferred[None]] = []

    def start(self) -> None:
        self._going = True
        self._queue.listen(self.wake)
        self._look()
        self.wake()

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
        while self._going and self._runs < self._at_once:
            trace = self._queue.due(self._clock.seconds())
            if trace is None:
                break
            self._begin(trace)
        self._set_alarm()

    def _begin(self, trace: str) -> None:
        self._runs += 1
        run = Run(
            trace, queue=self._queue, performers=self._performers, threads=self._threads, book=self._book,
            journal=self._journal, now=self._clock.seconds, decide=self._decide,
        )
        ensureDeferred(run.perform()).addErrback(self._surprised, trace).addCallback(self._ended)

    def _surprised(self, failure: Any, trace: str) -> None:
        self._journal.trouble(f"the courier's work on {trace}", failure.value)

    def _ended(self, _: None) -> None:
        self._runs -= 1
        if self._going:
            self.wake()
        elif not self._runs:
            waiters, self._idle = self._idle, []
            for waiter in waiters:
                waiter.callback(None)

    def _set_alarm(self) -> None:
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm = None
        when = self._queue.next_time()
        if self._going and when is not None and self._runs < self._at_once:
            self._alarm = self._clock.callLater(max(0.0, when - self._clock.seconds()), self.wake)

    def _look(self) -> None:
        """See what other processes put into the queue; never more than a fiftieth of the time."""
        began = self._clock.seconds()
        looking: Any = self._threads.run(self._queue.look)
        looking.addErrback(lambda failure: self._journal.trouble("looking through the queue", failure.value))
        looking.addCallback(self._looked, began)

    def _looked(self, _: Any, began: float) -> None:
        if self._going:
            took = self._clock.seconds() - began
            self._look_call = self._clock.callLater(max(LOOK_EVERY_S, took / LOOK_SHARE), self._look)
            self.wake()
