"""From a hop to a connection that is ready for mail: its hosts, their addresses, and what to try next when one fails.

Knows the order of trying and its bounds; refuses to know what is sent then, and how many connections there are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import CancelledError
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectingCancelledError, TimeoutError
from twisted.internet.interfaces import IHostnameResolver, IReactorPluggableNameResolver
from twisted.internet.protocol import Factory
from zope.interface import implementer

from unitymail.interfaces.threads import IThreads
from unitymail.relay.client import Client
from unitymail.relay.dialogue import Dialogue
from unitymail.relay.dns import CannotFind, Names
from unitymail.relay.sasl import SaltedPasswords
from unitymail.relay.signing_in import SignIn
from unitymail.relay.tls import CannotVerify, ClientTls, Handshake, ascii_name
from unitymail.relay.trouble import Trouble, sentence
from unitymail.routing.next_hop import NextHop

CONNECT_S = 30.0
PATIENCE_S = 300.0
"""No further address is tried after this."""
LONGEST_PASSWORD = 4_096


class CannotConnect(Exception):
    """No connection of the hop is ready for mail, as `trouble` says; `dialogue` and `remote` are of the same try."""

    def __init__(self, trouble: Trouble, dialogue: Dialogue | None = None, remote: str = "") -> None:
        super().__init__(trouble.why)
        self.trouble = trouble
        self.dialogue = dialogue or Dialogue()
        self.remote = remote

    def unless_better(self, before: CannotConnect | None) -> CannotConnect:
        """This one, or that of an earlier try: what somebody said tells more than that nobody is there."""
        return before if before is not None and before.remote and not self.remote else self


class Connector:
    """Makes connections. `identity` is our name in EHLO; `prepared` as in `relay.signing_in`."""

    def __init__(
        self, *, identity: str, reactor: Any, threads: IThreads, names: Names, tls: ClientTls,
        prepared: Callable[[bytes], bytes],
    ) -> None:  # fmt: skip
        self._identity = identity
        self._reactor = reactor
        self._threads = threads
        self._names = names
        self._tls = tls
        self._prepared = prepared
        self._salted = SaltedPasswords()

    async def open(self, hop: NextHop, made: Callable[[Client], None], ended: Callable[[Client], None]) -> Client:
        """A connection ready for mail. `made` hears of each that is tried, `ended` of its end. Raises CannotConnect."""
        give_up_at = self._reactor.seconds() + PATIENCE_S
        failed: CannotConnect | None = None
        try:
            password = await self._password(hop)
            for host in await self._names.hosts(hop.host, self._identity) if hop.mx else [hop.host]:
                try:
                    return await _Tries(self, hop, host, password, made, ended).connect(give_up_at)
                except CannotFind as lost:
                    failed = failed or CannotConnect(lost.trouble)
                except CannotConnect as refused:
                    failed = refused.unless_better(failed)
                if not failed.trouble.elsewhere or self._reactor.seconds() >= give_up_at:
                    break
        except CannotFind as lost:
            failed = CannotConnect(lost.trouble)
        raise failed or CannotConnect(Trouble("5.4.4", sentence(hop, "has no host that takes mail.")))

    async def _password(self, hop: NextHop) -> bytes:
        if not hop.username:
            return b""
        try:
            return await self._threads.run(_first_line, hop.password_file)  # type: ignore[no-any-return]
        except OSError as error:
            why = f"The password for {hop.name} cannot be read from {hop.password_file}: {error.strerror}."
            raise CannotConnect(Trouble("4.3.5", why, elsewhere=False)) from error

    async def handshake(self, hop: NextHop, host: str) -> Handshake | None:
        if hop.tls == "none":
            return None
        try:
            return await self._tls.handshake(hop, host)
        except CannotVerify as error:
            raise CannotConnect(Trouble("4.7.5", f"TLS to {hop.name}: {error}.", elsewhere=False)) from error

    async def addresses(self, host: str) -> list[str]:
        return await self._names.addresses(host)

    def sign_in(self, hop: NextHop, password: bytes) -> SignIn | None:
        if not hop.username:
            return None
        return SignIn(
            hop.username, password, threads=self._threads, prepared=self._prepared, salted=self._salted.salted
        )

    def endpoint(self, host: str, port: int, addresses: Sequence[str]) -> HostnameEndpoint:
        """Happy eyeballs (RFC 8305) over these addresses."""
        return HostnameEndpoint(_Resolved(self._reactor, addresses), ascii_name(host)[0], port, timeout=CONNECT_S)

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def clock(self) -> Any:
        return self._reactor


class _Tries:
    """The addresses of one host, until one gives a connection that is ready."""

    def __init__(
        self, connector: Connector, hop: NextHop, host: str, password: bytes, made: Callable[[Client], None],
        ended: Callable[[Client], None],
    ) -> None:  # fmt: skip
        self._connector = connector
        self._hop = hop
        self._host = host
        self._password = password
        self._made = made
        self._ended = ended
        self._in_the_clear = hop.tls == "none"

    async def connect(self, give_up_at: float) -> Client:
        addresses = await self._connector.addresses(self._host)
        refused: CannotConnect | None = None
        while True:
            try:
                client = await self._reach(addresses)
            except CannotConnect as unreachable:
                raise unreachable.unless_better(refused) from unreachable
            trouble = await client.ready
            if trouble is None:
                return client
            if trouble.in_the_clear and not self._in_the_clear:
                self._in_the_clear = True
                continue
            refused = CannotConnect(trouble, client.dialogue, client.remote)
            addresses = [each for each in addresses if each != client.address]
            if not trouble.elsewhere or not addresses or self._connector.clock.seconds() >= give_up_at:
                raise refused

    async def _reach(self, addresses: Sequence[str]) -> Client:
        handshake = None if self._in_the_clear else await self._connector.handshake(self._hop, self._host)
        factory = _Clients(lambda: self._client(handshake))
        try:
            connecting: Any = self._connector.endpoint(self._host, self._hop.port, addresses).connect(factory)
            client: Client = await connecting
            return client
        except (CancelledError, ConnectingCancelledError):
            raise
        except Exception as error:
            why = sentence(self._hop, f"cannot be reached at {self._host}, port {self._hop.port}: {_words(error)}.")
            raise CannotConnect(Trouble("4.4.1", why)) from error

    def _client(self, handshake: Handshake | None) -> Client:
        client = Client(
            self._hop, self._host, identity=self._connector.identity, clock=self._connector.clock,
            handshake=handshake, sign_in=self._connector.sign_in(self._hop, self._password), ended=self._ended,
        )  # fmt: skip
        self._made(client)
        return client


class _Clients(Factory):
    noisy = False

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make = make

    def buildProtocol(self, address: Any) -> Client:
        return self._make()


@implementer(IReactorPluggableNameResolver, IHostnameResolver)
class _Resolved:
    """The reactor for an endpoint whose name we have looked up ourselves."""

    def __init__(self, reactor: Any, addresses: Sequence[str]) -> None:
        self._reactor = reactor
        self._addresses = addresses

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    @property
    def nameResolver(self) -> _Resolved:
        return self

    def installNameResolver(self, resolver: Any) -> Any:
        raise NotImplementedError("the addresses are known")

    def resolveHostName(
        self, resolutionReceiver: Any, hostName: str, portNumber: int = 0, addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> Any:  # fmt: skip
        resolutionReceiver.resolutionBegan(self)
        for address in self._addresses:
            kind = IPv6Address if ":" in address else IPv4Address
            resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
        resolutionReceiver.resolutionComplete()
        return self


def _first_line(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.readline(LONGEST_PASSWORD).rstrip(b"\r\n")


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_S:.0f} seconds"
    number = getattr(error, "osError", None)
    return os.strerror(number) if isinstance(number, int) else str(error).rstrip(".") or type(error).__name__
