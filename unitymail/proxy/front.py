"""The outermost part of a door: outside TLS, before the banner, it finds out for whom a load balancer speaks.

Knows from which addresses a PROXY header is required, and that it is refused from all others. Refuses to know what the
protocols behind it do with the address, and how a header is written (`header`).

*Note: out of the way.* The protocol behind begins when the address is known, and sees it as its transport's. As soon
as the header is read, or the client's first octets are none, it takes the transport over for good: what comes from then
on does not pass here.

*Note: the balancer itself.* A balancer that says for nobody that it speaks (LOCAL, UNKNOWN, a UNIX socket) may check
its health, or hide the world. Its address is marked (`%proxy`), and the policies trust no such address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.metrics import IMetrics, Unmeasured
from unitymail.mail.reply import Reply
from unitymail.policy.access import PROXY_ITSELF, Pattern, plain_address
from unitymail.proxy.header import BadHeader, Header, HeaderReader, is_header

WITHIN_S = 5
MOST_WAITING = 1_000
"""Connections of a door from which a header is still to come."""
LINGER_S = 10

NOT_YOURS = Reply(
    554, "5.7.1", "PROXY headers are not taken from your address; connect without one, or add it to proxy_from"
)
NO_HEADER = Reply(421, "4.4.2", f"From your address a PROXY header is due within {WITHIN_S} seconds; none came")
TOO_MANY = Reply(421, "4.3.2", "Too many connections wait for their PROXY header; please try again in a minute")


class Front(Factory):
    """Makes a connection known to the factory `behind` it: a door, or the TLS around one.

    `balancers` are the addresses that must say for whom they speak. `words` makes of a reply what the door says before
    it closes, b"" where nothing can be said. `door` is its name in the journal.
    """

    noisy = False

    def __init__(
        self, behind: Any, *, door: str, balancers: Sequence[Pattern], words: Callable[[Reply], bytes],
        journal: IJournal, clock: Any, metrics: IMetrics | None = None,
    ) -> None:  # fmt: skip
        self.behind = behind
        self.door = door
        self.words = words
        self.journal = journal
        self.clock = clock
        self.metrics = metrics or Unmeasured()
        self.waiting = 0
        self._balancers = balancers

    def logPrefix(self) -> str:
        return f"the {self.door} door"

    def doStart(self) -> None:
        self.behind.doStart()
        super().doStart()

    def doStop(self) -> None:
        self.behind.doStop()
        super().doStop()

    def buildProtocol(self, addr: IAddress | None) -> Arrival:
        return Arrival(self)

    def is_balancer(self, ip: str) -> bool:
        if not self._balancers:
            return False
        address = plain_address(ip)
        return address is not None and any(pattern.matches(address) for pattern in self._balancers)


class Arrival(Protocol):
    """A connection until the protocol behind takes it over."""

    transport: Any

    def __init__(self, front: Front) -> None:
        self._front = front
        self._reader: HeaderReader | None = None
        self._behind: IProtocol | None = None
        self._first = b""
        self._passing = self._over = False
        self._timer: Any = None

    def connectionMade(self) -> None:
        front = self._front
        if not front.is_balancer(self._ip()):
            self._begin()
        elif front.waiting >= MOST_WAITING:
            self._refuse(TOO_MANY)
        else:
            front.waiting += 1
            self._reader = HeaderReader()
            self._timer = front.clock.callLater(WITHIN_S, self._refuse, NO_HEADER)

    def dataReceived(self, data: bytes) -> None:
        if self._over:
            return
        if self._passing:
            assert self._behind is not None
            self._behind.dataReceived(data)
        elif self._reader is not None:
            self._read(self._reader, data)
        else:
            self._look_at(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._over = True
        self._wait_no_more()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._behind is not None:
            self._behind.connectionLost(reason)

    def _read(self, reader: HeaderReader, data: bytes) -> None:
        try:
            found = reader.feed(data)
        except BadHeader as bad:
            self._refuse(Reply(554, "5.5.1", f"From your address a PROXY header is due first, and this is none: {bad}"))
            return
        if found is None:
            return
        header, rest = found
        self._wait_no_more()
        self._timer.cancel()
        address = self._address(header)
        self.transport.getPeer = lambda: address
        self._begin()
        self._pass_on(rest)

    def _look_at(self, data: bytes) -> None:
        """What a client says first that is not to send a header."""
        self._first += data
        match is_header(self._first):
            case "yes":
                self._refuse(NOT_YOURS)
            case "no":
                self._pass_on(self._first)

    def _begin(self) -> None:
        """The address is known (see Note: out of the way)."""
        self._behind = self._front.behind.buildProtocol(self.transport.getPeer())
        self._behind.makeConnection(self.transport)

    def _pass_on(self, octets: bytes) -> None:
        self._passing = True
        self._first = b""
        self.transport.protocol = behind = self._behind
        if octets and not self._over:
            assert behind is not None
            behind.dataReceived(octets)

    def _refuse(self, reply: Reply) -> None:
        front = self._front
        self._over = True
        self._wait_no_more()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        front.journal.turned_away(front.door, self._ip(), reply)
        front.metrics.turned_away(front.door, str(reply.code))
        words = front.words(reply)
        if not words:
            self.transport.abortConnection()
            return
        self.transport.write(words)
        self.transport.loseConnection()
        self._timer = front.clock.callLater(LINGER_S, self.transport.abortConnection)

    def _wait_no_more(self) -> None:
        if self._reader is not None:
            self._reader = None
            self._front.waiting -= 1

    def _ip(self) -> str:
        return getattr(self.transport.getPeer(), "host", "") or ""

    def _address(self, header: Header) -> IPv4Address | IPv6Address:
        """The client's, or the balancer's own, marked (see Note: the balancer itself)."""
        source, port = header.source, header.port
        if not source:
            source, port = self._ip().partition("%")[0] + PROXY_ITSELF, self.transport.getPeer().port
        return (IPv6Address if ":" in source else IPv4Address)("TCP", source, port)
