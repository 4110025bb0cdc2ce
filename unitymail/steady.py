"""Two clocks: one that only goes on, for whatever lasts a while, and the wall's, for dates and what is kept on disk.

Twisted counts by the wall's clock. Somebody sets it forward by an hour, and every connection of a node is told that it
was idle for too long; sets it back, and for an hour no time limit ends. So the reactor is given a steady clock, which
begins at the time of day and then counts seconds as they pass. Dates, retries that outlive the process and the age of
files want the other one.
"""

from __future__ import annotations

import time
from typing import Any


def make_steady(reactor: Any) -> None:
    """Let the reactor count seconds as they pass, whatever is done to the machine's clock; once is enough."""
    if getattr(reactor, "is_steady", False):
        return
    before = reactor.seconds
    ahead = before() - time.monotonic()
    monotonic = time.monotonic
    reactor.seconds = lambda: monotonic() + ahead
    reactor.is_steady = True


class WallClock:
    """The reactor, with the time of day: `callLater` counts seconds as they pass, `seconds` says what time it is."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    @staticmethod
    def seconds() -> float:
        return time.time()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)
