"""The doors' ports: clients are let in a few at a time, and only while there are descriptors for what they will need.

Knows accept(2), its errors and the process's limit of open files; refuses to know what is said at a door.

*Note: room for files.* A client that is let in needs files: its message, a mailbox and its index. The kernel gives the
lowest descriptor that is free, so the number of a new connection tells how many are open. From a certain one on a
client is told to come again, in the door's own words, and the descriptors that are left serve those who are inside:
half of all, 1,024 at most, are for open indexes (`store.open_indexes`), and an eighth, 256 at most, for messages.

*Note: no spinning.* Stock Twisted keeps one descriptor in reserve; once a thread has got hold of that one, accept fails
again and again without a pause, at the cost of a whole core. Here the port rests after a failure, and those who wait do
so in the kernel's queue.
"""

from __future__ import annotations

import errno
import math
import resource
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet import tcp
from twisted.logger import Logger

AT_ONCE = 16
"""Clients let in during one turn of the reactor: a crowd at the door holds up nobody inside."""
SHARE_S = 0.002
"""CPU seconds after which the others of a crowd wait for the next turn: a client may cost half a millisecond (TLS)."""
REST_S = 0.5
TELL_EVERY_S = 60.0
MOST_ROOM = 1024 + 256
GONE = (errno.ECONNABORTED, errno.EPERM, errno.EPROTO)
"""The client, or the packet filter, thought better of it: the next one may be fine (accept(2))."""


def most_connections(limit: int) -> int:
    """The descriptor from which on new connections are refused, where a process may have `limit`."""
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit - min(MOST_ROOM, limit * 5 // 8)


class Entrance(tcp.Port):
    """A listening port. `refusal` is said to a client for whom there is no room, and `refused` hears its address.

    `failed` hears of an error of accept, and for a minute of no other.
    """

    refusal = b""
    factory: Any
    reactor: Any
    transport: Any
    _log = Logger()
    _resting: Any = None
    _open = False
    _told = -math.inf

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refused: Callable[[str], None] = lambda host: None
        self.failed: Callable[[OSError], None] = lambda error: None
        self.cpu = time.thread_time
        self.most = most_connections(resource.getrlimit(resource.RLIMIT_NOFILE)[0])

    def startReading(self) -> None:
        self._open = True
        if self._resting is None:
            super().startReading()

    def stopReading(self) -> None:
        self._open = False
        super().stopReading()

    def doRead(self) -> None:
        until = self.cpu() + SHARE_S
        for already in range(AT_ONCE):
            if already and self.cpu() > until:
                return
            try:
                connection, address = self.socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in GONE:
                    continue
                return self._rest(error)
            try:
                if connection.fileno() >= self.most:
                    self._refuse(connection, address[0])
                else:
                    self._let_in(connection, address)
            except Exception:
                # The reactor would close the port for it, and nobody came in any more.
                self._log.failure("letting a client in")
                connection.close()

    def _let_in(self, connection: socket.socket, address: Any) -> None:
        if len(address) == 4 and address[3]:
            address = (socket.getnameinfo(address, socket.NI_NUMERICHOST)[0], *address[1:])
        protocol = self.factory.buildProtocol(self._buildAddr(address))
        number = self.sessionno
        self.sessionno = number + 1
        transport: Any = self.transport(connection, protocol, address, self, number, self.reactor)
        try:
            protocol.makeConnection(transport)
        except Exception:
            self._log.failure("letting a client in")
            transport.abortConnection()

    def _refuse(self, connection: socket.socket, host: str) -> None:
        """Its buffer is empty yet: the words are taken at once, or the client is gone."""
        with suppress(OSError):
            connection.send(self.refusal)
        connection.close()
        self.refused(host)

    def _rest(self, error: OSError) -> None:
        """Try again a little later; whoever waits at the door is kept by the kernel meanwhile."""
        super().stopReading()
        self._resting = self.reactor.callLater(REST_S, self._go_on)
        now = self.reactor.seconds()
        if now - self._told >= TELL_EVERY_S:
            self._told = now
            self.failed(error)

    def _go_on(self) -> None:
        self._resting = None
        if self._open:
            super().startReading()

    def connectionLost(self, reason: Any) -> None:
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        super().connectionLost(reason)

