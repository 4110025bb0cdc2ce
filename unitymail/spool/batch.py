"""What is done in one batch of the group commit: all of it becomes durable together, then visible.

Note *The order* (architecture 3.5). (1) Each intake file is written; all of them and their directory are flushed, side
by side. (2) One record a message goes to the commit journal, and one note for each item of which the courier has
something to tell, with one flush for all. This is the durable point: what fails before it leaves nothing, what fails
after it is finished later. (3) Deliveries are linked into the mailboxes, the rest becomes an item; the envelopes of
items follow their notes, without a flush. (4) The Deferreds fire (`commit`). (5) The files of finished items go
(`leaving`). Before (2) a crash leaves a file that the next start removes; after it, the next start does (3) and (5)
again.

Note *Broken off*. Should anything unexpected end a batch, the durable point still decides: what is not beyond it is
refused, and nothing of it kept; what is beyond it is answered well, and the retirement makes an item of what was not
seen to be linked, for the courier to deliver (once: names that are there count as done).

Knows this order; refuses to know what the steps mean, when a batch begins and who waits for it.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.store import IStore
from unitymail.spool.flushers import Flushers
from unitymail.spool.form import write_line
from unitymail.spool.in_hand import InHand
from unitymail.spool.journal_file import CommitJournal, Committed, Noted
from unitymail.spool.leaving import Leaving
from unitymail.spool.links import link_all, split, waiting
from unitymail.spool.notes import write_note
from unitymail.spool.places import Places, parent_of
from unitymail.spool.retire import Retirement
from unitymail.spool.under_way import Finishing, Noting
from unitymail.spool.xids import Xids

MAX_UNRETIRED = 10_000
MAX_UNRETIRED_OCTETS = 64 * 1024 * 1024
"""Of records: those of messages to thousands of recipients are long."""


class Batches:
    """In a thread, one batch at a time; messages and notes know themselves what became of them.

    `settle` may run beside a batch, and what is broken off is given up in the reactor thread.
    """

    def __init__(
        self, *, places: Places, disk: IDisk, store: IStore, in_hand: InHand, xids: Xids, commits: CommitJournal,
        retirement: Retirement, journal: IJournal, flushers: Flushers, leaving: Leaving,
    ) -> None:
        self._places = places
        self._disk = disk
        self._store = store
        self._in_hand = in_hand
        self._xids = xids
        self._commits = commits
        self._retirement = retirement
        self._journal = journal
        self._flushers = flushers
        self._leaving = leaving

    def commit(self, messages: list[Finishing], notes: list[Noting], surplus: Sequence[Noted]) -> None:
        self._leaving.remove(surplus)
        self._press_back(messages)
        for message in messages:
            self._look_up(message)
        self.settle([message for message in messages if not message.settled and message.is_wanted()])
        self._make_records([message for message in messages if message.is_wanted()], notes)
        for message in messages:
            if message.held and message.failure is not None:
                self._xids.let_go(message.xid)
        for message in messages:
            if message.committed is not None:
                self._link(message)
        for noting in notes:
            if noting.noted is not None:
                self._apply(noting.noted)

    def give_up(self, surprise: Exception, messages: list[Finishing], notes: list[Noting]) -> None:
        self._journal.trouble("committing messages", surprise)
        for message in messages:
            if message.committed is not None:
                self._leave_to_courier(message.committed, surprise)
            elif message.failure is None:
                self._fail(message, surprise)
        for noting in notes:
            if noting.noted is None and noting.failure is None:
                noting.failure = OSError(errno.EIO, f"the commit was broken off: {surprise}")

    def _look_up(self, message: Finishing) -> None:
        """What a peer sent in another transaction of this name meanwhile is not stored again."""
        if not message.xid or message.failure is not None:
            return
        try:
            known = self._xids.reserve(message.xid, message.recipients)
        except Exception as error:
            self._fail(message, error)
            return
        if known >= message.recipients:
            message.known = True
            message.incoming.remove()
        elif not known:
            message.held = True
        else:
            self._fail(message, TryAgain(why=f"{message.xid}: some recipients have had it meanwhile"))

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

    def settle(self, batch: list[Finishing]) -> None:
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

    def _make_records(self, messages: list[Finishing], notes: list[Noting]) -> None:
        """The durable point: whoever has its record or note set afterwards is beyond it."""
        records = self._records_of(messages)
        noted = self._noted_of(notes)
        if not records and not noted:
            return
        try:
            self._commits.append([*(record for _, record in records), *(note for _, note in noted)])
        except Exception as error:
            for message, _ in records:
                self._fail(message, error)
            for noting, _ in noted:
                self._fail_note(noting, error)
            return
        for message, record in records:
            message.committed = record
            if message.xid:
                self._xids.remember(message.xid, message.recipients)
        for noting, note in noted:
            noting.noted = note

    def _records_of(self, messages: list[Finishing]) -> list[tuple[Finishing, Committed]]:
        records = []
        for message in messages:
            try:
                item = message.describe()
                records.append((message, Committed(item, write_line(item))))
            except Exception as error:
                self._fail(message, error)
        return records

    def _noted_of(self, notes: list[Noting]) -> list[tuple[Noting, Noted]]:
        noted = []
        for noting in notes:
            try:
                note = self._in_hand.note(noting.item, finished=noting.finished)
                noted.append((noting, Noted(note, write_note(note), leaving=noting.finished)))
            except Exception as error:
                self._fail_note(noting, error)
        return noted

    def _fail_note(self, noting: Noting, error: Exception) -> None:
        self._in_hand.failed(noting.item.trace)
        noting.failure = error

    def _apply(self, noted: Noted) -> None:
        try:
            self._in_hand.apply(noted.note)
            noted.applied = not noted.note.finished
        except Exception as error:  # the note is durable: the retirement does it
            self._journal.trouble(f"writing the envelope of {noted.note.trace}; it is tried again", error)

    def _link(self, message: Finishing) -> None:
        record = message.committed
        assert record is not None
        try:
            self._make_visible(message, record)
        except Exception as error:
            self._leave_to_courier(record, error)
            self._journal.trouble(f"linking {record.item.trace}: the courier will", error)

    def _leave_to_courier(self, record: Committed, error: Exception) -> None:
        """All of a message of which nobody knows how far it came; the retirement makes an item of it."""
        if record.linked or record.stuck:
            return
        now, rest = split(record.item)
        record.waits = waiting(record.item, rest, [(replace(state, attempts=1), error) for state in now])
        record.stuck, record.linked = record.waits is not None, record.waits is None

    def _make_visible(self, message: Finishing, record: Committed) -> None:
        item = record.item
        now, rest = split(item)
        message.delivered, failed = link_all(self._store, item, now, again=bool(parent_of(item.trace)))
        for state, error in failed:
            self._journal.trouble(f"linking {item.trace} for {state.step!r}: the courier will", error)
        record.waits = waiting(item, rest, failed)
        if record.waits is not None:
            try:
                message.fresh = self._in_hand.born(record.waits, item.path)
            except Exception as error:  # the message is durable: the retirement makes the item
                record.stuck = True
                self._journal.trouble(f"making the item of {item.trace}; it is tried again", error)
                return
        record.linked = True

    def _fail(self, message: Finishing, error: Exception) -> None:
        message.failure, message.committed = error, None
        message.incoming.remove()
