"""Which IP addresses the smart host has now: mail from them is trusted. Refuses to know how mail gets there."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from twisted.internet.task import LoopingCall

from unitymail.interfaces.book import IBook
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.threads import IThreads

AGAIN_S = 60.0


class SmartHostAddresses:
    """Call it for the newest addresses. Looked up at start, each minute, and when the site settings change."""

    def __init__(self, *, book: IBook, threads: IThreads, journal: IJournal, clock: Any) -> None:
        self._book = book
        self._threads = threads
        self._journal = journal
        self._known: frozenset[str] = frozenset()
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def __call__(self) -> frozenset[str]:
        return self._known

    def start(self) -> None:
        self._journal.guard(self._loop.start(AGAIN_S), "looking up the smart host")

    def stop(self) -> None:
        if self._loop.running:
            self._loop.stop()

    def look(self) -> None:
        """The settings may name another host now."""
        if self._loop.running:
            self._loop.reset()
            self._journal.guard(self._look(), "looking up the smart host")

    async def _look(self) -> None:
        host = self._book.site.smart_host_host
        if not host or host.startswith("mx:"):
            self._known = frozenset()
            return
        try:
            self._known = frozenset({str(ipaddress.ip_address(host.strip("[]")))})
            return
        except ValueError:
            pass
        try:
            found = await self._threads.run(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        except OSError as error:
            self._journal.trouble(f"the smart host {host} cannot be looked up", error)
            return
        self._known = frozenset(str(entry[4][0]) for entry in found)
