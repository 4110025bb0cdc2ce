"""An SMTP door of the node: the factory that makes a session for each connection, and lets them end in peace.

Knows which sessions there are; refuses to know what they talk about (`session`, `dialogue`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ServerFactory

from unitymail.interfaces.book import IBook
from unitymail.interfaces.errors import SHUTTING_DOWN
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.ledger import ILedger
from unitymail.interfaces.login import ILogin
from unitymail.interfaces.metrics import IMetrics, Unmeasured
from unitymail.interfaces.quota import IUsage
from unitymail.interfaces.spool import ISpool
from unitymail.interfaces.threads import IThreads
from unitymail.interfaces.tls import IMutualTls
from unitymail.mail.reply import Reply
from unitymail.smtp import replies
from unitymail.smtp.house import DoorName, House
from unitymail.smtp.places import Places
from unitymail.smtp.session import SMTPSession
from unitymail.smtp.turns import Turns

__all__ = ["SMTPDoor", "SMTPSession", "Turns"]

MOST_OUTSIDE = 1_000
"""Connections of a door that wait for the ledger to find them a place."""


class SMTPDoor(ServerFactory):
    """The factory of one SMTP port. `ledger` is the node's, `turns` the process's.

    `tls` is a context factory, None for a door without TLS; with `implicit_tls` the port itself is wrapped in it.
    `smart_host_addresses` gives the IP addresses of the smart host, as far as they are known now, `peer_addresses`
    those of the peers' hosts, who may come in by the mta door. With a `tls` that provides IMutualTls peers are told
    from strangers by the certificate they show.
    """

    noisy = False

    def __init__(
        self, *, door: DoorName, host: str, book: IBook, login: ILogin, spool: ISpool, threads: IThreads,
        usage: IUsage, journal: IJournal, clock: Any, ledger: ILedger, metrics: IMetrics | None = None,
        tls: Any = None, implicit_tls: bool = False, turns: Turns | None = None,
        smart_host_addresses: Callable[[], Collection[str]] = tuple,
        peer_addresses: Callable[[], Collection[str]] = tuple, free: Callable[[], float] = lambda: math.inf,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.house = House(
            door, host, book, login, spool, threads, usage, journal, clock, now or clock.seconds, tls, implicit_tls,
            metrics or Unmeasured(), free,
        )
        self.places = Places(ledger)
        self.turns = turns if turns is not None else Turns(clock)
        self.smart_host_addresses = smart_host_addresses
        self.peer_addresses = peer_addresses if door == "mta" else tuple
        self.mutual_tls: IMutualTls | None = tls if IMutualTls.providedBy(tls) else None
        self.sessions: set[SMTPSession] = set()
        self.outside = 0
        self.draining = False
        self._empty: list[Deferred[None]] = []

    def buildProtocol(self, addr: Any) -> SMTPSession:  # type: ignore[override]
        return SMTPSession(self)

    @property
    def crowded(self) -> bool:
        return self.outside > MOST_OUTSIDE

    def refusal(self) -> Reply | None:
        """What whoever comes now hears in place of a banner, None when the door is open."""
        if self.draining:
            return SHUTTING_DOWN
        return replies.TOO_MANY_OUTSIDE if self.crowded else None

    def left(self, session: SMTPSession) -> None:
        """A session has ended."""
        self.sessions.discard(session)
        if not self.sessions:
            waiting, self._empty = self._empty, []
            for deferred in waiting:
                deferred.callback(None)

    def drain(self, patience_s: float = 20) -> Deferred[None]:
        """Messages in flight finish, everybody else is told 421. Fires when all are gone, or cut off after a while."""
        self.draining = True
        for session in list(self.sessions):
            session.drain()
        done: Deferred[None] = Deferred()
        if not self.sessions:
            done.callback(None)
            return done
        self._empty.append(done)
        cut = self.house.clock.callLater(patience_s, self._cut_off)
        return done.addBoth(lambda result: cut.cancel() if cut.active() else None)

    def _cut_off(self) -> None:
        for session in list(self.sessions):
            session.transport.abortConnection()
