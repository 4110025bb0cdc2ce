"""A node: puts the rooms of the house together, opens the doors when all behind them stands, and closes them in order.

Knows every room's constructor and the order of starting and stopping; refuses to know what any of them does.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.internet.task import LoopingCall
from twisted.protocols.tls import TLSMemoryBIOFactory

from unitymail import __version__, sockets
from unitymail.courier.courier import Courier
from unitymail.courier.deciding import Decider
from unitymail.courier.perform import find_performers
from unitymail.directory.book import Book
from unitymail.directory.credentials import Credentials
from unitymail.directory.sql.database import Database
from unitymail.directory.watch import Watcher
from unitymail.disk import Disk
from unitymail.doorbell.unix import Doorbell
from unitymail.imap.server import IMAPDoor
from unitymail.imap.slots import Slots as IMAPSlots
from unitymail.imap.watch import Watches
from unitymail.interfaces.directory import Refused
from unitymail.journal import Journal, Lines, as_json, as_text
from unitymail.lock import FolderLock, Locked
from unitymail.login.login import Login
from unitymail.notice import Notice
from unitymail.settings.node import NodeSettings
from unitymail.smart_host import SmartHostAddresses
from unitymail.smtp.server import SMTPDoor
from unitymail.smtp.slots import Slots as SMTPSlots
from unitymail.spool.badmail import BadMailFolder
from unitymail.spool.spool import Spool
from unitymail.store.quota import Usage
from unitymail.store.store import Store
from unitymail.threads import Threads
from unitymail.tls import ServerTls
from unitymail.turns import TurnWatch

DOORS = ("smtp", "submission", "submissions", "imap", "imaps")
COMMIT_THREADS = 2
SETTLE_EVERY_S = 2.0
NOTICE_EVERY_S = 10.0


def complaints_of(settings: NodeSettings) -> list[str]:
    """What would keep this node from starting, beyond its settings file: for `--check`."""
    found = []
    try:
        ServerTls(settings.path(settings.tls.certificate), settings.path(settings.tls.key))
    except Exception as error:
        found.append(f"the certificate and its key do not fit or cannot be read: {error}")
    try:
        database = Database(settings.path(settings.paths.directory))
        database.check()
        database.close()
    except Refused as refused:
        found.append(str(refused))
    for name in ("accounts", "spool", "run"):
        path = settings.path(getattr(settings.paths, name))
        if os.path.isdir(path) and not os.access(path, os.W_OK):
            found.append(f"paths.{name}: {path} cannot be written to")
    return found


class Node(Service):
    """The twistd service. Sockets are bound before privileges are shed; clients wait in them until all is ready."""

    def __init__(self, settings: NodeSettings, reactor: Any) -> None:
        self._settings = settings
        self._reactor = reactor
        self._lock = FolderLock(settings.folder)
        self._bound: dict[str, Any] = {}
        self._ports: list[Any] = []
        self._stops: list[tuple[str, Callable[[], Any]]] = []
        self._starting: Any = None

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
        self._starting = ensureDeferred(self._start())
        self._starting.addErrback(self._cannot_start)

    def _cannot_start(self, failure: Any) -> None:
        """Say why, stop what has begun, and end with exit code 1."""
        error = failure.value
        words = str(error) if isinstance(error, Refused) else failure.getTraceback()
        print(f"unitymail: cannot start: {words}", file=sys.stderr)
        self._reactor.addSystemEventTrigger("after", "shutdown", os._exit, 1)
        self._reactor.callLater(0, self._reactor.stop)

    async def _start(self) -> None:
        settings, reactor = self._settings, self._reactor
        path = settings.path
        render = as_json if settings.log.format == "json" else as_text
        lines = Lines(settings.log.file if settings.log.file == "-" else path(settings.log.file), reactor.callLater)
        self.journal = Journal(
            lines=lines, now=reactor.seconds, render=render, to_reactor=reactor.callFromThread
        )
        self._lines = lines
        self._on_stop("the journal", lines.close)
        self.journal.started(__version__, settings.folder)
        self.turns = TurnWatch(lambda took: self.journal.long_turn(took * 1000))

        store_threads = self._threads("store", settings.threads.store)
        directory_threads = self._threads("directory", settings.threads.directory)
        password_threads = self._threads("password", settings.threads.passwords)
        commit_threads = self._threads("commit", COMMIT_THREADS)

        self.tls = ServerTls(path(settings.tls.certificate), path(settings.tls.key))
        database = Database(path(settings.paths.directory))
        await directory_threads.run(database.upgrade)
        self._on_stop("the directory", database.close)
        self.book = await directory_threads.run(Book.load, database)
        gc.collect()
        gc.freeze()

        watcher = Watcher(self.book, directory_threads, clock=reactor, journal=self.journal)
        doorbell = Doorbell(path(settings.paths.run), reactor=reactor, journal=self.journal, take=watcher.take)
        doorbell.start()
        self._on_stop("the doorbell", doorbell.stop)

        host = settings.node.host_name
        disk = Disk()
        usage = Usage(path(os.path.join(settings.paths.accounts, "usage")), disk=disk)
        store = Store(path(settings.paths.accounts), disk=disk, now=reactor.seconds, host=host, usage=usage)
        self._on_stop("the mailboxes", lambda: store_threads.run(store.close))
        spool = Spool(
            path(settings.paths.spool), disk=disk, threads=commit_threads, store=store, doorbell=doorbell,
            journal=self.journal, clock=reactor, host=host, usage=usage,
        )
        await spool.recover()
        self._on_stop("the spool", spool.stop)

        decider = Decider(self.book, usage, host)
        performers = find_performers(
            store=store, spool=spool, badmail=BadMailFolder(path(settings.paths.spool), disk=disk, now=reactor.seconds), book=self.book,
            usage=usage, doorbell=doorbell, journal=self.journal, clock=reactor, threads=store_threads,
            decider=decider,
        )
        courier = Courier(
            queue=spool.queue, performers=performers, threads=store_threads, book=self.book, journal=self.journal,
            clock=reactor, decide=decider.steps_of,
        )
        courier.start()
        self._on_stop("the courier", courier.stop)

        smart_host = SmartHostAddresses(
            book=self.book, threads=directory_threads, journal=self.journal, clock=reactor
        )
        smart_host.start()
        self._on_stop("the smart host's addresses", smart_host.stop)
        watcher.listen(lambda usn: smart_host.look())
        watcher.start()
        self._on_stop("the watch over the directory", watcher.stop)

        login = Login(
            credentials=Credentials(database), book=self.book, threads=directory_threads,
            password_threads=password_threads, journal=self.journal, clock=reactor,
        )
        await password_threads.run(login.prepare)
        self._open_doors(
            {
                "host": host, "book": self.book, "login": login, "threads": store_threads, "journal": self.journal,
                "clock": reactor,
            },
            spool=spool, usage=usage, store=store, disk=disk, doorbell=doorbell, smart_host=smart_host,
        )
        self._every(SETTLE_EVERY_S, lambda: store_threads.run(store.settle), "file names that follow flags")
        self._watch_signals()
        self.turns.watch(reactor)
        self.notice = Notice(path(settings.paths.run), doors=self._where, journal=self.journal, turns=self.turns)
        self._on_stop("the notice", self.notice.remove)
        self._every(NOTICE_EVERY_S, self.notice.write, "the notice for `unitymail status`")
        self.journal.ready(self._where)
        self.notice.ready(path("demo-users.txt"))

    def _threads(self, name: str, size: int) -> Threads:
        threads = Threads(self._reactor, name, size)
        threads.start()
        self._on_stop(f"the {name} threads", threads.stop)
        return threads

    def _on_stop(self, what: str, stop: Callable[[], Any]) -> None:
        self._stops.append((what, stop))

    def _every(self, seconds: float, work: Callable[[], Any], what: str) -> None:
        """Do `work` now and then; a failure is noted, and it is done again the next time."""

        def once() -> Any:
            try:
                result = work()
            except Exception as error:
                return self.journal.trouble(what, error)
            return self.journal.guard(result, what) if isinstance(result, Awaitable) else None

        loop = LoopingCall(once)
        loop.clock = self._reactor
        self.journal.guard(loop.start(seconds, now=False), what)
        self._on_stop(what, lambda: loop.stop() if loop.running else None)

    def _open_doors(
        self, common: dict[str, Any], *, spool: Spool, usage: Usage, store: Store, disk: Disk, doorbell: Doorbell,
        smart_host: SmartHostAddresses,
    ) -> None:
        smtp_slots, imap_slots = SMTPSlots(), IMAPSlots()
        watches = Watches(clock=self._reactor, threads=common["threads"], doorbell=doorbell, journal=self.journal)
        self._smtp_doors, self._imap_doors = [], []
        self._where = {door: sockets.shown(bound) for door, bound in self._bound.items()}
        for name, listening in self._bound.items():
            implicit = name in ("submissions", "imaps")
            door: Any
            if name.startswith("imap"):
                door = IMAPDoor(
                    name=name, store=store, disk=disk, doorbell=doorbell, tls=self.tls, implicit_tls=implicit,
                    slots=imap_slots, watches=watches, **common,
                )
                self._imap_doors.append(door)
            else:
                door = SMTPDoor(
                    door="mta" if name == "smtp" else name,  # type: ignore[arg-type]
                    spool=spool, usage=usage, tls=self.tls, implicit_tls=implicit, slots=smtp_slots,
                    smart_host_addresses=smart_host, **common,
                )
                self._smtp_doors.append(door)
            factory = TLSMemoryBIOFactory(self.tls, False, door) if implicit else door
            self._ports.append(sockets.adopt(self._reactor, listening, factory))
        self._bound = {}

    def _watch_signals(self) -> None:
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))

    def reload(self) -> None:
        """SIGHUP: a renewed certificate, a rotated log file. Site settings are taken as they change anyway."""
        self._lines.reopen()
        try:
            self.tls.reload()
        except Exception as error:
            self.journal.trouble("the renewed certificate cannot be used; the old one stays", error)

    def stopService(self) -> Any:
        Service.stopService(self)
        return ensureDeferred(self._stop())

    async def _stop(self) -> None:
        """Close the doors, let what is in flight finish, then end the rooms in the reverse of their beginning."""
        if hasattr(self, "journal"):
            self.journal.stopping("asked to")
        for listening in self._bound.values():
            listening.close()
        await gatherResults([_deferred(port.stopListening()) for port in self._ports])
        drains = [door.drain() for door in (*getattr(self, "_smtp_doors", ()), *getattr(self, "_imap_doors", ()))]
        await gatherResults(drains)
        for what, stop in reversed(self._stops):
            try:
                result = stop()
                if isinstance(result, Awaitable):
                    await result
            except Exception as error:
                self.journal.trouble(f"stopping {what}", error)
        self._lock.release()


def _deferred(result: Any) -> Any:
    from twisted.internet.defer import maybeDeferred

    return maybeDeferred(lambda: result)
