"""The history's file, as its one writing thread sees it: batches go in, old days go out.

Knows SQL and what to do with a damaged file; refuses to know when to write. Several processes may have it open.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from itertools import chain
from typing import Any

from unitymail.history import schema
from unitymail.history.pending import Batch, Noted
from unitymail.history.schema import DAY_S
from unitymail.history.telling import told
from unitymail.interfaces.disk import IDisk

EVENTS_IN_A_PART = 500
ROWS_AT_ONCE = 100
PRUNED_WORDS = 2_000
PRUNED_PARTS = 500
_DAMAGED = ("malformed", "not a database", "no such table", "no such column")
_encode = json.JSONEncoder(separators=(",", ":"), default=str, check_circular=False).encode


class HistoryFile:
    """Everything blocks, and raises OSError or sqlite3.Error when the disk does not play along."""

    def __init__(self, path: str, disk: IDisk) -> None:
        self._path = path
        self._disk = disk
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def write(self, batch: Batch) -> None:
        """All of it, or nothing."""
        parts = list(_parts(batch))
        connection = self._open()
        self._disk.begin(connection, durable=False)
        try:
            _insert(connection, parts)
            self._disk.commit(connection)
        except BaseException:
            self._disk.rollback(connection)
            raise

    def prune(self, before: float) -> bool:
        """Remove a slice of what is older (Unix seconds, whole days); whether there may be more."""
        day = int(before) // DAY_S
        connection = self._open()
        self._disk.begin(connection, durable=False)
        try:
            # Words first: a word whose message is gone finds nothing, but its number may be another's one day.
            words = connection.execute(_PRUNE_WORDS, (day, PRUNED_WORDS)).rowcount
            parts = 0 if words else connection.execute(_PRUNE_PARTS, (PRUNED_PARTS, day * DAY_S)).rowcount
            self._disk.commit(connection)
        except BaseException:
            self._disk.rollback(connection)
            raise
        return bool(words or parts)

    def set_aside(self, error: sqlite3.Error) -> str:
        """When the error says that the file is damaged: put it aside, so that a new one begins; its new name or "".

        Another process may have been quicker: then there is a new one already, and the old one has its new name.
        """
        if not any(word in str(error) for word in _DAMAGED):
            return ""
        self.close()
        aside = f"{self._path}.damaged"
        if not self._inode or self._inode != _inode_of(self._path):
            return aside
        self._disk.rename(self._path, aside)
        for ending in ("-wal", "-shm"):
            if os.path.exists(self._path + ending):
                self._disk.unlink(self._path + ending)
        return aside

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._inode != _inode_of(self._path):
            self.close()
        if self._connection is None:
            self._inode = _inode_of(self._path)
            connection = self._disk.connect(self._path)
            try:
                _prepare(connection, self._disk)
            except BaseException:
                connection.close()
                raise
            self._connection, self._inode = connection, _inode_of(self._path)
        return self._connection


def _inode_of(path: str) -> int:
    """0 when there is no such file."""
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return 0


def _prepare(connection: sqlite3.Connection, disk: IDisk) -> None:
    # Fewer, larger checkpoints: each of them waits for the disk, which mail waits for too.
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute("PRAGMA cache_size = -8192")
    if _version(connection):
        return
    disk.begin(connection, durable=True)
    try:
        if not _version(connection):
            for statement in schema.STATEMENTS:
                connection.execute(statement)
        disk.commit(connection)
    except BaseException:
        disk.rollback(connection)
        raise


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


Part = tuple[int, str, str, tuple[int, ...]]
"""(time, trace, events as JSON, words)"""
Told = tuple[float, str, dict[str, Any]]


def _parts(batch: Batch) -> Iterator[Part]:
    for trace, noted in batch.items():
        for start in range(0, len(noted), EVENTS_IN_A_PART):
            events: list[Told] = []
            found_by: set[int] = set()
            for one in noted[start : start + EVENTS_IN_A_PART]:
                _tell(one, events, found_by)
            yield int(events[0][0]), trace, _encode(events), tuple(found_by)


def _tell(noted: Noted, events: list[Told], found_by: set[int]) -> None:
    time, event, facts = noted
    when = round(time, 3)
    try:
        events += [(when, event, piece) for piece in told(event, facts, found_by)]
    except Exception as error:
        # One event that cannot be told must not cost the others of its batch.
        events.append((when, event, {"untold": repr(error)}))


def _insert(connection: sqlite3.Connection, parts: list[Part]) -> None:
    last: int = connection.execute("SELECT coalesce(max(n), 0) FROM part").fetchone()[0]
    numbered = list(enumerate(parts, last + 1))
    _insert_rows(connection, "part", 4, [(n, at, trace, events) for n, (at, trace, events, _) in numbered])
    _insert_rows(
        connection, "word", 3, [(at // DAY_S, word, n) for n, (at, _, _, found_by) in numbered for word in found_by]
    )


def _insert_rows(connection: sqlite3.Connection, table: str, width: int, rows: list[tuple[Any, ...]]) -> None:
    """Many in one statement: each statement lets go of the interpreter and must wait to get it back."""
    row = f"({', '.join('?' * width)})"
    at = 0
    for size in (ROWS_AT_ONCE, 10, 1):
        statement = f"INSERT INTO {table} VALUES " + ", ".join([row] * size)
        while len(rows) - at >= size:
            connection.execute(statement, list(chain.from_iterable(rows[at : at + size])))
            at += size


_PRUNE_WORDS = "DELETE FROM word WHERE (day, key, n) IN (SELECT day, key, n FROM word WHERE day < ? LIMIT ?)"
_PRUNE_PARTS = (
    "DELETE FROM part WHERE n IN (SELECT n FROM (SELECT n, at FROM part ORDER BY n LIMIT ?) WHERE at < ?)"
)
