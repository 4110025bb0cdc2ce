"""The doors of a node: which protocol stands behind which socket, and how they are closed.

Knows the doors' names, their TLS and what they share; refuses to know what they need it for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from twisted.internet.defer import gatherResults, maybeDeferred
from twisted.protocols.tls import TLSMemoryBIOFactory

from unitymail import sockets
from unitymail.accepting import Entrance
from unitymail.departures import Departures
from unitymail.eyes import Eyes
from unitymail.imap.dismissing import dismiss
from unitymail.imap.door import IMAPDoor
from unitymail.imap.recent import Claims
from unitymail.imap.watch import Watches
from unitymail.interfaces.ledger import ILedger
from unitymail.interfaces.metrics import IMetrics
from unitymail.journal.journal import Journal
from unitymail.mail.reply import Reply
from unitymail.policy.access import read_pattern
from unitymail.proxy.front import Front
from unitymail.reception import Reception
from unitymail.rooms import Rooms
from unitymail.settings.node import ProxyFromTable
from unitymail.smtp.server import SMTPDoor
from unitymail.smtp.turns import Turns
from unitymail.tls import ServerTls

SMTP_DOORS = {"smtp": "mta", "submission": "submission", "submissions": "submissions"}
"""Key of the table [listen] → what the door is called in policies and the journal."""
PEERS_COME_TO = "mta"
IMAP_DOORS = ("imap", "imaps")
DOORS = (*SMTP_DOORS, *IMAP_DOORS)
CALLED = {**SMTP_DOORS, **dict(zip(IMAP_DOORS, IMAP_DOORS, strict=True))}
"""The same of all doors."""
IMPLICIT_TLS = ("submissions", "imaps")
PATIENCE_S = 20
NO_ROOM = Reply(421, "4.3.2", "Too many connections; please try again later")


class Doors:
    """All listening doors of this process. `where` says for each at which address."""

    def __init__(
        self, *, host: str, rooms: Rooms, reception: Reception, tls: ServerTls, journal: Journal, reactor: Any,
        ledger: ILedger, metrics: IMetrics, proxy_from: ProxyFromTable, free: Callable[[], float],
    ) -> None:
        self._tls = tls
        self._proxy_from = proxy_from
        self._reactor = reactor
        self._departures = Departures(reactor)
        self._ports: list[Any] = []
        self._others: dict[int, list[Any]] = {}
        self._open: dict[str, Any] = {}
        self.where: dict[str, str] = {}
        self.patience_s: float = PATIENCE_S
        self._common: dict[str, Any] = {
            "host": host, "book": rooms.book, "login": reception.login, "threads": rooms.threads, "journal": journal,
            "clock": reactor, "turns": Turns(reactor), "tls": tls, "ledger": ledger, "free": free,
        }  # fmt: skip
        self._smtp: dict[str, Any] = {
            "spool": rooms.spool, "usage": rooms.usage, "metrics": metrics, "now": time.time,
            "smart_host_addresses": reception.smart_host, "peer_addresses": reception.peers,
        }  # fmt: skip
        self._eyes = Eyes(reactor=reactor, threads=rooms.threads, journal=journal)
        watches = Watches(
            clock=reactor, threads=rooms.threads, doorbell=rooms.doorbell, journal=journal, eyes=self._eyes
        )
        self._imap: dict[str, Any] = {
            "store": rooms.store, "disk": rooms.disk, "doorbell": rooms.doorbell, "watches": watches,
            "claims": Claims(), "metrics": metrics,
        }  # fmt: skip
        rooms.watcher.listen(self._dismiss)

    def _dismiss(self, usn: int) -> None:
        """The directory changed: nobody goes on who may not."""
        for door in self._open.values():
            if isinstance(door, IMAPDoor):
                dismiss(door)

    def open(self, bound: dict[str, Any]) -> None:
        """Let in who waits at these sockets, by door."""
        for name, listening in bound.items():
            self.where[name] = sockets.shown(listening)
            self._open[name] = self._door(name)
            self._ports.append(self._entrance(name, listening))

    def stand_by(self, berth: int, bound: dict[str, Any]) -> None:
        """Be ready to accept in place of another process, at the sockets that are its own."""
        self._others[berth] = [self._entrance(name, listening) for name, listening in bound.items()]
        for port in self._others[berth]:
            port.stopReading()

    def cover(self, berths: Collection[int]) -> None:
        """Accept for these others, and for no more."""
        for berth, ports in self._others.items():
            for port in ports:
                (port.startReading if berth in berths else port.stopReading)()

    def _entrance(self, name: str, listening: Any) -> Entrance:
        factory = self._front(name)
        port = sockets.adopt(self._reactor, listening, factory)
        port.transport = self._departures
        self._say_when_full(port, name)
        return port

    def _say_when_full(self, port: Entrance, name: str) -> None:
        """What a client is told, and the journal, when this process has no descriptor left for it."""
        journal = self._common["journal"]
        port.refusal = _words(name)(NO_ROOM)
        port.refused = lambda host: journal.turned_away(SMTP_DOORS.get(name, name), host, NO_ROOM)
        port.failed = lambda error: journal.trouble(f"nobody can be let in at the {name} door: {error.strerror}")

    def _front(self, name: str) -> Front:
        """Load balancers first, TLS next where all is TLS, then the door."""
        door = self._open[name]
        behind = TLSMemoryBIOFactory(self._tls, False, door) if name in IMPLICIT_TLS else door
        behind.noisy = False
        return Front(
            behind, door=SMTP_DOORS.get(name, name), words=_words(name), journal=self._common["journal"],
            balancers=tuple(map(read_pattern, getattr(self._proxy_from, name))), clock=self._reactor,
            metrics=self._smtp["metrics"],
        )  # fmt: skip

    def _door(self, name: str) -> Any:
        implicit = name in IMPLICIT_TLS
        if name in SMTP_DOORS:
            door: Any = SMTP_DOORS[name]
            tls = self._tls.mutual if door == PEERS_COME_TO else self._tls
            return SMTPDoor(door=door, implicit_tls=implicit, **self._smtp, **{**self._common, "tls": tls})
        return IMAPDoor(name=name, implicit_tls=implicit, **self._imap, **self._common)

    async def close(self) -> None:
        """Nobody new comes in; who is inside finishes, or is told that the node shuts down."""
        ports = [*self._ports, *(port for others in self._others.values() for port in others)]
        self._others.clear()
        await gatherResults([maybeDeferred(port.stopListening) for port in ports])
        await gatherResults([door.drain(self.patience_s) for door in self._open.values()])
        self._eyes.stop()


def _words(name: str) -> Callable[[Reply], bytes]:
    """How a door refuses a client that it has not begun to talk with; where all is TLS it cannot say anything."""
    if name in IMPLICIT_TLS:
        return lambda reply: b""
    return _bye if name in IMAP_DOORS else Reply.octets


def _bye(reply: Reply) -> bytes:
    code = "[UNAVAILABLE] " if reply.temporary else ""
    return f"* BYE {code}{reply.text}\r\n".encode()
