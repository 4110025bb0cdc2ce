"""A node as a twistd service: one per folder, sockets bound early, doors opened when all behind them stands.

Knows the order of starting and stopping; refuses to know the rooms (`rooms`) and the doors (`doors`).
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from unitymail import __version__, sockets
from unitymail.closing import Closing
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.doors import DOORS, Doors
from unitymail.interfaces.directory import Refused
from unitymail.interfaces.errors import Trouble
from unitymail.journal import Journal, Lines, as_json, as_text
from unitymail.lock import FolderLock, Locked, not_ours
from unitymail.notice import Notice
from unitymail.rooms import Builder, every
from unitymail.settings.node import NodeSettings
from unitymail.tls import BadPair, ServerTls
from unitymail.turns import TurnWatch

NOTICE_EVERY_S = 10.0
EXPECTED = (Refused, Trouble, Locked, sockets.CannotListen, BadPair, OSError)
"""What an administrator can mend: said in one sentence. Anything else is a mistake of ours and shows where."""


def complaints_of(settings: NodeSettings) -> list[str]:
    """What would keep this node from starting, beyond its settings file: for `--check`."""
    found = []
    try:
        ServerTls(settings.path(settings.tls.certificate), settings.path(settings.tls.key))
    except BadPair as bad:
        found.append(f"tls: {bad}")
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


def _allow_descriptors() -> None:
    """As many open files as this process may have at all: each connection, mailbox and message needs some."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Node(Service):
    """Clients that connect while the node starts wait in its sockets. What it makes is for its own eyes (umask 077)."""

    def __init__(self, settings: NodeSettings, reactor: Any) -> None:
        self._settings = settings
        self._reactor = reactor
        self._lock = FolderLock(settings.folder)
        self._bound: dict[str, Any] = {}
        self._closing = Closing()
        self._started: Deferred[None] = Deferred()
        self._renewals: list[Callable[[], None]] = []

    def privilegedStartService(self) -> None:
        os.umask(0o077)
        _allow_descriptors()
        try:
            self._lock.take()
            for door in DOORS:
                if port := getattr(self._settings.listen, door):
                    self._bound[door] = sockets.bind(door, self._settings.listen.address, port)
        except EXPECTED as refused:
            raise SystemExit(f"unitymail: {_in_words(refused)}") from None

    def startService(self) -> None:
        settings = self._settings
        if why := not_ours(settings.folder):
            raise SystemExit(f"unitymail: {why}; start it as that user, or with twistd --uid")
        try:
            self._open_journal()
            self.tls = ServerTls(settings.path(settings.tls.certificate), settings.path(settings.tls.key))
        except EXPECTED as refused:
            raise SystemExit(f"unitymail: {_in_words(refused)}") from None
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))
        Service.startService(self)
        self._started = Deferred.fromCoroutine(self._start())
        self._started.addErrback(self._cannot_start)

    async def _start(self) -> None:
        settings, reactor = self._settings, self._reactor
        self.journal.started(__version__, settings.folder)
        turns = TurnWatch(lambda took: self.journal.long_turn(took * 1000))
        rooms = await Builder(settings, reactor, self.journal, self._closing).build()
        self._renewals.append(rooms.relay.reload)
        doors = Doors(
            host=settings.node.host_name, rooms=rooms, tls=self.tls, journal=self.journal, reactor=reactor
        )
        self._closing.add("the doors", doors.close)
        bound, self._bound = self._bound, {}
        doors.open(bound)
        turns.watch(reactor)
        self._give_notice(doors, turns)

    def _open_journal(self) -> None:
        log = self._settings.log
        path = log.file if log.file == "-" else self._settings.path(log.file)
        if path != "-":
            os.makedirs(os.path.dirname(path), exist_ok=True)
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
        words = _in_words(error) if isinstance(error, EXPECTED) else failure.getTraceback()
        print(f"unitymail: cannot start: {words}", file=sys.stderr)
        self._reactor.addSystemEventTrigger("after", "shutdown", os._exit, 1)
        self._reactor.callLater(0, self._reactor.stop)

    def reload(self) -> None:
        """SIGHUP: a renewed certificate, a rotated log file. Settings of the site are taken as they change anyway."""
        self._lines.reopen()
        try:
            self.tls.reload()
            for renew in self._renewals:
                renew()
        except BadPair as bad:
            self.journal.trouble(f"the renewed certificate cannot be used, so the old one stays: {bad}")

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
