"""The group commit: everything that is waiting becomes durable together, then visible, then it is answered.

Note *The order* (architecture 3.5). (1) Each intake file is written; all of them and their directory are flushed, side
by side. (2) One record a message goes to the commit journal, with one flush for the batch. This is the durable point:
what fails before it leaves nothing, what fails after it is finished later. (3) Deliveries are linked into the
mailboxes, the rest becomes an item. (4) The Deferreds fire. Before (2) a crash leaves a file that the next start
removes; after it, the next start does (3) again.

Knows this order; refuses to know what the steps mean, or when records are retired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import Item
from unitymail.interfaces.store import IStore
from unitymail.interfaces.threads import IThreads
from unitymail.routing.steps import Deliver
from unitymail.spool.flushers import Flushers
from unitymail.spool.form import write_line
from unitymail.spool.intake import Incoming
from unitymail.spool.items import Items
from unitymail.spool.journal_file import CommitJournal, Committed
from unitymail.spool.links import link_all, split, waiting
from unitymail.spool.places import Places, parent_of
from unitymail.spool.retire import Retirement
from unitymail.spool.trouble import try_again

MAX_UNRETIRED = 5_000
MAX_UNRETIRED_OCTETS = 64 * 1024 * 1024
"""Of records: those of messages to thousands of recipients are long."""


@dataclass(slots=True, eq=False)
class Finishing:
    """A message between its last octet and its answers. `describe` gives the item once the file is written."""

    incoming: Incoming
    head: bytes
    describe: Callable[[], Item]
    answers: list[Deferred[None]] = field(default_factory=list)
    settled: bool = False
    failure: Exception | None = None
    committed: Committed | None = None
    delivered: list[Deliver] = field(default_factory=list)
    fresh: Item | None = None

    def answer(self) -> Deferred[None]:
        """Fires when the message is durable and visible, or fails when nothing of it was kept."""
        answer: Deferred[None] = Deferred()
        self.answers.append(answer)
        return answer


class Committer:
    """`submit` in the reactor thread; one batch at a time runs in a thread of `threads`.

    `ended` is called in the reactor thread with each message that became durable or failed, before its Deferred fires.
    """

    def __init__(
        self, *, places: Places, disk: IDisk, threads: IThreads, store: IStore, items: Items, commits: CommitJournal,
        retirement: Retirement, journal: IJournal, ended: Callable[[Finishing], None], flushers: Flushers,
    ) -> None:
        self._places = places
        self._disk = disk
        self._threads = threads
        self._store = store
        self._items = items
        self._commits = commits
        self._retirement = retirement
        self._journal = journal
        self._ended = ended
        self._flushers = flushers
        self._waiting: list[Finishing] = []
        self._busy = False
        self._settling = 0
        self._idle: list[Deferred[None]] = []

    # reactor thread

    def submit(self, message: Finishing) -> None:
        self._waiting.append(message)
        if not self._busy:
            self._begin()

    def settle_first(self, message: Finishing) -> None:
        """Flush a large file by itself, so that small messages need not wait for it, then submit it."""
        self._settling += 1
        running: Any = self._threads.run(self._settle, [message])
        running.addBoth(self._settled, message)

    def _settled(self, _: Any, message: Finishing) -> None:
        self._settling -= 1
        self.submit(message)

    def when_idle(self) -> Deferred[None]:
        waiter: Deferred[None] = Deferred()
        self._idle.append(waiter)
        self._tell_idle()
        return waiter

    def _begin(self) -> None:
        self._busy = True
        batch, self._waiting = self._waiting, []
        running: Any = self._threads.run(self._commit, batch)
        running.addBoth(self._end, batch)

    def _end(self, surprise: Any, batch: list[Finishing]) -> None:
        # The next batch begins before these are answered: its flushes run while the answers are written.
        self._busy = False
        if self._waiting:
            self._begin()
        for message in batch:
            if surprise is not None and message.committed is None and message.failure is None:
                self._fail(message, surprise.value)
            self._answer(message)
        if surprise is not None:
            self._journal.trouble("committing messages", surprise.value)
        self._tell_idle()

    def _answer(self, message: Finishing) -> None:
        self._ended(message)
        for answer in message.answers:
            if message.failure is not None:
                answer.errback(try_again(message.failure))
            else:
                answer.callback(None)

    def _tell_idle(self) -> None:
        if self._busy or self._settling:
            return
        waiters, self._idle = self._idle, []
        for waiter in waiters:
            waiter.callback(None)

    # in a thread

    def _commit(self, batch: list[Finishing]) -> None:
        self._press_back(batch)
        self._settle([message for message in batch if not message.settled and message.failure is None])
        durable = self._make_record([message for message in batch if message.failure is None])
        for message in durable:
            self._link(message)

    def _press_back(self, batch: list[Finishing]) -> None:
        """Bound the records that a crash would have to replay, and what a disk in trouble can pile up."""
        if not self._is_much():
            return
        self._retirement.run()
        if self._is_much():
            for message in batch:
                self._fail(message, TryAgain(DISK_FULL, why="too many commit records cannot be retired"))

    def _is_much(self) -> bool:
        return self._commits.unretired() >= MAX_UNRETIRED or self._commits.octets() >= MAX_UNRETIRED_OCTETS

    def _settle(self, batch: list[Finishing]) -> None:
        written = []
        for message in batch:
            try:
                message.incoming.settle(message.head)
                written.append(message)
            except Exception as error:
                self._fail(message, error)
        if written:
            self._flush_all(written)

    def _flush_all(self, batch: list[Finishing]) -> None:
        """The files, and the directory that names them."""
        trouble: list[Exception] = []
        names = partial(self._flush_names, trouble)
        self._flushers.make([*(partial(self._flush, message) for message in batch), names])
        for message in batch:
            if trouble and message.failure is None:
                self._fail(message, trouble[0])

    def _flush(self, message: Finishing) -> None:
        try:
            message.incoming.flush()
            message.settled = True
        except Exception as error:
            self._fail(message, error)

    def _flush_names(self, trouble: list[Exception]) -> None:
        try:
            self._disk.flush_directory(self._places.intake)
        except Exception as error:
            trouble.append(error)

    def _make_record(self, batch: list[Finishing]) -> Sequence[Finishing]:
        for message in batch:
            try:
                item = message.describe()
                message.committed = Committed(item, write_line(item))
            except Exception as error:
                self._fail(message, error)
        batch = [message for message in batch if message.failure is None]
        records = [message.committed for message in batch if message.committed is not None]
        if not records:
            return ()
        try:
            self._commits.append(records)
        except OSError as error:
            for message in batch:
                self._fail(message, error)
            return ()
        return batch

    def _link(self, message: Finishing) -> None:
        record = message.committed
        assert record is not None
        item = record.item
        now, rest = split(item.steps)
        message.delivered, failed = link_all(self._store, item, now, again=bool(parent_of(item.trace)))
        for state, error in failed:
            self._journal.trouble(f"linking {item.trace} for {state.step!r}: the courier will", error)
        record.waits = waiting(item, rest, failed)
        if record.waits is not None:
            try:
                message.fresh = self._items.create(record.waits, item.path)
            except Exception as error:  # the message is durable: the retirement makes the item
                record.stuck = True
                self._journal.trouble(f"making the item of {item.trace}; it is tried again", error)
                return
        record.linked = True

    def _fail(self, message: Finishing, error: Exception) -> None:
        message.failure, message.committed = error, None
        message.incoming.remove()
