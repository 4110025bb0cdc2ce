"""The relaying client: one pool of connections for each next hop, made when first needed.

Knows which pool a message belongs to; refuses to know whose message it is and when it is tried again. A hop that was
changed in the directory is another one: no connection to where it was before is used for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from zope.interface import implementer

from unitymail.interfaces.relay import Attempt, IRelay, Outgoing
from unitymail.interfaces.threads import IThreads
from unitymail.relay.connecting import Connector
from unitymail.relay.dns import Names
from unitymail.relay.pool import Pool
from unitymail.relay.tls import ClientTls
from unitymail.routing.next_hop import NextHop


def _as_it_is(password: bytes) -> bytes:
    return password


@implementer(IRelay)
class Relay:
    """`host` is our name in EHLO, `connections` gives how many a hop may have at once, `certificate` and `key` are the
    files of the pair that peers are shown. `prepared` makes one form of the spellings of a password (SASLprep);
    `resolver` is one of twisted.names.
    """

    def __init__(
        self, *, host: str, reactor: Any, threads: IThreads, connections: Callable[[], int], certificate: str = "",
        key: str = "", prepared: Callable[[bytes], bytes] = _as_it_is, resolver: Any = None,
    ) -> None:  # fmt: skip
        self._reactor = reactor
        self._threads = threads
        self._connections = connections
        self._tls = ClientTls(threads=threads, certificate=certificate, key=key)
        self._connector = Connector(
            identity=host, reactor=reactor, threads=threads, names=Names(reactor=reactor, resolver=resolver),
            tls=self._tls, prepared=prepared,
        )  # fmt: skip
        self._pools: dict[NextHop, Pool] = {}
        self._closing = False

    def send(self, hop: NextHop, outgoing: Outgoing) -> Deferred[Attempt | None]:
        if outgoing.require_tls:
            hop = hop.requiring_tls()
        pool = self._pools.get(hop)
        if pool is None:
            pool = self._new_pool(hop)
        return pool.send(outgoing)

    def _new_pool(self, hop: NextHop) -> Pool:
        """Where the hop was changed, who waits for what it was before, or is under way there, is let be."""
        self._pools = {each: pool for each, pool in self._pools.items() if each.key != hop.key or not pool.is_empty}
        pool = self._pools[hop] = Pool(
            hop, connector=self._connector, limit=self._connections, clock=self._reactor, threads=self._threads
        )
        if self._closing:
            pool.close()
        return pool

    def most(self, hop: NextHop) -> int:
        return 2 * self._connections()

    def reload(self) -> None:
        """Our certificate was renewed: connections that follow show the new one."""
        self._tls.forget()

    async def close(self) -> None:
        self._closing = True
        await gatherResults([pool.close() for pool in self._pools.values()])
