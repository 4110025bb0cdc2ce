"""The certificates of a process of the node: read at the start, again on a SIGHUP, and looked at every day.

Knows what is told of them in the journal; refuses to know how they are used (`tls`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.threads import deferToThreadPool

from unitymail.interfaces.journal import IJournal
from unitymail.settings.node import NodeSettings
from unitymail.tls import BadPair, InUse, Pair, ServerTls, look_at_pairs

LOOK_EVERY_S = 86_400.0


def files_of(settings: NodeSettings) -> tuple[str, str, str]:
    """(certificate, key, folder of further names or "") of a node."""
    tls = settings.tls
    return settings.path(tls.certificate), settings.path(tls.key), settings.path(tls.names) if tls.names else ""


def complaints_of(settings: NodeSettings) -> list[str]:
    """What keeps the certificates from being used; blocking."""
    _, complaints = look_at_pairs(*files_of(settings))
    if not complaints:
        try:
            ServerTls(*files_of(settings))
        except BadPair as bad:
            complaints += bad.complaints
    return complaints


class Certificates:
    """`tls` is for the doors. One process of a node tells of its certificates, from `tell` on."""

    def __init__(
        self, settings: NodeSettings, *, journal: IJournal, reactor: Any, otherwise: Sequence[Pair] = ()
    ) -> None:
        """Raises BadPair where the files cannot be used, and there is nothing to use `otherwise`."""
        self.tls = ServerTls(*files_of(settings), otherwise)
        for complaint in self.tls.flaw.complaints if self.tls.flaw is not None else ():
            journal.trouble(f"certificates cannot be used, so those that others of us show are: {complaint}")
        self._journal = journal
        self._reactor = reactor
        self._tells = False
        self._reading = self._again = False
        self._listeners: list[Callable[[], Any]] = []

    def listen(self, renewed: Callable[[], Any]) -> None:
        """Call it whenever others were taken into use."""
        self._listeners.append(renewed)

    def tell(self) -> None:
        """Which are in use, each with what there is to do about it."""
        self._tells = True
        for pair in self.tls.pairs:
            self._tell_of(pair, "in-use")

    def warn(self) -> None:
        """Those that need something done."""
        for pair in self.tls.pairs:
            if pair.warning(time.time()):
                self._tell_of(pair, "in-use")

    async def renew(self) -> None:
        """Take what the files hold now, all of it or nothing.

        However often that is asked while they are read, they are read once more; what was wrong before is not told.
        """
        if self._reading:
            self._again = True
            return
        self._reading = self._again = True
        try:
            while self._again:
                self._again = False
                await self._read()
        finally:
            self._reading = False

    async def _read(self) -> None:
        try:
            found: InUse = await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self.tls.read)
        except BadPair as bad:
            for complaint in () if self._again else bad.complaints:
                self._journal.trouble(f"the renewed certificates cannot be used, so the old ones stay: {complaint}")
            return
        for change in self.tls.use(found):
            if self._tells:
                self._tell_of(change.pair, change.what)
        for renewed in self._listeners:
            renewed()

    def _tell_of(self, pair: Pair, what: str) -> None:
        now = time.time()
        self._journal.certificate(
            what, names=pair.names, file=pair.file, ends=pair.ends.timestamp(), days=pair.days_left(now),
            warning=pair.warning(now) if what != "removed" else "",
        )  # fmt: skip
