"""Which recipients already have a message that a peer may send again: pairs of the transaction's id and recipient.

Knows them in memory from the moment their commit is durable, and in `xids.sqlite` from the retirement of its record on
(a recovery brings those of a crash). Refuses to know who the peers are. The file is made with the first pair.

A peer that lost our reply tries for `relay.retry_for` at most; pairs are kept for a day longer.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import Item
from unitymail.mail.address import key_of
from unitymail.spool.places import unlink_if_there

FILE = "xids.sqlite"
SPARE_S = 24 * 3600.0
PRUNE_EVERY_S = 3600.0
PRUNED_AT_ONCE = 5_000
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS pairs (xid TEXT, recipient TEXT, kept REAL, UNIQUE (xid, recipient))",
    "CREATE INDEX IF NOT EXISTS pairs_kept ON pairs (kept)",
)
_BEYOND_USE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def recipients_of(item: Item) -> frozenset[str]:
    """The keys under which the recipients of a message are remembered."""
    return frozenset(key_of(recipient.address) for recipient in item.envelope.recipients)


class Xids:
    """Any thread. `root` is DIR/spool. Methods raise OSError and sqlite3.Error: then nobody can know."""

    def __init__(
        self, root: str, *, disk: IDisk, now: Callable[[], float], retry_for: Callable[[], float], journal: IJournal
    ) -> None:
        self._root = root
        self._path = os.path.join(root, FILE)
        self._disk = disk
        self._now = now
        self._retry_for = retry_for
        self._journal = journal
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._young: dict[str, set[str]] = {}
        self._pruned = 0.0

    def known(self, xid: str, recipients: Collection[str]) -> frozenset[str]:
        """Those of these recipients (keys of addresses) that have it."""
        with self._lock:
            found = set(self._young.get(xid, ()))
            if not found.issuperset(recipients) and os.path.exists(self._path):
                question = "SELECT recipient FROM pairs WHERE xid = ?"
                rows: list[tuple[str]] = self._ask(lambda file: file.execute(question, (xid,)).fetchall())
                found.update(recipient for (recipient,) in rows)
        return frozenset(found.intersection(recipients))

    def remember(self, xid: str, recipients: Iterable[str]) -> None:
        """Their commit is durable."""
        with self._lock:
            self._young.setdefault(xid, set()).update(recipients)

    def keep(self, items: Iterable[Item]) -> None:
        """Put the pairs of these messages into the file, durably; only then may their records go."""
        pairs = [(item.xid, recipient) for item in items if item.xid for recipient in recipients_of(item)]
        if not pairs:
            return
        now = self._now()
        with self._lock:
            self._ask(lambda file: self._insert(file, [(*pair, now) for pair in pairs]))
            self._forget(pairs)
            if now - self._pruned > PRUNE_EVERY_S:
                self._prune(now, max(PRUNED_AT_ONCE, 2 * len(pairs)))

    def _insert(self, file: sqlite3.Connection, rows: list[tuple[str, str, float]]) -> None:
        with self._transaction(file):
            file.executemany("INSERT OR IGNORE INTO pairs VALUES (?, ?, ?)", rows)

    def _forget(self, pairs: list[tuple[str, str]]) -> None:
        """What the file has need not be in memory."""
        for xid, recipient in pairs:
            if (young := self._young.get(xid)) is not None:
                young.discard(recipient)
                if not young:
                    del self._young[xid]

    def _prune(self, now: float, most: int) -> None:
        """Some of what need not be known any more, until there is no more of it: whoever asks meanwhile waits."""
        before = now - self._retry_for() - SPARE_S
        if self._ask(lambda file: self._delete(file, before, most)) < most:
            self._pruned = now

    def _delete(self, file: sqlite3.Connection, before: float, most: int) -> int:
        chosen = "SELECT rowid FROM pairs WHERE kept < ? LIMIT ?"
        with self._transaction(file):
            return file.execute(f"DELETE FROM pairs WHERE rowid IN ({chosen})", (before, most)).rowcount

    def close(self) -> None:
        with self._lock:
            self._shut()

    def _ask(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Do it with the open file. One that is beyond use is put aside, and a new one begun."""
        try:
            return work(self._opened())
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _BEYOND_USE:
                raise
            self._put_aside(error)
            return work(self._opened())

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        new = not os.path.exists(self._path)
        connection = self._disk.connect(self._path)
        try:
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                with self._transaction(connection):
                    for statement in _SCHEMA:
                        connection.execute(statement)
            if new:
                self._disk.flush_directory(self._root)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        self._disk.begin(connection, durable=True)
        try:
            yield
            self._disk.commit(connection)
        except BaseException:
            self._disk.rollback(connection)
            raise

    def _put_aside(self, error: Exception) -> None:
        self._shut()
        self._journal.trouble(f"{self._path} is beyond use: kept as {FILE}.damaged, and begun anew", error)
        for ending in ("-wal", "-shm"):
            unlink_if_there(self._disk, self._path + ending)
        self._disk.rename(self._path, self._path + ".damaged")

    def _shut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
