"""The rooms behind the doors: directory, mailboxes, spool, courier, sign-in, each made once those it needs stand.

Knows every room's constructor; refuses to know what any of them does, or who comes in.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from twisted.internet.task import LoopingCall

from unitymail.closing import Closing
from unitymail.directory.book import Book
from unitymail.directory.credentials import Credentials
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.directory.watch import Watcher
from unitymail.disk import Disk
from unitymail.doorbell.unix import Doorbell
from unitymail.history.history import History
from unitymail.journal import Journal
from unitymail.login.login import Login
from unitymail.relay.relay import Relay
from unitymail.settings.node import NodeSettings
from unitymail.smart_host import HostAddresses, PeerAddresses, SmartHostAddresses
from unitymail.spool.spool import Spool
from unitymail.store.quota import Usage
from unitymail.store.store import Store
from unitymail.threads import Threads
from unitymail.ways_out import WaysOut

COMMIT_THREADS = 4
SWITCH_EVERY_S = 0.0005
YOUNG_OBJECTS = 700
COLLECT_EVERY_S = 120.0
SETTLE_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the doors need."""

    book: Book
    login: Login
    store: Store
    spool: Spool
    usage: Usage
    disk: Disk
    doorbell: Doorbell
    threads: Threads
    smart_host: HostAddresses
    peers: HostAddresses
    relay: Relay


