"""Retiring records: once what they promise is durable in mailboxes and items, they leave the commit journal.

Knows the order that lets no record go too early; refuses to know when it is called. Runs in any thread, one at a time.

Note *The order*. Names in mailboxes and items become durable; then the segment goes, durably; then the intake files go.
An intake file without a record is removed at the next start, a record without its file is a retired one.

Note *One in trouble*. A mailbox that cannot be made durable, an item that cannot be made, or a file that cannot be
removed holds back its own segments or itself, nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import Item, StepState
from unitymail.interfaces.store import IStore
from unitymail.routing.steps import Deliver
from unitymail.spool.items import Items
from unitymail.spool.journal_file import CommitJournal, Committed, Segment
from unitymail.spool.links import split
from unitymail.spool.places import unlink_if_there


class Retirement:
    """`made` is called (in the thread) with an item that only now could be made."""

    def __init__(
        self, *, disk: IDisk, store: IStore, items: Items, commits: CommitJournal, journal: IJournal,
        made: Callable[[Item], None],
    ) -> None:
        self._disk = disk
        self._store = store
        self._items = items
        self._commits = commits
        self._journal = journal
        self._made = made
        self._lock = threading.Lock()
        self._leftover: list[str] = []

    def run(self) -> list[str]:
        """Retire all records that can be; their traces. What goes wrong is told to the journal and tried again."""
        try:
            with self._lock:
                return self._retire(self._commits.rotate())
        except Exception as error:
            self._journal.trouble("retiring commit records", error)
            return []

    def _retire(self, sealed: list[Segment]) -> list[str]:
        for segment in sealed:
            for record in segment.committed:
                if record.stuck:
                    self._make(record)
        ready = self._delivered(
            [segment for segment in sealed if all(record.linked for record in segment.committed)]
        )
        records = records_of(ready)
        self._items.make_durable([record.item.trace for record in records if record.waits is not None])
        if ready:
            self._commits.remove(ready)
        self._leave([record.item.path for record in records])
        return [record.item.trace for record in records]

    def _make(self, record: Committed) -> None:
        assert record.waits is not None
        try:
            self._made(self._items.create(record.waits, record.item.path))
        except OSError as error:
            self._journal.trouble(f"making the item of {record.item.trace}; it is tried again", error)
        else:
            record.stuck, record.linked = False, True

    def _delivered(self, segments: list[Segment]) -> list[Segment]:
        """Those whose names in mailboxes are durable now: all, or when a mailbox is in trouble the others."""
        accounts = accounts_of(records_of(segments))
        try:
            if accounts:
                self._store.make_durable(accounts)
        except Trouble as trouble:
            if len(segments) > 1:
                return [segment for segment in segments if self._delivered([segment])]
            self._journal.trouble(f"making the mailboxes {', '.join(sorted(accounts))} durable", trouble)
            return []
        return segments

    def _leave(self, paths: list[str]) -> None:
        """Remove intake files; one that cannot be removed now is tried again."""
        paths, self._leftover = self._leftover + paths, []
        for path in paths:
            try:
                unlink_if_there(self._disk, path)
            except OSError as error:
                self._journal.trouble("removing an intake file; it is tried again", error)
                self._leftover.append(path)


def records_of(segments: list[Segment]) -> list[Committed]:
    return [record for segment in segments for record in segment.committed]


def accounts_of(records: list[Committed]) -> set[str]:
    """The mailboxes into which these messages were linked at their commit; where that failed the item says so."""
    return {account for record in records for account in _linked(record)}


def _linked(record: Committed) -> set[str]:
    wanted = _mailboxes(split(record.item.steps)[0])
    return wanted if record.waits is None else wanted - _mailboxes(record.waits.steps)


def _mailboxes(states: Sequence[StepState]) -> set[str]:
    return {state.step.account for state in states if isinstance(state.step, Deliver)}
