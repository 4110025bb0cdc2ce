"""The doors of a node: which protocol stands behind which socket, and how they are closed.

Knows the doors' names, their TLS and what they share; refuses to know what they need it for.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import gatherResults, maybeDeferred
from twisted.protocols.tls import TLSMemoryBIOFactory

from unitymail import sockets
from unitymail.accepting import Entrance
from unitymail.departures import Departures
from unitymail.imap.door import IMAPDoor
from unitymail.imap.recent import Claims
from unitymail.imap.slots import Slots as IMAPSlots
from unitymail.imap.watch import Watches
from unitymail.journal import Journal
from unitymail.ledger.local import LocalLedger
from unitymail.mail.reply import Reply
from unitymail.rooms import Rooms
from unitymail.smtp.server import SMTPDoor
from unitymail.smtp.turns import Turns
from unitymail.tls import ServerTls

SMTP_DOORS = {"smtp": "mta", "submission": "submission", "submissions": "submissions"}
"""Key of the table [listen] → what the door is called in policies and the journal."""
PEERS_COME_TO = "mta"
IMAP_DOORS = ("imap", "imaps")
DOORS = (*SMTP_DOORS, *IMAP_DOORS)
IMPLICIT_TLS = ("submissions", "imaps")
PATIENCE_S = 20
NO_ROOM = Reply(421, "4.3.2", "Too many connections; please try again later")


class Doors:
    """All listening doors. `where` says for each at which address."""

    def __init__(self, *, host: str, rooms: Rooms, tls: ServerTls, journal: Journal, reactor: Any) -> None:
        self._rooms = rooms
        self._tls = tls
        self._reactor = reactor
        self._departures = Departures(reactor)
        self._ports: list[Any] = []
        self._open: list[Any] = []
        self.where: dict[str, str] = {}
        self._common: dict[str, Any] = {
            "host": host, "book": rooms.book, "login": rooms.login, "threads": rooms.threads, "journal": journal,
            "clock": reactor, "turns": Turns(reactor), "tls": tls,
        }  # fmt: skip
        self._smtp: dict[str, Any] = {
            "spool": rooms.spool, "usage": rooms.usage, "ledger": LocalLedger(),
            "smart_host_addresses": rooms.smart_host, "peer_addresses": rooms.peers,
        }  # fmt: skip
        watches = Watches(clock=reactor, threads=rooms.threads, doorbell=rooms.doorbell, journal=journal)
        self._imap: dict[str, Any] = {
            "store": rooms.store, "disk": rooms.disk, "doorbell": rooms.doorbell, "slots": IMAPSlots(),
            "watches": watches, "claims": Claims(),
        }  # fmt: skip

    def open(self, bound: dict[str, Any]) -> None:
        """Let in who waits at these sockets, by door."""
        for name, listening in bound.items():
            self.where[name] = sockets.shown(listening)
            door = self._door(name)
            self._open.append(door)
            factory = TLSMemoryBIOFactory(self._tls, False, door) if name in IMPLICIT_TLS else door
            factory.noisy = False
            port = sockets.adopt(self._reactor, listening, factory)
            port.transport = self._departures
            self._say_when_full(port, name)
            self._ports.append(port)

    def _say_when_full(self, port: Entrance, name: str) -> None:
        """What a client is told, and the journal, when this process has no descriptor left for it."""
        journal = self._common["journal"]
        if name not in IMPLICIT_TLS:
            bye = f"* BYE [UNAVAILABLE] {NO_ROOM.text}\r\n".encode()
            port.refusal = bye if name in IMAP_DOORS else NO_ROOM.octets()
        port.refused = lambda host: journal.turned_away(SMTP_DOORS.get(name, name), host, NO_ROOM)
        port.failed = lambda error: journal.trouble(f"nobody can be let in at the {name} door", error)

    def _door(self, name: str) -> Any:
        implicit = name in IMPLICIT_TLS
        if name in SMTP_DOORS:
            door: Any = SMTP_DOORS[name]
            tls = self._tls.mutual if door == PEERS_COME_TO else self._tls
            return SMTPDoor(door=door, implicit_tls=implicit, **self._smtp, **{**self._common, "tls": tls})
        return IMAPDoor(name=name, implicit_tls=implicit, **self._imap, **self._common)

    async def close(self) -> None:
        """Nobody new comes in; who is inside finishes, or is told that the node shuts down."""
        await gatherResults([maybeDeferred(port.stopListening) for port in self._ports])
        await gatherResults([door.drain(PATIENCE_S) for door in self._open])
