"""The index of one account: opening, transactions, and the counters that must never fall.

Knows the counters and the combinations of flags; refuses to know folders and files. Everything here is called by one
thread at a time (the account's lock sees to that); other processes may use the same file.

*Note: MODSEQ.* Values are taken from `counters.modseq` inside transactions that need not be durable. They are reserved
in blocks: `counters.reserved` is raised in a durable transaction before any value up to it is used. An index that was
not closed cleanly may have lost the transactions that used part of the block, so it continues after its end: a value
that a client saw is never given twice with another meaning.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import Never
from unitymail.store import schema

BLOCK = 10_000
FILE = "unitymail.index"
_GENERATIONS = count(1)
"""Shared, so that no two states of no two connections have one number."""


class Index:
    """One open connection. `generation` changes when another connection has changed something."""

    def __init__(self, disk: IDisk, directory: str) -> None:
        self._disk = disk
        self._path = os.path.join(directory, FILE)
        created = not os.path.exists(self._path)
        self.connection: sqlite3.Connection = disk.connect(self._path)
        self.generation = next(_GENERATIONS)
        self._version = -1
        self.combinations: list[frozenset[str]] = []
        self._number_of: dict[frozenset[str], int] = {}
        self._first_own = sys.maxsize
        self._erases = False
        try:
            self._prepare()
            if created:
                disk.flush_directory(directory)
        except BaseException:
            self.connection.close()
            raise
        self.inode = os.stat(self._path).st_ino
        self.identity: int = self.one("SELECT identity FROM counters")[0]

    def _prepare(self) -> None:
        for pragma in ("temp_store = MEMORY", "mmap_size = 268435456", "cache_size = -4096"):
            self.connection.execute(f"PRAGMA {pragma}")
        version = self._user_version()
        if version == 0:
            with self._transaction(durable=True):
                if self._user_version() == 0:
                    for statement in schema.STATEMENTS:
                        self.connection.execute(statement)
        elif version > schema.VERSION:
            raise Never(why=f"{self._path} was made by a newer version of unitymail (schema {version})")
        elif version < schema.VERSION:
            self._upgrade()
        self._continue_after_unclean_end()
        self.read_combinations()

    def _upgrade(self) -> None:
        """All steps in one transaction; another process may have been quicker."""
        with self._transaction(durable=True):
            for version in range(self._user_version(), schema.VERSION):
                for statement in schema.UPGRADES[version]:
                    self.connection.execute(statement)
            self.connection.execute(f"PRAGMA user_version = {schema.VERSION}")

    def _user_version(self) -> int:
        version: int = self.one("PRAGMA user_version")[0]
        return version

    def _continue_after_unclean_end(self) -> None:
        if self.one("SELECT clean FROM counters")[0]:
            return
        with self._transaction(durable=True):
            self.execute("UPDATE counters SET modseq = reserved + 1, reserved = reserved + ?", BLOCK)
            self.execute(
                "UPDATE folders SET highest_modseq = (SELECT modseq FROM counters) WHERE messages > 0 OR uidnext > 1"
            )

    def erase(self, on: bool) -> None:
        """Whether what is deleted from now on is overwritten in the file, too."""
        if on != self._erases:
            self.connection.execute(f"PRAGMA secure_delete = {'ON' if on else 'OFF'}")
            self._erases = on

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self.connection.execute(statement, values)

    def one(self, statement: str, *values: Any) -> Any:
        """The first row, or None."""
        return self.connection.execute(statement, values).fetchone()

    def all(self, statement: str, *values: Any) -> list[Any]:
        return self.connection.execute(statement, values).fetchall()

    def many(self, statement: str, rows: Any) -> None:
        self.connection.executemany(statement, rows)

    @contextmanager
    def changing(self, *, durable: bool = False) -> Iterator[None]:
        """A writing transaction. Combinations it adds are forgotten when it fails."""
        with self._transaction(durable=durable):
            if self._block_is_used_up():
                if not durable:
                    self._disk.rollback(self.connection)
                    self._disk.begin(self.connection, durable=True)
                if self._block_is_used_up():
                    self.execute("UPDATE counters SET reserved = max(reserved, modseq) + ?, clean = 0", BLOCK)
            yield

    @contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[None]:
        self._first_own = sys.maxsize
        self._disk.begin(self.connection, durable=durable)
        try:
            yield
            self._disk.commit(self.connection)
        except BaseException:
            for flags in self.combinations[self._first_own :]:
                del self._number_of[flags]
            del self.combinations[self._first_own :]
            self._disk.rollback(self.connection)
            raise

    def _block_is_used_up(self) -> bool:
        modseq, reserved, clean = self.one("SELECT modseq, reserved, clean FROM counters")
        return bool(clean or modseq + 2 > reserved)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several SELECTs of one moment; inside a transaction, that transaction's."""
        if self.connection.in_transaction:
            yield
            return
        self.execute("BEGIN")
        try:
            yield
        finally:
            self.execute("COMMIT")

    def next_modseq(self) -> int:
        """A MODSEQ higher than all before; inside `changing` only."""
        value: int = self.one("UPDATE counters SET modseq = modseq + 1 RETURNING modseq")[0]
        return value

    def next_contents(self, count: int, now: float) -> range:
        """`count` content ids never given before; inside `changing` only."""
        last: int = self.one(
            "UPDATE counters SET content = max(content + 1, ?) + ? - 1 RETURNING content", int(now * 1_000_000), count
        )[0]
        return range(last - count + 1, last + 1)

    def look_outside(self) -> int:
        """`generation`, a new one when another connection has committed since the last look."""
        version: int = self.connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self.generation = next(_GENERATIONS)
        return self.generation

    def read_combinations(self) -> None:
        """Take in the combinations that others added."""
        for number, flags in self.all(
            "SELECT id, flags FROM combinations WHERE id >= ? ORDER BY id", len(self.combinations)
        ):
            combination = frozenset(flags.split())
            if number != len(self.combinations):
                raise sqlite3.DatabaseError(f"combination {number} of flags is out of order")
            self._number_of[combination] = number
            self.combinations.append(combination)

    def flags_of(self, number: int) -> frozenset[str]:
        """The combination of this number, which another process may have added a moment ago."""
        if number >= len(self.combinations):
            self.read_combinations()
        return self.combinations[number]

    def number_of(self, flags: frozenset[str]) -> int:
        """The number of a combination, added when new; inside `changing` only."""
        number = self._number_of.get(flags)
        if number is None:
            self.read_combinations()
            number = self._number_of.get(flags)
        if number is None:
            number = len(self.combinations)
            self._first_own = min(self._first_own, number)
            self.execute("INSERT INTO combinations VALUES (?, ?)", number, " ".join(sorted(flags)))
            self._number_of[flags] = number
            self.combinations.append(flags)
        return number

    def close(self) -> None:
        """Mark the index as closed cleanly (what was committed is then durable), and close it."""
        try:
            if not self.one("SELECT clean FROM counters")[0]:
                with self._transaction(durable=True):
                    self.execute("UPDATE counters SET clean = 1")
        except sqlite3.Error:
            pass  # An index that cannot be marked is treated as unclean, which costs a block of MODSEQ values.
        finally:
            self.connection.close()
