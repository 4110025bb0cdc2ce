"""A node as a twistd service: one per folder, sockets bound early, doors opened when all behind them stands.

Knows the order of starting and stopping, and whether this process serves the doors itself or has workers who do.
Refuses to know the rooms (`rooms`), what there is one of (`upkeep`), the doors (`serving`) and the workers (`workers`).
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from unitymail import __version__, certificates, measuring, sockets
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.doors import DOORS
from unitymail.interfaces.directory import Refused
from unitymail.interfaces.errors import Trouble
from unitymail.ledger.local import LocalLedger
from unitymail.lock import FolderLock, Locked, await_workers, not_ours
from unitymail.measuring import Measuring
from unitymail.notice import Facts, Notice
from unitymail.rooms import ALONE, Builder, Company, Rooms, every
from unitymail.running import Running, allow_descriptors
from unitymail.serving import Serving
from unitymail.settings.node import NodeSettings, workers_of
from unitymail.tls import BadPair
from unitymail.upkeep import Upkeep
from unitymail.workers.staff import Staff
from unitymail.workers.supervisor import CannotServe

NOTICE_EVERY_S = 10.0
EXPECTED = (Refused, Trouble, Locked, sockets.CannotListen, CannotServe, BadPair, OSError)
"""What an administrator can mend: said in one sentence. Anything else is a mistake of ours and shows where."""


def complaints_of(settings: NodeSettings) -> list[str]:
    """What would keep this node from starting, beyond its settings file: for `--check`."""
    found = [f"tls: {complaint}" for complaint in certificates.complaints_of(settings)]
    database = Database(settings.path(settings.paths.directory))
    try:
        Directory(database, time.time).check()
    except (Refused, Trouble, OSError) as refused:
        found.append(f"paths.directory: {_in_words(refused)}")
    finally:
        database.close()
    folders = [(f"paths.{name}", settings.path(getattr(settings.paths, name))) for name in ("accounts", "spool", "run")]
    if settings.log.file != "-":
        folders.append(("log.file", os.path.dirname(settings.path(settings.log.file))))
    return found + [f"{key}: {why}" for key, path in folders if (why := _why_no_folder(path))]


def _why_no_folder(path: str) -> str:
    """Why nothing can be written there, "" when it can. A folder that is not there yet is made at the start."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    if not os.path.isdir(path):
        return f"{path} is no folder"
    return "" if os.access(path, os.W_OK | os.X_OK) else f"{path} cannot be written to by this user"


def _in_words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _cores() -> int:
    """Those that this process may use: in a container or under a CPU set they are fewer than the machine has."""
    return len(os.sched_getaffinity(0))


