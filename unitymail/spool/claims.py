"""Claiming many items with one job in a thread: what is asked while one job runs is done by the next.

Knows how to gather; refuses to know what claiming means.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from unitymail.interfaces.spool import Item
from unitymail.interfaces.threads import IThreads
from unitymail.spool.answers import Answers

AT_ONCE = 64
"""Items a job."""


class Claims:
    """`claim` is called in a thread for each trace; what it gives or raises is the answer. Reactor thread only."""

    def __init__(self, threads: IThreads, claim: Callable[[str], Item | None], answers: Answers) -> None:
        self._threads = threads
        self._answers = answers
        self._claim = claim
        self._asked: list[tuple[str, Deferred[Item | None]]] = []
        self._busy = False

    def ask(self, trace: str) -> Deferred[Item | None]:
        answer: Deferred[Item | None] = Deferred()
        self._asked.append((trace, answer))
        if not self._busy:
            self._begin()
        return answer

    def _begin(self) -> None:
        self._busy = True
        now, self._asked = self._asked[:AT_ONCE], self._asked[AT_ONCE:]
        running: Any = self._threads.run(self._claim_all, [trace for trace, _ in now])
        running.addCallback(self._answer, [answer for _, answer in now])

    def _claim_all(self, traces: list[str]) -> list[Item | Exception | None]:
        found: list[Item | Exception | None] = []
        for trace in traces:
            try:
                found.append(self._claim(trace))
            except Exception as error:
                found.append(error)
        return found

    def _answer(self, found: list[Item | Exception | None], answers: list[Deferred[Item | None]]) -> None:
        self._busy = False
        if self._asked:
            self._begin()
        self._answers.give(partial(_answer, answer, what) for what, answer in zip(found, answers, strict=True))


def _answer(answer: Deferred[Item | None], found: Item | Exception | None) -> None:
    if isinstance(found, Exception):
        answer.errback(found)
    else:
        answer.callback(found)
