"""The page that Prometheus reads: GET /metrics on a loopback port, and nothing else there.

Knows HTTP by twisted.web; refuses to know what is counted. Nobody is asked who he is, so the port must not be reached
from other machines; who is on this one may see the numbers, which hold no address and no name of a user.

Note *Who waits for whom*. Nobody on this machine keeps a collector out, and none makes the node hold many pages: of too
many connections the one that asked longest ago is ended, and who asks again before he has read is cut off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, HTTPFactory, Request

from unitymail.interfaces.journal import IJournal

WHERE = b"/metrics"
TYPE = b"text/plain; version=0.0.4; charset=utf-8"
NOTHING = b"There is GET /metrics here, and nothing else.\n"
MOST_CONNECTIONS = 16
"""A collector needs one; whoever leaves connections standing takes nobody's memory."""
IDLE_S = 120
"""Longer than collectors wait between two looks, mostly."""


class _Asked(Request):
    """One request. It has no body: whoever announces one is cut off, and nothing of it is kept."""

    channel: Any
    content: Any

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()
        if length != 0:
            self.channel.write(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            self.channel.loseConnection()

    def handleContentChunk(self, data: bytes) -> None:
        """Not kept."""

    def process(self) -> None:
        if self.method != b"GET" or self.uri.partition(b"?")[0] != WHERE:
            self._answer(404, NOTHING)
            return
        page = self.channel.factory
        if self.channel.choked:
            self.channel.transport.abortConnection()
            return
        page.asks(self.channel)
        page.journal.guard(self._show(page.text), "showing the metrics")

    async def _show(self, text: Callable[[], Awaitable[bytes]]) -> None:
        gone: list[Any] = []
        self.notifyFinish().addErrback(gone.append)
        code, body = 500, b""
        try:
            code, body = 200, await text()
        finally:
            if not gone:
                self._answer(code, body)

    def _answer(self, code: int, body: bytes) -> None:
        self.setResponseCode(code)
        self.setHeader(b"content-type", TYPE)
        self.setHeader(b"content-length", b"%d" % len(body))
        self.write(body)
        self.finish()


class _Visitor(HTTPChannel):
    """A connection to the page. `choked`: there is still something that it has not read."""

    factory: MetricsPage
    choked = False
    transport: Any
    requestFactory: Any = _Asked
    maxHeaders = 50
    totalHeadersSize = 8_192

    def connectionMade(self) -> None:
        super().connectionMade()
        self.factory.came(self)

    def pauseProducing(self) -> None:
        self.choked = True
        super().pauseProducing()

    def resumeProducing(self) -> None:
        self.choked = False
        super().resumeProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.open.pop(self, None)
        super().connectionLost(reason)


class MetricsPage(HTTPFactory):
    """The factory for a loopback port. `text` gives the numbers as Prometheus reads them.

    `open` are the connections that stand, those that asked longest ago first.
    """

    noisy = False
    protocol: Any = _Visitor

    def __init__(self, text: Callable[[], Awaitable[bytes]], *, journal: IJournal, clock: Any) -> None:
        super().__init__(timeout=IDLE_S, reactor=clock)
        self.text = text
        self.journal = journal
        self.open: dict[_Visitor, None] = {}

    def came(self, visitor: _Visitor) -> None:
        self.open[visitor] = None
        if len(self.open) > MOST_CONNECTIONS:
            next(iter(self.open)).transport.abortConnection()

    def asks(self, visitor: _Visitor) -> None:
        self.open[visitor] = self.open.pop(visitor, None)

    def startFactory(self) -> None:
        """No access log, and so no clock that ticks for it."""

    def stopFactory(self) -> None:
        """See `startFactory`."""

    def log(self, request: Any) -> None:
        """Who looks at the numbers is no event."""

    def close(self) -> None:
        """End the connections that stand."""
        for visitor in list(self.open):
            visitor.transport.abortConnection()
