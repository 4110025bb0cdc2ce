"""A command with nothing to do until the client speaks or something happens (IDLE): kept as a few words of memory.

Thousands of clients idle; a coroutine that waits costs each of them several kilobytes. Refuses to know what happens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from unitymail.imap.registry import Done
from unitymail.imap.wire.assembly import Overlong

SLICE_S = 0.004


class Parked(Protocol):
    """What a command returns in the place of `Done` when it waits."""

    woken: bool
    """Something has happened that it was not asked about yet."""

    async def go_on(self, said: bytes | Overlong | None) -> Done | Parked:
        """The client said a line, or (None) something happened. What waits on gives itself back."""

    def leave(self) -> None:
        """It is over, or the connection is; nothing is to be left behind."""


@dataclass(frozen=True, slots=True)
class Parking:
    """A parked command, and what is needed for its tagged response."""

    command: Parked
    tag: bytes
    name: str
    begun: float


class Beating(Protocol):
    def beat(self) -> None:
        """The time has come; whoever wants to be called again adds itself."""


class Beats:
    """Calls many, each `period_s` seconds after it was added, to the second; one timer for all of them."""

    def __init__(self, clock: Any, period_s: int) -> None:
        self._clock = clock
        self._period_s = period_s
        self._due: dict[int, set[Beating]] = {}
        self._timer: Any = None

    def add(self, one: Beating) -> int:
        """When it will be called: to be said when it is removed."""
        due = math.ceil(self._clock.seconds()) + self._period_s
        self._due.setdefault(due, set()).add(one)
        self._wind()
        return due

    def remove(self, one: Beating, due: int) -> None:
        at_once = self._due.get(due)
        if at_once is not None:
            at_once.discard(one)
            if not at_once:
                del self._due[due]
                self._wind()

    def _wind(self) -> None:
        if not self._due and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elif self._due and self._timer is None:
            self._timer = self._clock.callLater(max(next(iter(self._due)) - self._clock.seconds(), 0), self._go)

    def _go(self) -> None:
        """In slices, so that thousands at the same second do not hold the reactor."""
        self._timer = None
        began = self._clock.seconds()
        for due in tuple(self._due):
            at_once = self._due.get(due, set())
            while at_once and due <= began and self._clock.seconds() - began <= SLICE_S:
                at_once.pop().beat()
            if at_once:
                break
            self._due.pop(due, None)
        self._wind()
