"""Which recipients already have a message that a peer may send again: pairs of the transaction's id and recipient.

Knows them in memory from the moment their commit is durable, and in `xids.sqlite` from the retirement of its record on
(a recovery brings those of a crash). Refuses to know who the peers are. The file is made with the first pair.

A peer that lost our reply tries for `relay.retry_for` at most; pairs are kept for a day longer.

Note *Shared*. Where several processes receive, a pair is in the file before its record is in the commit journal, held
in the name of its process, and free for all to know right after. So the same transaction at another door finds that it
is known, or is told to try again. Neither costs a flush: the record brings the pair back, or its holder is dead, and
what a dead process holds is known or gone once its records are replayed (`release`).
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
from unitymail.interfaces.spool import BeingReceived, Item
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
_HOLDER = "ALTER TABLE pairs ADD COLUMN holder TEXT NOT NULL DEFAULT ''"
_HELD = "CREATE INDEX IF NOT EXISTS pairs_held ON pairs (holder) WHERE holder <> ''"
_BEYOND_USE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def recipients_of(item: Item) -> frozenset[str]:
    """The keys under which the recipients of a message are remembered."""
    return frozenset(key_of(recipient.address) for recipient in item.envelope.recipients)


class Xids:
    """Any thread. `root` is DIR/spool. Methods raise OSError and sqlite3.Error: then nobody can know.

    `owner` names this process where pairs are `shared` with others.
    """

    def __init__(
        self, root: str, *, disk: IDisk, now: Callable[[], float], retry_for: Callable[[], float], journal: IJournal,
        owner: str = "", shared: bool = False,
    ) -> None:
        self._root = root
        self._path = os.path.join(root, FILE)
        self._disk = disk
        self._now = now
        self._retry_for = retry_for
        self._journal = journal
        self._owner = owner
        self._shared = shared
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._young: dict[str, set[str]] = {}
        self._pruned = 0.0

    def known(self, xid: str, recipients: Collection[str]) -> frozenset[str]:
        """Those of these recipients (keys of addresses) that have it.

        Raises BeingReceived while another process is at the same transaction.
        """
        with self._lock:
            found = set(self._young.get(xid, ()))
            if not found.issuperset(recipients) and os.path.exists(self._path):
                found |= self._ask(lambda file: self._in_file(file, xid))
        return frozenset(found.intersection(recipients))

    def _in_file(self, file: sqlite3.Connection, xid: str) -> set[str]:
        question = "SELECT recipient, holder FROM pairs WHERE xid = ?"
        rows: list[tuple[str, str]] = file.execute(question, (xid,)).fetchall()
        if any(holder not in ("", self._owner) for _, holder in rows):
            raise BeingReceived(why=f"another process of this node is receiving {xid}")
        return {recipient for recipient, holder in rows if not holder}

    def reserve(self, xid: str, recipients: Collection[str]) -> frozenset[str]:
        """As `known`; when none of them has it, they are held by this process until `remember` or `let_go`."""
        known = self.known(xid, recipients)
        if known or not self._shared:
            return known
        with self._lock:
            return frozenset(self._ask(lambda file: self._hold(file, xid, recipients)).intersection(recipients))

    def _hold(self, file: sqlite3.Connection, xid: str, recipients: Collection[str]) -> set[str]:
        with self._transaction(file, durable=False):
            known = self._in_file(file, xid)
            if known.isdisjoint(recipients):
                rows = [(xid, recipient, self._now(), self._owner) for recipient in recipients]
                file.executemany("INSERT OR IGNORE INTO pairs (xid, recipient, kept, holder) VALUES (?, ?, ?, ?)", rows)
        return known

    def remember(self, xid: str, recipients: Iterable[str]) -> None:
        """Their commit is durable. Raises nothing: what others cannot be told now they hear at the retirement."""
        with self._lock:
            self._young.setdefault(xid, set()).update(recipients)
        if self._shared:
            self._change_held(xid, "UPDATE pairs SET holder = '' WHERE xid = ? AND holder = ?")

    def let_go(self, xid: str) -> None:
        """Nothing of it was committed. Raises nothing: others are told to try again as long as this process lives."""
        if self._shared:
            self._change_held(xid, "DELETE FROM pairs WHERE xid = ? AND holder = ?")

    def _change_held(self, xid: str, statement: str) -> None:
        def change(file: sqlite3.Connection) -> None:
            with self._transaction(file, durable=False):
                file.execute(statement, (xid, self._owner))

        try:
            with self._lock:
                self._ask(change)
        except (OSError, sqlite3.Error) as error:
            self._journal.trouble(f"telling other processes of the transaction {xid}", error)

    def release(self, is_dead: Callable[[str], bool]) -> None:
        """What dead processes held, and nobody committed, may be sent again. Their records are replayed."""

        def free(file: sqlite3.Connection) -> None:
            held = [holder for (holder,) in file.execute("SELECT DISTINCT holder FROM pairs WHERE holder <> ''")]
            if dead := [holder for holder in held if is_dead(holder)]:
                with self._transaction(file, durable=False):
                    file.executemany("DELETE FROM pairs WHERE holder = ?", [(holder,) for holder in dead])

        with self._lock:
            if os.path.exists(self._path):
                self._ask(free)

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
        """They are written even where they are there: what was put there without a flush is flushed with this."""
        with self._transaction(file):
            file.executemany(
                "INSERT INTO pairs (xid, recipient, kept) VALUES (?, ?, ?)"
                " ON CONFLICT (xid, recipient) DO UPDATE SET kept = excluded.kept, holder = ''", rows,
            )  # fmt: skip

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
            if not self._shared or self._is_still_there():
                return self._connection
            self._shut()
        self._inode = self._inode_there()
        new = not self._inode
        connection = self._disk.connect(self._path)
        try:
            if not _is_current(connection):
                with self._transaction(connection):
                    for statement in _SCHEMA:
                        connection.execute(statement)
                    if not _is_current(connection):
                        connection.execute(_HOLDER)
                    connection.execute(_HELD)
            if new:
                self._disk.flush_directory(self._root)
        except BaseException:
            connection.close()
            raise
        self._connection, self._inode = connection, self._inode_there()
        return connection

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection, *, durable: bool = True) -> Iterator[None]:
        self._disk.begin(connection, durable=durable)
        try:
            yield
            self._disk.commit(connection)
        except BaseException:
            self._disk.rollback(connection)
            raise

    def _put_aside(self, error: Exception) -> None:
        """Unless another process has been quicker."""
        quicker = not self._is_still_there()
        self._shut()
        if quicker:
            return
        self._journal.trouble(f"{self._path} is beyond use: kept as {FILE}.damaged, and begun anew", error)
        for ending in ("-wal", "-shm"):
            unlink_if_there(self._disk, self._path + ending)
        self._disk.rename(self._path, self._path + ".damaged")

    def _is_still_there(self) -> bool:
        """Whether the file that was opened, or was to be, has its name."""
        return self._inode != 0 and self._inode_there() == self._inode

    def _inode_there(self) -> int:
        """0 when there is no such file."""
        try:
            return os.stat(self._path).st_ino
        except FileNotFoundError:
            return 0

    def _shut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _is_current(connection: sqlite3.Connection) -> bool:
    """Whether the file has all that this version knows of."""
    return any(column[1] == "holder" for column in connection.execute("PRAGMA table_info(pairs)"))
