"""The rooms that every process of a node has: directory, history, doorbell, mailboxes, spool, receipts.

Knows their constructors and in which order they stand; refuses to know what any of them does. What there is only one
of is `upkeep`, what only those processes have that serve the doors is `reception`.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.task import LoopingCall

from unitymail.closing import Closing
from unitymail.courier.deciding import Decider
from unitymail.courier.receipts import Receipts
from unitymail.directory.book import Book
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.directory.watch import Watcher
from unitymail.disk import Disk
from unitymail.doorbell.unix import Doorbell
from unitymail.history.history import History
from unitymail.journal.journal import Journal
from unitymail.policy.aging import AgingRules
from unitymail.policy.withholding import Withholder
from unitymail.settings.node import NodeSettings
from unitymail.spool.spool import Spool
from unitymail.steady import WallClock
from unitymail.store.quota import Usage, shared
from unitymail.store.renewing import Renewed
from unitymail.store.shared_octets import SharedOctets
from unitymail.store.store import Store
from unitymail.threads import Threads

COMMIT_THREADS = 4
SWITCH_EVERY_S = 0.0005
YOUNG_OBJECTS = 700
COLLECT_EVERY_S = 120.0
SETTLE_EVERY_S = 2.0
FILL_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Company:
    """How many processes work on the node's files, and the id of the one with the courier; 0: this one has it."""

    processes: int = 1
    courier: int = 0

    @property
    def is_shared(self) -> bool:
        return self.processes > 1


ALONE = Company()


@dataclass(frozen=True, slots=True)
class Rooms:
    """`threads` are the store's; `disk` is what they all use."""

    database: Database
    book: Book
    directory: Directory
    directory_threads: Threads
    watcher: Watcher
    doorbell: Doorbell
    store: Store
    spool: Spool
    usage: Usage
    disk: Disk
    threads: Threads


