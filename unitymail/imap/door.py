"""A listening IMAP port: what its sessions need, who is there, and how all of them leave when the node shuts down.

Refuses to know what is said on a connection: that is `server`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory

from unitymail.imap.alike import Alike
from unitymail.imap.parking import Beats
from unitymail.imap.recent import Claims
from unitymail.imap.registry import Registry, discover
from unitymail.imap.server import IMAPSession
from unitymail.imap.slots import Slots
from unitymail.imap.watch import Watches
from unitymail.interfaces.book import IBook
from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.doorbell import IDoorbell
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.ledger import ILedger
from unitymail.interfaces.login import ILogin
from unitymail.interfaces.metrics import IMetrics, Unmeasured
from unitymail.interfaces.store import IStore
from unitymail.interfaces.threads import IThreads
from unitymail.interfaces.turns import ITurns

STILL_HERE_S = 120
"""A parked command gives a sign of life so often."""


class IMAPDoor(ServerFactory):
    """Each collaborator is known by its interface only.

    `tls` is a context factory or None. `ledger` is the node's; `turns`, `watches` and `claims` are shared by all doors
    of the process. `free` tells how many octets of the disk mail may still take. `beats` are of commands
    that wait; `alike` is what many are told of the same.
    """

    noisy = False

    def __init__(
        self,
        *,
        name: str,
        host: str,
        book: IBook,
        login: ILogin,
        store: IStore,
        disk: IDisk,
        threads: IThreads,
        doorbell: IDoorbell,
        journal: IJournal,
        clock: Any,
        turns: ITurns,
        ledger: ILedger,
        tls: Any = None,
        implicit_tls: bool = False,
        watches: Watches | None = None,
        claims: Claims | None = None,
        registry: Registry | None = None,
        metrics: IMetrics | None = None,
        free: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self.name = name
        self.host = host
        self.book = book
        self.login = login
        self.store = store
        self.disk = disk
        self.threads = threads
        self.doorbell = doorbell
        self.journal = journal
        self.clock = clock
        self.turns = turns
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.slots = Slots(ledger)
        if watches is None:  # one that watches nothing yet counts as false
            watches = Watches(clock=clock, threads=threads, doorbell=doorbell, journal=journal)
        self.watches = watches
        self.registry = registry or discover()
        self.claims = claims or Claims()
        self.metrics = metrics or Unmeasured()
        self.free = free
        self.sessions: set[IMAPSession] = set()
        self.draining = False
        self._empty: list[Deferred[None]] = []
        self._cut: Any = None
        self._labels = count(1)
        self.alike = Alike()
        self.beats = Beats(clock, STILL_HERE_S)

    def next_label(self) -> str:
        """A name for a connection in the journal, which several processes may write."""
        return f"{self.name}-{os.getpid():x}-{next(self._labels):x}"

    def drain(self, patience_s: float = 20) -> Deferred[None]:
        """Commands that run finish, then everybody is told BYE. Fires when all are gone, or cut off after a while."""
        self.draining = True
        done: Deferred[None] = Deferred()
        self._empty.append(done)
        for session in list(self.sessions):
            session.take_leave()
        self._cut = self.clock.callLater(patience_s, self._cut_off)
        self._look_whether_empty()
        return done

    def left(self, session: IMAPSession) -> None:
        """A session has ended."""
        self.sessions.discard(session)
        self._look_whether_empty()

    def _look_whether_empty(self) -> None:
        if self.sessions or not self._empty:
            return
        if self._cut.active():
            self._cut.cancel()
        waiting, self._empty = self._empty, []
        for done in waiting:
            done.callback(None)

    def _cut_off(self) -> None:
        for session in list(self.sessions):
            session.transport.abortConnection()

    def buildProtocol(self, addr: IAddress | None) -> IMAPSession:
        session = IMAPSession(self)
        session.factory = self
        return session