class Node(Service):
    """Clients that connect while the node starts wait in its sockets. What it makes is for its own eyes (umask 077)."""

    def __init__(self, settings: NodeSettings, reactor: Any) -> None:
        self._settings = settings
        self._reactor = reactor
        self._lock = FolderLock(settings.folder)
        self._bound: list[dict[str, socket.socket]] = [{} for _ in range(workers_of(settings, _cores()))]
        self._started: Deferred[None] = Deferred()
        self._notice: Notice | None = None
        self._page: socket.socket | None = None
        self._workers: Callable[[], list[Facts]] = list

    def privilegedStartService(self) -> None:
        os.umask(0o077)
        allow_descriptors()
        settings = self._settings
        try:
            self._lock.take()
            await_workers(settings.path(settings.paths.run))
            if port := settings.listen.metrics:
                self._page = sockets.bind(measuring.DOOR, measuring.ADDRESS, port)
            for door in DOORS:
                if port := getattr(settings.listen, door):
                    listening = sockets.bind_each(door, settings.listen.address, port, len(self._bound))
                    for place, one in zip(self._bound, listening, strict=True):
                        place[door] = one
        except EXPECTED as refused:
            raise SystemExit(f"unitymail: {_in_words(refused)}") from None

    def startService(self) -> None:
        settings = self._settings
        if why := not_ours(settings.folder):
            raise SystemExit(f"unitymail: {why}; start it as that user, or with twistd --uid")
        try:
            self._running = Running(settings, self._reactor)
        except EXPECTED as refused:
            raise SystemExit(f"unitymail: {_in_words(refused)}") from None
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))
        Service.startService(self)
        self._started = Deferred.fromCoroutine(self._start())
        self._started.addErrback(self._cannot_start)

    async def _start(self) -> None:
        running, settings = self._running, self._settings
        running.journal.started(__version__, settings.folder)
        running.certificates.tell()
        several = len(self._bound) > 1
        company = Company(len(self._bound) + 1) if several else ALONE
        builder = Builder(settings, self._reactor, running.journal, running.closing, company)
        rooms = await builder.build()
        upkeep = Upkeep(settings, rooms, reactor=self._reactor, journal=running.journal, closing=running.closing)
        await upkeep.recover()
        relay = await upkeep.open_ways_out()
        builder.settle_in(rooms)
        upkeep.tend()
        running.certificates.listen(relay.reload)
        running.renewals.append(rooms.watcher.take)
        where = {door: sockets.shown(one) for door, one in self._bound[0].items()}
        open_front = self._open_doors if not several else self._open_staff
        self._measuring = Measuring(running)
        told = self._open_page(rooms)
        self._workers = await open_front(builder, rooms, upkeep)
        self._give_notice(where, told, lambda: {**self._figures(self._workers()), **told})
        rooms.doorbell.on_ask(self._renew_notice)

    def _figures(self, workers: list[Facts]) -> Facts:
        """What the node did, and each of its workers."""
        measured = self._measuring
        return {
            **measured.figures(),
            "workers": [each | measured.figures_of(each["pid"]) for each in workers],
            "certificates": {pair.file: pair.fingerprint for pair in self._running.tls.pairs},
        }

    def _open_page(self, rooms: Rooms) -> Facts:
        """Where the numbers are shown, if anywhere. Before the doors: to load what it needs takes a long turn."""
        page, self._page = self._page, None
        if page is None:
            return {}
        where = self._measuring.open_page(
            page, usn=lambda: rooms.book.usn, workers=lambda: len(self._workers())
        )
        return {measuring.DOOR: where}

    async def _open_doors(self, builder: Builder, rooms: Rooms, upkeep: Upkeep) -> Callable[[], list[Facts]]:
        """This process serves them itself: it is its only worker."""
        serving = Serving(self._running, rooms, LocalLedger(), self._measuring.metrics)
        await serving.prepare()
        builder.watch(rooms)
        [bound], self._bound = self._bound, []
        serving.open(bound)
        me = {"pid": os.getpid(), "since": round(self._reactor.seconds()), "restarts": 0}
        return lambda: [me]

    async def _open_staff(self, builder: Builder, rooms: Rooms, upkeep: Upkeep) -> Callable[[], list[Facts]]:
        """Workers do."""
        builder.watch(rooms)
        bound, self._bound = self._bound, []
        staff = Staff(
            self._running, LocalLedger(), bound=bound, mend=upkeep.after, changed=self._renew_notice
        )
        staff.supervisor.on_report(measuring.DOOR, self._measuring.heard)
        await staff.open()
        return staff.supervisor.workers

    def _give_notice(self, where: dict[str, str], also: dict[str, str], figures: Callable[[], Facts]) -> None:
        running, settings = self._running, self._settings
        self._notice = notice = Notice(settings.path(settings.paths.run), doors=where, figures=figures)
        running.closing.add("the notice", notice.remove)
        loop = every(self._reactor, running.journal, NOTICE_EVERY_S, notice.write, "the notice for `unitymail status`")
        running.closing.add("the notice's clock", loop.stop)
        look = every(
            self._reactor, running.journal, certificates.LOOK_EVERY_S, running.certificates.warn, "the certificates"
        )
        running.closing.add("the look at the certificates", look.stop)
        running.journal.ready({**where, **also})
        notice.ready(settings.path("demo-users.txt"))

    def _renew_notice(self) -> None:
        if self._notice is not None:
            self._notice.write()

    def _cannot_start(self, failure: Any) -> None:
        """Say why, end what has begun, and exit with 1."""
        error = failure.value
        words = _in_words(error) if isinstance(error, EXPECTED) else failure.getTraceback()
        print(f"unitymail: cannot start: {words}", file=sys.stderr)
        self._reactor.addSystemEventTrigger("after", "shutdown", os._exit, 1)
        if self.running:  # nobody asked for the end meanwhile
            self._reactor.callLater(0, self._reactor.stop)

    def reload(self) -> None:
        """SIGHUP: a renewed certificate, a rotated log file, settings of the site; in every process."""
        self._running.reload()

    def stopService(self) -> Deferred[None]:
        Service.stopService(self)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)  # it is told already; the reactor would be astonished
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._started
        running = self._running
        running.journal.stopping("asked to")
        for place in self._bound:
            for listening in place.values():
                listening.close()
        if self._page is not None:
            self._page.close()
        await running.closing.close(running.journal.trouble)
        running.lines.close()
        self._lock.release()
