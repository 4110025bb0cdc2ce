"""The reactor's time, shared fairly among the sessions of a process: together they take a bounded part of a turn.

Knows who waits; refuses to know for what.

*Note: what a turn is.* The reactor polls, hands out what was read, and runs the calls that are due, those of
`callLater(0)` made meanwhile included; then it polls again. So to let a turn end takes two such calls, one behind the
other. Stretches of work that follow each other closely are counted as one turn: that errs on the short side.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from unitymail.interfaces.turns import ITurns

SHARE_S = 0.005
"""What all sessions together may take of one turn."""
GAP_S = 0.0005


@implementer(ITurns)
class Turns:
    """One for the process. A session asks `begin` when it starts to work, `lasts` between two commands, then `end`."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._seconds: Callable[[], float] = clock.seconds
        self._ends = 0.0
        self._last = 0.0
        self._waiting: deque[Callable[[], None]] = deque()
        self._coming = False

    def begin(self) -> None:
        now = self._seconds()
        if now - self._last > GAP_S:
            self._ends = now + SHARE_S

    def lasts(self) -> bool:
        return self._seconds() < self._ends

    def end(self) -> None:
        self._last = self._seconds()

    def queue(self, work: Callable[[], None]) -> None:
        """Call `work` in a later turn, after those who wait already."""
        self._waiting.append(work)
        if not self._coming:
            self._coming = True
            self._clock.callLater(0, self._clock.callLater, 0, self._next)

    def _next(self) -> None:
        """A new turn: those who wait, as long as it lasts."""
        self._coming = False
        self._last = self._seconds()
        self._ends = self._last + SHARE_S
        waiting, self._waiting = self._waiting, deque()
        while waiting and self.lasts():
            waiting.popleft()()
        waiting.extend(self._waiting)
        self._waiting = deque()
        for work in waiting:
            self.queue(work)
