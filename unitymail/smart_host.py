"""Which IP addresses the smart host and the peers' hosts have now: what the doors know them by when they come.

Refuses to know how mail gets there, and what an address is good for (`policy.access`).
"""

from __future__ import annotations

import ipaddress
import socket
from abc import ABC, abstractmethod
from typing import Any

from twisted.internet.task import LoopingCall

from unitymail.interfaces.book import IBook
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.threads import IThreads

AGAIN_S = 60.0


class HostAddresses(ABC):
    """Call it for the newest addresses. Looked up at start, each minute, and when the directory changes (`look`).

    A host that cannot be looked up keeps the addresses it had; the journal tells of it once.
    """

    def __init__(self, *, book: IBook, threads: IThreads, journal: IJournal, clock: Any) -> None:
        self._book = book
        self._threads = threads
        self._journal = journal
        self._found: dict[str, frozenset[str]] = {}
        self._known: frozenset[str] = frozenset()
        self._lost: set[str] = set()
        self._looking = False
        self._again = False
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def __call__(self) -> frozenset[str]:
        return self._known

    @abstractmethod
    def hosts(self, book: IBook) -> dict[str, str]:
        """Names and addresses of hosts, each with what it is in a sentence."""

    def start(self) -> None:
        self._journal.guard(self._loop.start(AGAIN_S), "looking up hosts")

    def stop(self) -> None:
        if self._loop.running:
            self._loop.stop()

    def look(self) -> None:
        """The directory may name other hosts now."""
        if self._loop.running:
            self._loop.reset()
            self._journal.guard(self._look(), "looking up hosts")

    async def _look(self) -> None:
        """One look at a time: a change meanwhile is seen by one more, however many they are."""
        self._again = True
        if self._looking:
            return
        self._looking = True
        try:
            while self._again:
                self._again = False
                await self._look_once()
        finally:
            self._looking = False

    async def _look_once(self) -> None:
        hosts = self.hosts(self._book)
        for host, what in hosts.items():
            addresses = await self._addresses_of(host, what)
            if addresses is not None:
                self._found[host] = addresses
        # The directory may have changed while a name was looked up: what it names now has the last word.
        wanted = self.hosts(self._book)
        self._found = {host: addresses for host, addresses in self._found.items() if host in wanted}
        self._lost &= wanted.keys()
        self._known = frozenset().union(*self._found.values())

    async def _addresses_of(self, host: str, what: str) -> frozenset[str] | None:
        try:
            return frozenset({str(ipaddress.ip_address(host.strip("[]")))})
        except ValueError:
            pass
        try:
            found = await self._threads.run(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            if host not in self._lost:
                self._lost.add(host)
                self._journal.trouble(f"{what} {host} cannot be looked up", error)
            return None
        self._lost.discard(host)
        return frozenset(str(entry[4][0]) for entry in found)


class SmartHostAddresses(HostAddresses):
    """Mail from these addresses is the smart host's."""

    def hosts(self, book: IBook) -> dict[str, str]:
        host = book.site.smart_host_host
        return {host: "the smart host"} if host and not host.startswith("mx:") else {}


class PeerAddresses(HostAddresses):
    """Who comes from one of these may prove to be a peer."""

    def hosts(self, book: IBook) -> dict[str, str]:
        return {peer.host: f"the host of the peer {peer.name}," for peer in book.peers()}
