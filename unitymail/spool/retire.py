"""Retiring records: once what they promise is durable in mailboxes and items, they leave the commit journal.

Knows the order that lets no record go too early; refuses to know when it is called. Runs in any thread, one at a time.

Note *The order*. Names in mailboxes and items become durable; then the segment goes, durably; then the intake files go.
An intake file without a record is removed at the next start, a record without its file is a retired one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import Item
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
        ready = [segment for segment in sealed if all(record.linked for record in segment.committed)]
        records = [record for segment in ready for record in segment.committed]
        if accounts := accounts_of(records):
            self._store.make_durable(accounts)
        self._items.make_durable([record.item.trace for record in records if record.waits is not None])
        if ready:
            self._commits.remove(ready)
        for record in records:
            unlink_if_there(self._disk, record.item.path)
        return [record.item.trace for record in records]

    def _make(self, record: Committed) -> None:
        assert record.waits is not None
        self._made(self._items.create(record.waits, record.item.path))
        record.stuck, record.linked = False, True


def accounts_of(records: list[Committed]) -> set[str]:
    """The mailboxes into which these messages were linked at their commit."""
    return {
        state.step.account
        for record in records
        for state in split(record.item.steps)[0]
        if isinstance(state.step, Deliver)
    }