class Builder:
    """Makes the rooms one after the other; `closing` learns how each is ended."""

    def __init__(
        self, settings: NodeSettings, reactor: Any, journal: Journal, closing: Closing, company: Company = ALONE
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._wall = WallClock(reactor)
        self._journal = journal
        self._closing = closing
        self._company = company
        self._host = settings.node.host_name
        self._disk = Disk()

    async def build(self) -> Rooms:
        """The rooms, before anybody works in them: the directory is not watched yet, nothing is recovered."""
        threads = self._threads("store", self._settings.threads.store)
        directory_threads = self._threads("directory", self._settings.threads.directory)
        database, book = await self._open_directory(directory_threads)
        self._open_history(book)
        watcher = Watcher(book, directory_threads, clock=self._reactor, journal=self._journal)
        doorbell = self._open_doorbell(watcher)
        usage, store = self._open_store(book, threads)
        spool = self._open_spool(book, store, doorbell, usage)
        directory = Directory(database, time.time)
        return Rooms(
            database, book, directory, directory_threads, watcher, doorbell, store, spool, usage, self._disk, threads
        )

    def settle_in(self, rooms: Rooms) -> None:
        """Once nothing is left to recover: what goes on for as long as the process works."""
        receipts = Receipts(
            store=rooms.store, spool=rooms.spool, decider=Decider(rooms.book, rooms.usage, self._host),
            book=rooms.book, journal=self._journal, threads=rooms.threads, clock=self._wall,
            in_reactor=self._reactor.callFromThread,
        )  # fmt: skip
        rooms.store.listen(receipts.noticed)
        self._closing.add("the receipts", receipts.stop)
        if not self._company.courier:
            rooms.doorbell.on_count(lambda account: self._count(rooms, account))
        self._every(SETTLE_EVERY_S, lambda: rooms.threads.run(rooms.store.settle), "letting names follow their flags")
        behind = self._threads("full-text", 1)
        self._every(FILL_EVERY_S, lambda: behind.run(rooms.store.fill_full_text), "indexing the words of mailboxes")

    def _count(self, rooms: Rooms, account: str) -> None:
        self._journal.guard(rooms.threads.run(rooms.store.count, account), "counting what is in a mailbox")

    def watch(self, rooms: Rooms) -> None:
        """Follow the directory, once everybody listens who has to hear of its changes."""
        rooms.store.listen_to_classes(lambda news: self._reactor.callFromThread(self._renewed, rooms, news))
        rooms.watcher.listen(lambda usn: self._keep_to_classes(rooms))
        rooms.watcher.start()
        self._closing.add("the watch over the directory", rooms.watcher.stop)

    def _keep_to_classes(self, rooms: Rooms) -> None:
        """What users may see of their mail may have changed."""
        work = rooms.threads.run(rooms.store.keep_to_classes)
        self._journal.guard(work, "keeping mailboxes to their classes of service")

    def _renewed(self, rooms: Rooms, news: Renewed) -> None:
        """Whoever is connected hears at once of messages that have other UIDs now."""
        self._journal.withholding_changed(news.account, folders=len(news.folders), messages=news.messages)
        for folder in news.folders:
            rooms.doorbell.ring(news.account, folder)

    def _threads(self, name: str, size: int) -> Threads:
        return open_threads(self._reactor, self._closing, name, size)

    async def _open_directory(self, threads: Threads) -> tuple[Database, Book]:
        database = Database(self._path("directory"))
        self._closing.add("the directory", lambda: threads.run(database.close))
        await threads.run(database.upgrade)
        await threads.run(Directory(database, time.time).check)
        book = await threads.run(Book.load, database)
        _keep_turns_short()
        self._every(COLLECT_EVERY_S, lambda: threads.run(gc.collect), "collecting garbage")
        return database, book

    def _open_history(self, book: Book) -> None:
        history = History(
            self._path("history"), disk=self._disk, clock=self._wall, threads=self._threads("history", 1),
            days=lambda: book.site.trace_days, journal=self._journal, prunes=not self._company.courier,
        )  # fmt: skip
        history.start()
        self._journal.history = history
        self._closing.add("the history", history.stop)

    def _open_doorbell(self, watcher: Watcher) -> Doorbell:
        doorbell = Doorbell(
            self._path("run"), reactor=self._reactor, journal=self._journal, take=watcher.take,
            courier=self._company.courier,
        )  # fmt: skip
        doorbell.start()
        self._closing.add("the doorbell", doorbell.stop)
        return doorbell

    def _open_store(self, book: Book, threads: Threads) -> tuple[Usage, Store]:
        def quota(account: str) -> int:
            user = book.user(account)
            return user.quota.receive if user is not None else 0

        accounts = self._path("accounts")
        usage = self._usage(os.path.join(accounts, "usage"))
        store = Store(
            accounts, disk=self._disk, now=time.time, host=self._host, usage=usage, quota=quota,
            undelete_days=lambda: book.site.undelete_days, retry_for=lambda: book.site.relay_retry_for,
            visits=not self._company.courier, full_text=lambda: book.site.imap_full_text,
            withholder=Withholder(book), aging=AgingRules(book), shredding=lambda: book.site.shredding_level,
        )  # fmt: skip
        self._closing.add("the mailboxes", lambda: threads.run(store.close))
        return usage, store

    def _usage(self, path: str) -> Usage:
        """The process with the courier makes the table of all."""
        if self._company.courier:
            return Usage(path, self._disk, table=SharedOctets(shared(path), self._disk))
        return Usage(path, self._disk, processes=self._company.processes)

    def _open_spool(self, book: Book, store: Store, doorbell: Doorbell, usage: Usage) -> Spool:
        spool = Spool(
            self._path("spool"), disk=self._disk, threads=self._threads("commit", COMMIT_THREADS), store=store,
            doorbell=doorbell, journal=self._journal, clock=self._wall, host=self._host, usage=usage,
            retry_for=lambda: book.site.relay_retry_for, shared=self._company.is_shared,
            hand_over=doorbell.hand_over if self._company.courier else None,
        )  # fmt: skip
        self._closing.add("the spool", spool.stop)
        return spool

    def _path(self, name: str) -> str:
        return self._settings.path(getattr(self._settings.paths, name))

    def _every(self, seconds: float, work: Callable[[], Any], what: str) -> None:
        loop = every(self._reactor, self._journal, seconds, work, what)
        self._closing.add(what, lambda: loop.stop() if loop.running else None)


def open_threads(reactor: Any, closing: Closing, name: str, size: int) -> Threads:
    """A pool that ends with the process."""
    threads = Threads(reactor, name, size)
    threads.start()
    closing.add(f"the {name} threads", threads.stop)
    return threads


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
