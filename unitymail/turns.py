"""Watches how long the reactor's turns are, in CPU time of its own thread: nobody may hold the others up.

Knows the poller of Twisted's epoll reactor; refuses to know what a turn did.

*Note: a few at a time.* However many sockets are ready, a turn serves a few of them, and fewer when they cost much:
once its share of CPU is used it leaves the others to the next, to which the kernel tells them again. The kernel gives
them in rotation, so each has its turn, and after a turn that was cut the next asks for no more than it could serve. A
thousand clients that begin TLS at the same moment, a millisecond of CPU each, then cost somebody else a few
milliseconds, and not a second; and what is due by the clock is done in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

LONG_TURN_S = 0.010
EVENTS_A_TURN = 12
SHARE_S = 0.004
"""CPU seconds after which a turn begins with no further socket."""


class TurnWatch:
    """`longest` is the longest turn so far, CPU seconds; `on_long` hears of each turn over `LONG_TURN_S`."""

    def __init__(self, on_long: Callable[[float], None], cpu: Callable[[], float] = time.thread_time) -> None:
        self.longest = 0.0
        self.long_turns = 0
        self._on_long = on_long
        self._cpu = cpu
        self._before: float | None = None

    def waits(self) -> None:
        """A turn is over: the reactor is about to wait. Waiting costs no CPU, so one look a turn is enough."""
        now, before = self._cpu(), self._before
        self._before = now
        if before is None:
            return
        took = now - before
        self.longest = max(self.longest, took)
        if took > LONG_TURN_S:
            self.long_turns += 1
            self._on_long(took)

    def used_its_share(self) -> bool:
        """Whether this turn took as much as sockets may use of one."""
        return self._before is not None and self._cpu() - self._before > SHARE_S

    def forget(self) -> None:
        """Start-up is not a turn that held anybody up."""
        self._before = None
        self.longest = 0.0
        self.long_turns = 0

    def watch(self, reactor: Any) -> bool:
        """Put the watch between the reactor and its poller; False where the reactor has none that we know."""
        poller = getattr(reactor, "_poller", None)
        if not hasattr(poller, "poll"):
            return False
        reactor._poller = _WatchedPoller(poller, self)
        return True


class _WatchedPoller:
    def __init__(self, poller: Any, watch: TurnWatch) -> None:
        self._poller = poller
        self._watch = watch
        self._most = EVENTS_A_TURN

    def poll(self, timeout: float, most: int) -> Iterator[Any]:
        self._watch.waits()
        return self._while_there_is_time(self._poller.poll(timeout, min(most, self._most)))

    def _while_there_is_time(self, events: list[Any]) -> Iterator[Any]:
        """The reactor takes them one by one, so the last look at the clock tells what those before have cost."""
        for served, event in enumerate(events):
            if served and self._watch.used_its_share():
                self._most = served
                return
            yield event
        self._most = min(self._most + 1, EVENTS_A_TURN)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)
