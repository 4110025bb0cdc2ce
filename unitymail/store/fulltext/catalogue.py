"""The file of an account's full-text index: SQLite's FTS5 with trigrams, a row a content.

Knows texts and substrings; refuses to know messages, folders and who searches. What it says is exact: a phrase of
trigrams is a substring. What was put in is kept, packed, because SQLite wants the same text again to take it out.

*Note: what a trigram index cannot hold.* Its tokenizer stops at NUL, and SQLite takes no lone surrogates: both become
`BETWEEN`, a code point that is no character. A needle with one of the three, or shorter than three characters, is
answered by nobody here.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import zlib
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from unitymail.interfaces.disk import IDisk

FILE = "unitymail.fulltext"
VERSION = 1
SHORTEST_NEEDLE = 3
BETWEEN = "\U0010ffff"
"""Stands between texts that are not one: no needle spans two of them."""
_CACHE_KIB = 4096
_DEAD_SHARE = 4
"""When more than this part of what is held was taken out, its remains are cleared away."""
_REMOVED_AT_ONCE = 100
_PAGES_AT_ONCE = 500
"""So many are removed, or written when remains are cleared away, and then who searches or adds has a turn."""
_UNHELD = re.compile("[\0\ud800-\udfff\U0010ffff]")
_STATEMENTS = (
    "CREATE TABLE texts (content INTEGER PRIMARY KEY, head BLOB NOT NULL, body BLOB NOT NULL, whole INTEGER NOT NULL)",
    "CREATE VIRTUAL TABLE words USING fts5(head, body, content='', columnsize=0, tokenize='trigram case_sensitive 1')",
    f"PRAGMA user_version = {VERSION}",
)


class Unusable(Exception):
    """The file was damaged; it is gone, and the next use begins a new one."""


@dataclass(frozen=True, slots=True)
class Text:
    """What there is to find in a content, folded; not `whole` when some of it was left out."""

    content: int
    head: str
    body: str
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Held:
    """The contents that the catalogue holds, ascending; `partly` are those that it does not hold the whole of."""

    contents: array[int]
    partly: frozenset[int]


def can_find(needle: str) -> bool:
    """Whether the catalogue can answer for this (folded) needle."""
    return len(needle) >= SHORTEST_NEEDLE and not _UNHELD.search(needle)


class Catalogue:
    """One account's. Any thread may ask; several processes may have it open. It is made when first used.

    A file that is no catalogue of this version, or is damaged, is thrown away: everything in it can be made again.
    """

    def __init__(self, disk: IDisk, directory: str, discard: Callable[[str], None] | None = None) -> None:
        self.path = os.path.join(directory, FILE)
        self._disk = disk
        self._removed_by = discard or disk.unlink
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = self._pid = self._removed = 0
        self._held: tuple[int, Held] | None = None

    @property
    def exists(self) -> bool:
        return os.path.exists(self.path)

    @property
    def changed_at(self) -> float:
        """Unix seconds; 0 when there is no file."""
        moments = [0.0]
        for path in self._files():
            with suppress(FileNotFoundError):
                moments.append(os.stat(path).st_mtime)
        return max(moments)

    def matching(self, needle: str, *, body_only: bool) -> tuple[Held, set[int]]:
        """What it holds now, and which of these contents hold the needle, which `can_find`."""
        phrase = '"' + needle.replace('"', '""') + '"'
        query = f"body : {phrase}" if body_only else phrase
        with self._open() as connection, _one_moment(connection):
            held = self._held_now(connection)
            found = connection.execute("SELECT rowid FROM words WHERE words MATCH ?", (query,))
            return held, {content for (content,) in found}

    def held(self) -> Held:
        """What it holds now; remembered until somebody changes it."""
        with self._open() as connection, _one_moment(connection):
            return self._held_now(connection)

    def _held_now(self, connection: sqlite3.Connection) -> Held:
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if self._held is None or self._held[0] != version:
            self._held = version, self._read_held(connection)
        return self._held[1]

    def _read_held(self, connection: sqlite3.Connection) -> Held:
        contents = array("q", (row[0] for row in connection.execute("SELECT content FROM texts ORDER BY content")))
        partly = connection.execute("SELECT content FROM texts WHERE NOT whole")
        return Held(contents, frozenset(row[0] for row in partly))

    def add(self, texts: Iterable[Text]) -> None:
        """All at once; what is held already stays as it is."""
        with self._open() as connection, self._changing(connection):
            for text in texts:
                head, body = _UNHELD.sub(BETWEEN, text.head), _UNHELD.sub(BETWEEN, text.body)
                added = connection.execute(
                    "INSERT OR IGNORE INTO texts VALUES (?, ?, ?, ?)",
                    (text.content, _packed(head), _packed(body), text.whole),
                )
                if added.rowcount:
                    connection.execute(
                        "INSERT INTO words (rowid, head, body) VALUES (?, ?, ?)", (text.content, head, body)
                    )

    def remove(self, contents: Collection[int], *, thoroughly: bool = False) -> None:
        """What these held is found no more; the words themselves are overwritten, `thoroughly` at once."""
        every = list(contents)
        for begin in range(0, len(every), _REMOVED_AT_ONCE):
            with self._open() as connection, self._changing(connection):
                some = every[begin : begin + _REMOVED_AT_ONCE]
                self._removed += sum(_remove(connection, content) for content in some)
        with self._open() as connection:
            held = connection.execute("SELECT count(*) FROM texts").fetchone()[0]
        if self._removed > held // _DEAD_SHARE or (thoroughly and self._removed):
            self._clear_away()

    def _clear_away(self) -> None:
        """What 'optimize' of FTS5 does, in steps: a negative 'merge' begins with all there is, the next ones go on."""
        removed, pages = self._removed, -_PAGES_AT_ONCE
        while self._merged(pages):
            pages = _PAGES_AT_ONCE
        self._removed -= removed

    def _merged(self, pages: int) -> bool:
        """Whether there was something to merge: a step that changes less than two rows did nothing."""
        with self._open() as connection, self._changing(connection):
            before = connection.total_changes
            connection.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (pages,))
            return connection.total_changes - before > 1

    def forget(self) -> None:
        """Throw the file away."""
        with self._lock:
            self._shut()
            self._discard()

    def close(self) -> None:
        with self._lock:
            self._shut()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread; damage is met by beginning anew, for whoever asks next."""
        with self._lock:
            try:
                yield self._connected()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                self._shut()
                self._discard()
                raise Unusable from error

    def _connected(self) -> sqlite3.Connection:
        """Never one from before a fork, nor one whose file somebody has replaced."""
        if self._connection is not None and self._pid == os.getpid() and self._is_there():
            return self._connection
        if self._pid == os.getpid():
            self._shut()
        self._connection = self._held = None
        connection = self._disk.connect(self.path)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._pid, self._inode = connection, os.getpid(), os.stat(self.path).st_ino
        return connection

    def _is_there(self) -> bool:
        try:
            return os.stat(self.path).st_ino == self._inode
        except FileNotFoundError:
            return False

    def _prepare(self, connection: sqlite3.Connection) -> None:
        for pragma in ("temp_store = MEMORY", f"cache_size = -{_CACHE_KIB}", "mmap_size = 268435456",
                       "secure_delete = ON"):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        if _version(connection) == VERSION:
            return
        with self._changing(connection):
            if _version(connection) == 0:
                for statement in _STATEMENTS:
                    connection.execute(statement)
        if _version(connection) != VERSION:
            raise sqlite3.DatabaseError("a full-text index of another version")

    @contextmanager
    def _changing(self, connection: sqlite3.Connection) -> Iterator[None]:
        self._disk.begin(connection, durable=False)
        try:
            yield
            self._disk.commit(connection)
        except BaseException:
            self._disk.rollback(connection)
            raise
        finally:
            self._held = None

    def _shut(self) -> None:
        if self._connection is not None and self._pid == os.getpid():
            self._connection.close()
        self._connection = self._held = None

    def _discard(self) -> None:
        for path in (*self._files(), self.path + "-shm"):
            if os.path.exists(path):
                self._removed_by(path)

    def _files(self) -> tuple[str, str]:
        """Itself and its log."""
        return self.path, self.path + "-wal"


@contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """What another process changes meanwhile is not seen."""
    connection.execute("BEGIN")
    try:
        connection.execute("SELECT 1 FROM texts LIMIT 1").fetchone()
        yield
    finally:
        connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _remove(connection: sqlite3.Connection, content: int) -> bool:
    row = connection.execute("SELECT head, body FROM texts WHERE content = ?", (content,)).fetchone()
    if row is None:
        return False
    connection.execute(
        "INSERT INTO words (words, rowid, head, body) VALUES ('delete', ?, ?, ?)", (content, *map(_unpacked, row))
    )
    connection.execute("DELETE FROM texts WHERE content = ?", (content,))
    return True


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode(), 1)


def _unpacked(octets: bytes) -> str:
    return zlib.decompress(octets).decode()
