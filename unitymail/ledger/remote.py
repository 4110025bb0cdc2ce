"""The ledger as a process sees it that does not keep it: asks, and waits for the answer a bounded time.

Knows that an answer may be late, may never come, and may come for somebody who left. Refuses to know how words travel.

Note *No place is lost*. A place that is granted to nobody any more (the asker gave up, or we stopped waiting for the
answer) is given back as soon as the answer is there. When this process dies, the keeper takes back all it had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, fail
from zope.interface import implementer

from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.ledger import Count, Full, ILedger, Ticket
from unitymail.ledger.words import Back, Filled, Take, Taken, Word
from unitymail.mail.reply import Reply

WITHIN_S = 5.0
NO_ANSWER = Reply(421, "4.3.2", "Too busy here; please try again later")


@dataclass(slots=True)
class _Asked:
    counts: Sequence[Count]
    answer: Deferred[Ticket | Full]
    alarm: Any


@implementer(ILedger)
class RemoteLedger:
    """`say` sends a word to the keeper; give its answers to `hear`. Call `lost` when it cannot be reached any more."""

    def __init__(self, say: Callable[[Word], None], clock: Any, within: float = WITHIN_S) -> None:
        self._say = say
        self._clock = clock
        self._within = within
        self._asked: dict[int, _Asked] = {}
        self._next = 1
        self._lost = False

    def take(self, counts: Sequence[Count], note: str = "") -> Deferred[Ticket | Full]:
        if self._lost:
            return fail(_no_answer())
        number, self._next = self._next, self._next + 1
        answer: Deferred[Ticket | Full] = Deferred(lambda _: self._forget(number))
        alarm = self._clock.callLater(self._within, self._too_late, number)
        self._asked[number] = _Asked(counts, answer, alarm)
        self._say(Take(number, tuple(counts), note))
        return answer

    def give_back(self, ticket: Ticket) -> None:
        if not self._lost:
            self._say(Back(ticket.number))

    def hear(self, word: Word) -> None:
        """An answer. One that nobody waits for any more frees what it granted."""
        match word:
            case Taken(number, ticket):
                if (asked := self._give_up(number)) is not None:
                    asked.answer.callback(Ticket(ticket))
                else:
                    self.give_back(Ticket(ticket))
            case Filled(number, index, notes):
                if (asked := self._give_up(number)) is not None:
                    asked.answer.callback(Full(asked.counts[index], notes))

    def lost(self) -> None:
        """The keeper is gone: nobody gets a place any more."""
        self._lost = True
        for number in list(self._asked):
            self._too_late(number)

    def _forget(self, number: int) -> None:
        self._give_up(number)

    def _give_up(self, number: int) -> _Asked | None:
        asked = self._asked.pop(number, None)
        if asked is not None and asked.alarm.active():
            asked.alarm.cancel()
        return asked

    def _too_late(self, number: int) -> None:
        if (asked := self._give_up(number)) is not None:
            asked.answer.errback(_no_answer())


def _no_answer() -> TryAgain:
    return TryAgain(NO_ANSWER, why="the process that keeps count of connections does not answer")
