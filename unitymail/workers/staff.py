"""The parent's front: where the only process of a node would open doors, this one has workers who do.

Knows how a worker is begun with its sockets, and where its words go; refuses to know when (`supervisor`).
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from itertools import chain

from twisted.logger import Logger

from unitymail.ledger.local import LocalLedger
from unitymail.lock import WorkerMark, living_workers
from unitymail.running import Running
from unitymail.tls import as_words
from unitymail.workers import brief
from unitymail.workers.process import WorkerProcess, begin
from unitymail.workers.supervisor import Supervisor
from unitymail.workers.words import MAX_LINE, Begin, Word


class Staff:
    """`mend(pid)` sees to what a dead worker left. `bound[i]` are the sockets of place i, by door.

    `changed` is called when a worker has begun to serve or ended.
    """

    _log = Logger()

    def __init__(
        self, running: Running, ledger: LocalLedger, *, bound: list[dict[str, socket.socket]],
        mend: Callable[[int], Awaitable[None]], changed: Callable[[], None],
    ) -> None:
        self._running = running
        self._run = running.settings.path(running.settings.paths.run)
        self._bound = bound
        self._sockets = brief.numbered(tuple(bound[0]), len(bound))
        self.supervisor = Supervisor(
            len(bound), begin=self._begin, mend=mend, changed=changed, ledger=ledger, journal=running.journal,
            clock=running.reactor,
        )  # fmt: skip
        running.closing.add("the workers", self._stop)
        running.renewals.append(self.supervisor.reload)

    async def open(self) -> None:
        """Begin the workers; until they all serve."""
        self._running.turns.watch(self._running.reactor)
        await self.supervisor.start()

    def _begin(self, berth: int, heard: Callable[[Word], None], ended: Callable[[str], None]) -> WorkerProcess:
        worker = WorkerProcess(
            heard=heard, told=lambda text: self._told(worker, text), ended=ended, clock=self._running.reactor
        )
        listening = [bound.fileno() for place in self._bound for bound in place.values()]
        mark = WorkerMark(self._run, berth)
        try:
            begin(self._running.reactor, worker, listening, mark.descriptor)
            mark.name(worker.pid)
        finally:
            mark.close()
        worker.say(Begin(brief.written(brief.Brief(self._running.settings, berth, self._sockets, self._shown()))))
        return worker

    def _shown(self) -> tuple[tuple[str, ...], ...]:
        """The certificates in use, as long as they are few enough to be told."""
        found = tuple(tuple(as_words(pair)) for pair in self._running.tls.pairs)
        return found if sum(map(len, chain.from_iterable(found))) < MAX_LINE // 2 else ()

    def _told(self, worker: WorkerProcess, text: str) -> None:
        self._log.warn("worker {pid}: {text}", pid=worker.pid, text=text)

    async def _stop(self) -> None:
        """Nobody listens any more once the workers have closed their sockets, too."""
        for place in self._bound:
            for listening in place.values():
                listening.close()
        await self.supervisor.stop()
        living_workers(self._run)  # none: their marks go
