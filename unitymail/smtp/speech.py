"""What a session is about to say: the replies of a turn in one write, and one that is held back after many mistakes.

Knows when octets leave; refuses to know what they say, and what a mistake is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unitymail.smtp.meter import Meter


class Speech:
    """`let_go` is called when a reply need not be held back any more."""

    __slots__ = ("_clock", "_held", "_let_go", "_timer", "_waiting", "meter")

    def __init__(self, meter: Meter, clock: Any, let_go: Callable[[], None]) -> None:
        self.meter = meter
        self._clock = clock
        self._let_go = let_go
        self._waiting: list[bytes] = []
        self._held = b""
        self._timer: Any = None

    @property
    def holding(self) -> bool:
        """Whether a reply is held back: nothing may be answered before it."""
        return self._timer is not None

    def add(self, replies: bytes, hold_s: float = 0.0) -> None:
        """To be said with the next `leave`, or after so many seconds."""
        if not hold_s:
            self._waiting.append(replies)
            return
        self._held = replies
        self._timer = self._clock.callLater(hold_s, self.release)

    def release(self) -> None:
        """Hold nothing back any more."""
        self.forget_held()
        self._waiting.append(self._held)
        self._held = b""
        self._let_go()

    def forget_held(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def leave(self, transport: Any) -> None:
        """One write for all that waits."""
        waiting = self._waiting
        octets = waiting[0] if len(waiting) == 1 else b"".join(waiting)
        waiting.clear()
        if octets:
            self.meter.said(octets)
            transport.write(octets)
