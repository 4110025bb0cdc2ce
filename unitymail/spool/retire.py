"""Retiring records: once what they promise is durable in mailboxes and items, they leave the commit journal.

Knows the order that lets no record go too early; refuses to know when it is called. Runs in any thread, one at a time.

Note *The order*. Names in mailboxes, items (made, changed and gone) and what peers may ask again become durable; then
the intake files go, durably; then the segments. A record without its intake file says nothing any more, and an intake
file without a record is removed at the next start.

Note *No note before its record*. A note says that a step of an item was done. It stays as long as the record of the
item can come back, or a crash would have the step done again.

Note *One in trouble*. A mailbox that cannot be made durable, an item that cannot be made, or a file that cannot be
removed holds back its own records and the segments they are in, nothing else.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import Item, StepState
from unitymail.interfaces.store import IStore
from unitymail.routing.steps import Deliver
from unitymail.spool.durable import Durable
from unitymail.spool.in_hand import InHand
from unitymail.spool.intake import owner_of
from unitymail.spool.items import Items
from unitymail.spool.journal_file import CommitJournal, Committed, Noted, Segment
from unitymail.spool.links import split
from unitymail.spool.notes import Note
from unitymail.spool.places import Places, unlink_if_there
from unitymail.spool.xids import Xids


class Retirement:
    """`made` is called (in the thread) with an item that only now could be made."""

    def __init__(
        self, *, places: Places, disk: IDisk, store: IStore, items: Items, in_hand: InHand, xids: Xids,
        commits: CommitJournal, journal: IJournal, made: Callable[[Item], None],
    ) -> None:
        self._places = places
        self._disk = disk
        self._store = store
        self._durable = Durable(
            places=places, disk=disk, items=items, renew=in_hand.renew, trouble=journal.trouble
        )
        self._in_hand = in_hand
        self._xids = xids
        self._commits = commits
        self._journal = journal
        self._made = made
        self._lock = threading.Lock()

    def run(self) -> None:
        """Retire all records that can be. What goes wrong is told to the journal and tried again the next time."""
        try:
            with self._lock:
                self._retire(self._commits.rotate())
        except Exception as error:
            self._journal.trouble("retiring commit records", error)

    def _retire(self, sealed: list[Segment]) -> None:
        records = [record for segment in sealed for record in segment.committed if not record.retired]
        noted = [noted for segment in sealed for noted in segment.noted]
        self._follow(noted)
        ready = self._delivered([record for record in records if self._is_ripe(record)])
        applied = [one for one in noted if one.applied]
        lost = self._not_durable_items(ready, [one.note for one in applied])
        for one in applied:
            one.settled = one.note.trace not in lost
        self._leave(self._remembered([record for record in ready if record.item.trace not in lost]))
        waiting = {record.item.trace for record in records if not record.retired}
        if settled := [segment for segment in sealed if _is_settled(segment, waiting)]:
            if any(self._ends_item_of_others(one.note) for segment in settled for one in segment.noted):
                self._disk.flush_directory(self._places.intake)
            self._commits.remove(settled)

    def _ends_item_of_others(self, note: Note) -> bool:
        """Its record has gone from the intake, but perhaps not durably: it would have the item done again."""
        return note.finished and owner_of(note.intake)[1] not in ("", self._commits.owner)

    def _follow(self, noted: Iterable[Noted]) -> None:
        """Let the files of items say what the notes say, where that was not possible at once."""
        for one in noted:
            if one.applied or one.leaving:
                continue
            try:
                self._in_hand.apply(one.note)
                if one.note.finished:
                    self._in_hand.remove(one.note.trace)
                one.applied = True
            except Exception as error:
                self._journal.trouble(f"writing the envelope of {one.note.trace}; it is tried again", error)

    def _not_durable_items(self, records: Sequence[Committed], notes: Sequence[Note]) -> set[str]:
        """Make the items of these records and notes durable; those in trouble.

        Of those that are finished nothing is left to flush but their names.
        """
        gone = {note.trace for note in notes if note.finished}
        there = {record.item.trace for record in records if record.waits is not None} | {note.trace for note in notes}
        lost = self._durable.make(there - gone)
        if gone and gone >= there:
            self._disk.flush_directory(self._places.items)
        return lost

    def _is_ripe(self, record: Committed) -> bool:
        """Whether the message is linked, and what is left of it has its files from now on."""
        try:
            if record.stuck and record.waits is not None:
                self._made(self._in_hand.born(record.waits, record.item.path))
                record.stuck, record.linked = False, True
            if record.linked and record.waits is not None:
                self._in_hand.ripen(record.item.trace)
        except Exception as error:
            self._journal.trouble(f"making the item of {record.item.trace}; it is tried again", error)
            return False
        return record.linked

    def _delivered(self, records: list[Committed]) -> list[Committed]:
        """Those whose names in mailboxes are durable now."""
        bad = self._not_durable(accounts_of(records))
        return [record for record in records if bad.isdisjoint(_linked(record))] if bad else records

    def _not_durable(self, accounts: set[str]) -> set[str]:
        """Make these mailboxes durable; those in trouble."""
        try:
            if accounts:
                self._store.make_durable(accounts)
        except Trouble as trouble:
            if len(accounts) > 1:
                return {bad for account in accounts for bad in self._not_durable({account})}
            self._journal.trouble(f"making the mailbox {min(accounts)} durable", trouble)
            return accounts
        return set()

    def _remembered(self, records: list[Committed]) -> list[Committed]:
        """Those that a peer may send again: this node would know them."""
        try:
            self._xids.keep(record.item for record in records)
        except (OSError, sqlite3.Error) as error:
            self._journal.trouble("remembering what peers sent; it is tried again", error)
            return [record for record in records if not record.item.xid]
        return records

    def _leave(self, records: list[Committed]) -> None:
        """Remove intake files, durably: the end of these records."""
        gone = []
        for record in records:
            try:
                unlink_if_there(self._disk, record.item.path)
                gone.append(record)
            except OSError as error:
                self._journal.trouble("removing an intake file; it is tried again", error)
        if gone:
            self._disk.flush_directory(self._places.intake)
        for record in gone:
            record.retired = True


def _is_settled(segment: Segment, waiting: set[str]) -> bool:
    """Whether nothing in it has to be known any more; `waiting` are the traces of records that may come back."""
    return all(record.retired for record in segment.committed) and all(
        noted.settled and noted.note.trace not in waiting for noted in segment.noted
    )


def accounts_of(records: list[Committed]) -> set[str]:
    """The mailboxes into which these messages were linked at their commit; where that failed the item says so."""
    return {account for record in records for account in _linked(record)}


def _linked(record: Committed) -> set[str]:
    wanted = _mailboxes(split(record.item)[0])
    return wanted if record.waits is None else wanted - _mailboxes(record.waits.steps)


def _mailboxes(states: Sequence[StepState]) -> set[str]:
    return {state.step.account for state in states if isinstance(state.step, Deliver)}
