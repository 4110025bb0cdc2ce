"""The way out of one connection: octets with back-pressure, so that memory is bounded whatever is asked.

One push producer for the life of the connection. Refuses to know what the octets mean. A client that does not read is
given `STALL_S` seconds without any progress, then `stalled` is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

STALL_S = 120


@implementer(IPushProducer)
class Outlet:
    """`full`: the transport holds enough. `gone`: nobody is left to read. `octets`: how many were written so far."""

    __slots__ = ("_clock", "_stalled", "_timer", "_transport", "_waiting", "full", "gone", "octets")

    def __init__(self, transport: Any, clock: Any, stalled: Callable[[], None]) -> None:
        self.full = False
        self.gone = False
        self.octets = 0
        self._transport = transport
        self._clock = clock
        self._stalled = stalled
        self._waiting: list[Deferred[None]] = []
        self._timer: Any = None
        transport.registerProducer(self, True)

    def write(self, octets: bytes) -> None:
        self.octets += len(octets)
        self._transport.write(octets)

    def drained(self) -> Deferred[None]:
        """Fires when the transport wants more, and when nobody is left to read."""
        waiting: Deferred[None] = Deferred()
        if self.full and not self.gone:
            self._waiting.append(waiting)
        else:
            waiting.callback(None)
        return waiting

    def close(self) -> None:
        """Nothing more will be written: let the transport end once it is empty."""
        self._transport.unregisterProducer()
        self.resumeProducing()

    def pauseProducing(self) -> None:
        self.full = True
        if self._timer is None:
            self._timer = self._clock.callLater(STALL_S, self._stall)

    def _stall(self) -> None:
        self._timer = None
        self._stalled()

    def resumeProducing(self) -> None:
        self.full = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)

    def stopProducing(self) -> None:
        self.gone = True
        self.resumeProducing()
