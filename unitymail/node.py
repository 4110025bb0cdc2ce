"""A node as a twistd service: one per folder, sockets bound early, doors opened when all behind them stands.

Knows the order of starting and stopping; refuses to know the rooms (`rooms`) and the doors (`doors`).
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from unitymail import __version__, sockets
from unitymail.closing import Closing
from unitymail.directory.sql.database import Database
from unitymail.doors import DOORS, Doors
from unitymail.interfaces.directory import Refused
from unitymail.journal import Journal, Lines, as_json, as_text
from unitymail.lock import FolderLock, Locked
from unitymail.notice import Notice
from unitymail.rooms import Builder, every
from unitymail.settings.node import NodeSettings
from unitymail.tls import ServerTls
from unitymail.turns import TurnWatch

NOTICE_EVERY_S = 10.0


def complaints_of(settings: NodeSettings) -> list[str]:
    """What would keep this node from starting, beyond its settings file: for `--check`."""
    found = []
    try:
        ServerTls(settings.path(settings.tls.certificate), settings.path(settings.tls.key))
    except Exception as error:
        found.append(f"tls: the certificate and its key do not fit each other or cannot be read: {error}")
    database = Database(settings.path(settings.paths.directory))
    try:
        database.check()
    except Refused as refused:
        found.append(f"paths.directory: {refused}")
    finally:
        database.close()
    for name in ("accounts", "spool", "run"):
        path = settings.path(getattr(settings.paths, name))
        if os.path.isdir(path) and not os.access(path, os.W_OK):
            found.append(f"paths.{name}: {path} cannot be written to by this user")
    return found


class Node(Service):
    """Clients that connect while the node starts wait in its sockets. What it makes is for its own eyes (umask 077)."""

    def __init__(self, settings: NodeSettings, reactor: Any) -> None:
        self._settings = settings
        self._reactor = reactor
        self._lock = FolderLock(settings.folder)
        self._bound: dict[str, Any] = {}
        self._closing = Closing()
        self._started: Deferred[None] = Deferred()

    def privilegedStartService(self) -> None:
        os.umask(0o077)
        try:
            self._lock.take()
            for door in DOORS:
                if port := getattr(self._settings.listen, door):
                    self._bound[door] = sockets.bind(door, self._settings.listen.address, port)
        except (Locked, sockets.CannotListen, OSError) as refused:
            raise SystemExit(f"unitymail: {refused}") from None

    def startService(self) -> None:
        Service.startService(self)
        self._started = Deferred.fromCoroutine(self._start())
        self._started.addErrback(self._cannot_start)

    async def _start(self) -> None:
        settings, reactor = self._settings, self._reactor
        self._open_journal()
        self.journal.started(__version__, settings.folder)
        self.tls = ServerTls(settings.path(settings.tls.certificate), settings.path(settings.tls.key))
        turns = TurnWatch(lambda took: self.journal.long_turn(took * 1000))
        rooms = await Builder(settings, reactor, self.journal, self._closing).build()
        doors = Doors(
            host=settings.node.host_name, rooms=rooms, tls=self.tls, journal=self.journal, reactor=reactor
        )
        self._closing.add("the doors", doors.close)
        bound, self._bound = self._bound, {}
        doors.open(bound)
        signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(self.reload))
        turns.watch(reactor)
        self._give_notice(doors, turns)

    def _open_journal(self) -> None:
        log = self._settings.log
        path = log.file if log.file == "-" else self._settings.path(log.file)
        self._lines = Lines(path, self._reactor.callLater)
        self.journal = Journal(
            lines=self._lines, now=self._reactor.seconds, render=as_json if log.format == "json" else as_text,
            to_reactor=self._reactor.callFromThread,
        )  # fmt: skip

    def _give_notice(self, doors: Doors, turns: TurnWatch) -> None:
        notice = Notice(
            self._settings.path(self._settings.paths.run), doors=doors.where, journal=self.journal, turns=turns
        )
        self._closing.add("the notice", notice.remove)
        loop = every(self._reactor, self.journal, NOTICE_EVERY_S, notice.write, "the notice for `unitymail status`")
        self._closing.add("the notice's clock", loop.stop)
        self.journal.ready(doors.where)
        notice.ready(self._settings.path("demo-users.txt"))

    def _cannot_start(self, failure: Any) -> None:
        """Say why, end what has begun, and exit with 1."""
        error = failure.value
        words = str(error) if isinstance(error, Refused) else failure.getTraceback()
        print(f"unitymail: cannot start: {words}", file=sys.stderr)
        self._reactor.addSystemEventTrigger("after", "shutdown", os._exit, 1)
        self._reactor.callLater(0, self._reactor.stop)

    def reload(self) -> None:
        """SIGHUP: a renewed certificate, a rotated log file. Settings of the site are taken as they change anyway."""
        self._lines.reopen()
        try:
            self.tls.reload()
        except Exception as error:
            self.journal.trouble("the renewed certificate cannot be used; the old one stays", error)

    def stopService(self) -> Deferred[None]:
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._started
        self.journal.stopping("asked to")
        for listening in self._bound.values():
            listening.close()
        await self._closing.close(self.journal.trouble)
        self._lines.close()
        self._lock.release()
