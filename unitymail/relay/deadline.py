"""A moment that is put off with every reply: one timer runs for many of them, and looks when it rings.

Refuses to know what it is the end of.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


class Deadline:
    """`passed` is called once the moment is there, unless another was set meanwhile."""

    __slots__ = ("_at", "_clock", "_passed", "_rings_at", "_timer")

    def __init__(self, clock: Any, passed: Callable[[], None]) -> None:
        self._clock = clock
        self._passed = passed
        self._at = math.inf
        self._timer: Any = None
        self._rings_at = math.inf

    def set(self, seconds: float) -> None:
        """From now; instead of the one before."""
        self._at = at = self._clock.seconds() + seconds
        if at < self._rings_at:
            self._ring_in(seconds)

    def lift(self) -> None:
        """There is none, for now."""
        self._at = math.inf

    def end(self) -> None:
        """There is none any more, and nothing runs."""
        self.lift()
        if self._timer is not None:
            self._timer.cancel()
            self._forget()

    def _ring_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = self._clock.seconds() + seconds
        self._timer = self._clock.callLater(seconds, self._look)

    def _forget(self) -> None:
        self._timer = None
        self._rings_at = math.inf

    def _look(self) -> None:
        self._forget()
        if self._at == math.inf:
            return
        left = self._at - self._clock.seconds()
        if left > 0:
            self._ring_in(left)
        else:
            self._passed()
