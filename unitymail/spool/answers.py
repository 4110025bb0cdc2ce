"""Answers to many, given in the reactor thread a few milliseconds' worth at a time.

Whoever is answered goes on at once, and others want their turn of the reactor, too. An answer that raises is its own
trouble: those behind it have their turn all the same. Refuses to know what is answered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

A_TURN_S = 0.002


class Answers:
    """Reactor thread only; `clock` is the reactor."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._waiting: deque[Iterator[Callable[[], object]]] = deque()
        self._going = False

    def give(self, answers: Iterable[Callable[[], object]]) -> None:
        """Make these calls in order, after those that were asked for before; each is asked for when it is its turn."""
        self._waiting.append(iter(answers))
        if not self._going:
            self._going = True
            self._go_on()

    def _go_on(self) -> None:
        seconds = self._clock.seconds
        enough = seconds() + A_TURN_S
        try:
            while self._waiting:
                for answer in self._waiting[0]:
                    answer()
                    if seconds() >= enough:
                        self._clock.callLater(0, self._go_on)
                        return
                self._waiting.popleft()
        except BaseException:
            self._clock.callLater(0, self._go_on)
            raise
        self._going = False
