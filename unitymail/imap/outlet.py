"""The way out of one connection: octets with back-pressure, so that memory is bounded whatever is asked.

One push producer for the life of the connection. Refuses to know what the octets mean; `squeeze` makes them smaller on
their way. A client that does not read is given `STALL_S` seconds without any progress, then `stalled` is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from unitymail.imap.deflate import Deflating
from unitymail.interfaces.turns import ITurns

STALL_S = 120


@implementer(IPushProducer)
class Outlet:
    """`full`: enough is on its way. `gone`: nobody is left to read. `octets`: how many the transport got so far."""

    __slots__ = ("_clock", "_closing", "_deflating", "_ending", "_stalled", "_timer", "_transport", "_waiting",
                 "full", "gone", "octets")  # fmt: skip

    def __init__(self, transport: Any, clock: Any, stalled: Callable[[], None]) -> None:
        self.full = False
        self.gone = False
        self.octets = 0
        self._transport = transport
        self._clock = clock
        self._stalled = stalled
        self._waiting: list[Deferred[None]] = []
        self._timer: Any = None
        self._deflating: Deflating | None = None
        self._closing = self._ending = False
        transport.registerProducer(self, True)

    def write(self, octets: bytes) -> None:
        if self._deflating is None:
            self._pass_on(octets)
        elif not self.gone:
            self._deflating.write(octets)
            self.full = self.full or self._deflating.waiting > 0

    def squeeze(self, turns: ITurns) -> None:
        """From now on compressed (RFC 4978)."""
        self._deflating = Deflating(self._pass_on, turns=turns, clock=self._clock, emptied=self._emptied)
        self._deflating.held = self.full

    @property
    def squeezes(self) -> bool:
        return self._deflating is not None

    def _pass_on(self, octets: bytes) -> None:
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
        """Nothing more will be written."""
        self._closing = True
        if self._deflating is None or not self._deflating.waiting:
            self._let_go()

    def end(self) -> None:
        """After `close`: let the transport end once everything is out."""
        self._ending = True
        if self._deflating is None or not self._deflating.waiting:
            self._transport.loseConnection()

    def _let_go(self) -> None:
        if self._deflating is not None:
            self._deflating.finish()
        self._transport.unregisterProducer()
        self.resumeProducing()
        if self._ending:
            self._transport.loseConnection()

    def _emptied(self) -> None:
        """What waited to be compressed is with the transport."""
        if self._closing:
            self._let_go()
        elif self._deflating is not None and not self._deflating.held:
            self._wake()

    def pauseProducing(self) -> None:
        self.full = True
        if self._deflating is not None:
            self._deflating.held = True
        if self._timer is None:
            self._timer = self._clock.callLater(STALL_S, self._stall)

    def _stall(self) -> None:
        self._timer = None
        self._stalled()

    def resumeProducing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._deflating is not None:
            self._deflating.go_on()
            if self._deflating.waiting:
                return
        self._wake()

    def _wake(self) -> None:
        self.full = False
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)

    def stopProducing(self) -> None:
        self.gone = True
        if self._deflating is not None:
            self._deflating.leave()
        self.resumeProducing()
