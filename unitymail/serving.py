"""A process that serves the doors: the reception and the doors, opened when the rooms stand.

Knows what the only process of a node and each of many workers do alike; refuses to know which of them it is in.
"""

from __future__ import annotations

import socket

from unitymail.doors import Doors
from unitymail.free_space import FreeSpace
from unitymail.interfaces.ledger import ILedger
from unitymail.interfaces.metrics import IMetrics, Unmeasured
from unitymail.reception import open_reception
from unitymail.rooms import Rooms
from unitymail.running import Running

HURRY_S = 1.0


def _free_space(running: Running) -> FreeSpace:
    settings, paths = running.settings, running.settings.paths
    folders = (settings.path(paths.accounts), settings.path(paths.spool))
    return FreeSpace(folders, paths.keep_free_mib, running.reactor.seconds)


class Serving:
    def __init__(self, running: Running, rooms: Rooms, ledger: ILedger, metrics: IMetrics | None = None) -> None:
        self._running = running
        self._rooms = rooms
        self._ledger = ledger
        self._metrics = metrics or Unmeasured()
        self._doors: Doors | None = None

    async def prepare(self) -> None:
        """All but opening the doors. Do it before the directory is watched."""
        running = self._running
        reception = await open_reception(
            running.settings, self._rooms, reactor=running.reactor, journal=running.journal, closing=running.closing,
            metrics=self._metrics,
        )  # fmt: skip
        self._doors = Doors(
            host=running.settings.node.host_name, rooms=self._rooms, reception=reception, tls=running.tls,
            journal=running.journal, reactor=running.reactor, ledger=self._ledger, metrics=self._metrics,
            proxy_from=running.settings.proxy_from, free=_free_space(running),
        )  # fmt: skip
        running.closing.add("the doors", self._doors.close)

    def open(self, bound: dict[str, socket.socket]) -> None:
        """Let in who waits at these sockets, by door."""
        assert self._doors is not None
        self._doors.open(bound)
        self._running.turns.watch(self._running.reactor)

    @property
    def doors(self) -> Doors:
        assert self._doors is not None
        return self._doors

    def hurry(self) -> None:
        """Who is inside when the doors close gets no long farewell."""
        self.doors.patience_s = HURRY_S
