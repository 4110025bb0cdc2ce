"""The group commit: everything that is waiting becomes durable together, then it is answered.

Note *Who waits*. A batch begins as soon as somebody waits for it: a client for its answer, a run that goes on. That an
item is finished holds up nobody, and such notes come one by one, thousands a second; a batch of nothing else begins
`gather_s` after the one before. A crash may have done again what ended in so short a time.

Knows when a batch begins and who hears of its end; refuses to know what is done in it (`batch`), or when records are
retired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from unitymail.interfaces.spool import Item
from unitymail.interfaces.threads import IThreads
from unitymail.spool.answers import Answers
from unitymail.spool.batch import Batches
from unitymail.spool.journal_file import Noted
from unitymail.spool.leaving import Leaving
from unitymail.spool.trouble import try_again
from unitymail.spool.under_way import Finishing, Noting


class Committer:
    """Reactor thread only; one batch at a time runs in a thread of `threads`.

    `ended` is called with each message that became durable or failed, before its Deferred fires, and
    `retire_soon` after each batch.
    """

    def __init__(
        self, *, batches: Batches, threads: IThreads, ended: Callable[[Finishing], None], answers: Answers,
        leaving: Leaving, retire_soon: Callable[[], None], clock: Any, gather_s: float,
    ) -> None:
        self._batches = batches
        self._threads = threads
        self._ended = ended
        self._answers = answers
        self._leaving = leaving
        self._retire_soon = retire_soon
        self._clock = clock
        self._gather_s = gather_s
        self._waiting: list[Finishing] = []
        self._notes: list[Noting] = []
        self._gather_until = 0.0
        self._gathering: Any = None
        self._awaited = False
        self._busy = False
        self._under_way = 0
        self._idle: list[Deferred[None]] = []

    def submit(self, message: Finishing) -> None:
        self._waiting.append(message)
        self._awaited = True
        self._go_on()

    def note(self, item: Item, *, finished: bool) -> Deferred[None]:
        """Fires when this state of a claimed item is durable. Fails with OSError; what is in hand has it anyway."""
        noting = Noting(item, finished)
        self._notes.append(noting)
        self._awaited = self._awaited or not finished
        self._go_on()
        return noting.answer

    def settle_first(self, message: Finishing) -> None:
        """Flush a large file by itself, so that small messages need not wait for it, then submit it."""
        self._under_way += 1
        running: Any = self._threads.run(self._batches.settle, [message])
        running.addBoth(self._settled, message)

    def _settled(self, _: Any, message: Finishing) -> None:
        self._under_way -= 1
        self.submit(message)

    def when_idle(self) -> Deferred[None]:
        waiter: Deferred[None] = Deferred()
        self._idle.append(waiter)
        self._awaited = True
        self._go_on()
        self._tell_idle()
        return waiter

    def _go_on(self) -> None:
        """Begin the next batch when it is time for it."""
        if self._busy or not (self._waiting or self._notes):
            return
        wait = 0.0 if self._awaited else self._gather_until - self._clock.seconds()
        if wait <= 0.0:
            self._begin()
        elif self._gathering is None:
            self._gathering = self._clock.callLater(min(wait, self._gather_s), self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        self._gather_until = 0.0
        self._go_on()

    def _begin(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        self._busy, self._awaited = True, False
        self._gather_until = self._clock.seconds() + self._gather_s
        self._under_way += 1
        messages, self._waiting = self._waiting, []
        notes, self._notes = self._notes, []
        running: Any = self._threads.run(self._batches.commit, messages, notes, self._leaving.surplus())
        running.addBoth(self._end, messages, notes)

    def _end(self, surprise: Any, messages: list[Finishing], notes: list[Noting]) -> None:
        # The next batch begins before these are answered: its flushes run while the answers are written.
        self._busy = False
        self._go_on()
        if surprise is not None:
            self._batches.give_up(surprise.value, messages, notes)
        self._answers.give([
            *(partial(self._answer, message) for message in messages),
            *(partial(self._tell, noting) for noting in notes),
            partial(self._answered, [noting.noted for noting in notes if noting.noted is not None and noting.finished]),
        ])

    def _answer(self, message: Finishing) -> None:
        try:
            self._ended(message)
        finally:
            for answer in message.answers:
                if message.failure is not None:
                    answer.errback(try_again(message.failure))
                else:
                    answer.callback(None)

    def _tell(self, noting: Noting) -> None:
        if noting.failure is not None:
            noting.answer.errback(noting.failure)
        else:
            noting.answer.callback(None)

    def _answered(self, finished: Sequence[Noted]) -> None:
        self._under_way -= 1
        self._leaving.add(finished)
        self._retire_soon()
        self._tell_idle()

    def _tell_idle(self) -> None:
        if self._under_way or self._notes:
            return
        waiters, self._idle = self._idle, []
        for waiter in waiters:
            waiter.callback(None)