class Builder:
    """Makes the rooms one after the other; `closing` learns how each is ended."""

    def __init__(self, settings: NodeSettings, reactor: Any, journal: Journal, closing: Closing) -> None:
        self._settings = settings
        self._reactor = reactor
        self._journal = journal
        self._closing = closing
        self._host = settings.node.host_name
        self._disk = Disk()

    async def build(self) -> Rooms:
        """Everything that must stand before a client may come in; recovery from a crash included."""
        store_threads = self._threads("store", self._settings.threads.store)
        directory_threads = self._threads("directory", self._settings.threads.directory)
        database, book = await self._open_directory(directory_threads)
        self._open_history(book)
        watcher = Watcher(book, directory_threads, clock=self._reactor, journal=self._journal)
        doorbell = self._open_doorbell(watcher)
        usage, store = await self._open_store(book, store_threads)
        spool = await self._open_spool(book, store, doorbell, usage)
        directory = Directory(database, self._reactor.seconds)
        relay = WaysOut(
            self._settings, reactor=self._reactor, journal=self._journal, closing=self._closing, disk=self._disk,
            threads=self._threads,
        ).open(
            book=book, directory=directory, node_id=await directory_threads.run(_node_id, directory), store=store,
            spool=spool, usage=usage, doorbell=doorbell, threads=store_threads, on_change=watcher.listen,
        )  # fmt: skip
        smart_host, peers = self._watch_directory(book, watcher, directory_threads)
        login = await self._open_login(database, book, directory_threads)
        return Rooms(
            book, login, store, spool, usage, self._disk, doorbell, store_threads, smart_host, peers, relay
        )

    def _threads(self, name: str, size: int) -> Threads:
        threads = Threads(self._reactor, name, size)
        threads.start()
        self._closing.add(f"the {name} threads", threads.stop)
        return threads

    async def _open_directory(self, threads: Threads) -> tuple[Database, Book]:
        database = Database(self._path("directory"))
        self._closing.add("the directory", lambda: threads.run(database.close))
        await threads.run(database.upgrade)
        await threads.run(Directory(database, self._reactor.seconds).check)
        book = await threads.run(Book.load, database)
        _keep_turns_short()
        self._every(COLLECT_EVERY_S, lambda: threads.run(gc.collect), "collecting garbage")
        return database, book

    def _open_history(self, book: Book) -> None:
        history = History(
            self._path("history"), disk=self._disk, clock=self._reactor, threads=self._threads("history", 1),
            days=lambda: book.site.trace_days, journal=self._journal,
        )  # fmt: skip
        history.start()
        self._journal.history = history
        self._closing.add("the history", history.stop)

    def _open_doorbell(self, watcher: Watcher) -> Doorbell:
        doorbell = Doorbell(self._path("run"), reactor=self._reactor, journal=self._journal, take=watcher.take)
        doorbell.start()
        self._closing.add("the doorbell", doorbell.stop)
        return doorbell

    async def _open_store(self, book: Book, threads: Threads) -> tuple[Usage, Store]:
        def quota(account: str) -> int:
            user = book.user(account)
            return user.quota.receive if user is not None else 0

        accounts = self._path("accounts")
        usage = Usage(os.path.join(accounts, "usage"), self._disk)
        store = Store(
            accounts, disk=self._disk, now=self._reactor.seconds, host=self._host, usage=usage, quota=quota,
            undelete_days=lambda: book.site.undelete_days, retry_for=lambda: book.site.relay_retry_for,
        )  # fmt: skip
        self._closing.add("the mailboxes", lambda: threads.run(store.close))
        if swept := await threads.run(store.sweep):
            self._journal.recovered("temporary files in mailboxes", swept)
        self._every(SETTLE_EVERY_S, lambda: threads.run(store.settle), "letting file names follow their flags")
        return usage, store

    async def _open_spool(self, book: Book, store: Store, doorbell: Doorbell, usage: Usage) -> Spool:
        spool = Spool(
            self._path("spool"), disk=self._disk, threads=self._threads("commit", COMMIT_THREADS), store=store,
            doorbell=doorbell, journal=self._journal, clock=self._reactor, host=self._host, usage=usage,
            retry_for=lambda: book.site.relay_retry_for,
        )  # fmt: skip
        await spool.recover()
        self._closing.add("the spool", spool.stop)
        return spool

    def _watch_directory(
        self, book: Book, watcher: Watcher, threads: Threads
    ) -> tuple[SmartHostAddresses, PeerAddresses]:
        known = {"book": book, "threads": threads, "journal": self._journal, "clock": self._reactor}
        smart_host, peers = SmartHostAddresses(**known), PeerAddresses(**known)
        for addresses in (smart_host, peers):
            addresses.start()
            self._closing.add("the look-up of hosts", addresses.stop)
            watcher.listen(partial(_look_again, addresses))
        watcher.start()
        self._closing.add("the watch over the directory", watcher.stop)
        return smart_host, peers

    async def _open_login(self, database: Database, book: Book, threads: Threads) -> Login:
        password_threads = self._threads("password", self._settings.threads.passwords)
        login = Login(
            credentials=Credentials(database), book=book, threads=threads, password_threads=password_threads,
            journal=self._journal, clock=self._reactor,
        )  # fmt: skip
        await password_threads.run(login.prepare)
        return login

    def _path(self, name: str) -> str:
        return self._settings.path(getattr(self._settings.paths, name))

    def _every(self, seconds: float, work: Callable[[], Any], what: str) -> None:
        loop = every(self._reactor, self._journal, seconds, work, what)
        self._closing.add(what, lambda: loop.stop() if loop.running else None)


def _look_again(addresses: HostAddresses, usn: int) -> None:
    addresses.look()


def _node_id(directory: Directory) -> str:
    with directory.read() as view:
        node_id: str = view.identity.node_id
        return node_id


def every(reactor: Any, journal: Journal, seconds: float, work: Callable[[], Any], what: str) -> LoopingCall:
    """Do `work` now and then; a failure is noted, and it is done again the next time."""

    def once() -> Any:
        try:
            result = work()
        except Exception as error:
            return journal.trouble(what, error)
        return journal.guard(result, what) if isinstance(result, Awaitable) else None

    loop = LoopingCall(once)
    loop.clock = reactor
    journal.guard(loop.start(seconds, now=False), what)
    return loop


def _keep_turns_short() -> None:
    """The address book lives for ever: the collector passes it by, looks at few young objects at a time, and at the
    old ones never within a turn of the reactor (that is done now and then in a thread: hardly anything waits for it).

    A thread that comes back from the disk gets the interpreter soon: it has a batch of messages to answer for.
    """
    sys.setswitchinterval(SWITCH_EVERY_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 1_000_000)
