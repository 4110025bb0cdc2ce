"""What connections have to say leaves at the end of the reactor's turn, without asking the poller first.

Knows that a socket nearly always takes a reply at once; refuses to know what is said. Stock Twisted registers a
socket with the poller for every write, sends in the turn after, and takes it out again: two system calls and half a
turn for each reply. Here only what the socket did not take waits for the poller.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import tcp
from twisted.logger import Logger


class Departures:
    """Makes the transports of a listening port (`port.transport`). All that leaves in a turn is one timed call."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._waiting: list[Prompt] = []

    def __call__(self, *args: Any) -> Prompt:
        transport = Prompt(*args)
        transport.departures = self
        return transport

    def add(self, transport: Prompt) -> None:
        if not self._waiting:
            self._reactor.callLater(0, self._leave)
        self._waiting.append(transport)

    def _leave(self) -> None:
        waiting, self._waiting = self._waiting, []
        for transport in waiting:
            transport.depart()


class Prompt(tcp.Server):
    """A server's end of a connection. `_polled`: the poller tells when the socket takes more."""

    departures: Departures
    _log = Logger()
    _leaves = False
    _polled = False

    def startWriting(self) -> None:
        if not self._leaves and not self._polled:
            self._leaves = True
            self.departures.add(self)

    def stopWriting(self) -> None:
        if self._polled:
            self._polled = False
            super().stopWriting()

    def depart(self) -> None:
        self._leaves = False
        if not self.connected:
            return
        try:
            ended = self.doWrite()
        except Exception:
            self._log.failure("writing to a connection")
            self.abortConnection()
            return
        # An end (`loseConnection`, or the peer went) is for the reactor to act on: it asks once more and hears of it.
        if ended is not None or self.dataBuffer or (self._tempDataBuffer and not self._leaves):
            self._polled = True
            super().startWriting()
