"""How full each mailbox is, known to all processes of a node at once: a table in memory that they share.

Knows rows and columns; refuses to know what is counted. A row is an account, in the order in which they were first seen
(`NAME.names`, a line each); a column belongs to one process, which alone writes it. What an account holds is the sum of
its row: nobody waits for anybody, and what a process counted before it was killed stays counted.

Note *One number at a time*. A number of eight octets at its natural place is written and read whole. Only a new account
takes a lock, for as long as it takes to write a line.

Note *Columns*. A process holds its column by a lock that ends with it; the next one goes on from the same numbers.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Mapping

from unitymail.interfaces.disk import IDisk
from unitymail.store.keeping import replace_file

HEADER = 4096
ROWS_AT_ONCE = 1024
SPARE = 4
"""Columns beyond one for each process: for one that is ending while its successor begins."""
_NAMES_END, _COLUMNS = 0, 1
"""Places in the header: how many octets of the names count, and how many columns there are."""


class SharedOctets:
    """Any thread. Opened by every process for itself, after `begin` in the one that was there first."""

    def __init__(self, path: str, disk: IDisk) -> None:
        self._disk = disk
        self._lock = threading.Lock()
        self._rows: dict[str, int] = {}
        self._read_to = 0
        self._names = os.open(path + ".names", os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            self._table = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except BaseException:
            os.close(self._names)
            raise
        try:
            self._map()
            self._columns = self._numbers[_COLUMNS]
            self._column = self._own_column()
        except BaseException:
            self.close()
            raise
        self._read_names()

    def get(self, account: str) -> int:
        row = self._rows.get(account)
        if row is None:
            if self._numbers[_NAMES_END] == self._read_to:
                return 0
            with self._lock:
                self._read_names()
            if (row := self._rows.get(account)) is None:
                return 0
        return max(self._sum(row), 0)

    def add(self, account: str, octets: int) -> None:
        """It does not fall below zero; two who take away at once may have let it, which the next one puts right.

        Raises OSError where there is no room for a new account.
        """
        with self._lock:
            row = self._row_of(account)
            place, held = self._place(row) + self._column, self._sum(row)
            self._numbers[place] += max(max(held, 0) + octets, 0) - held

    def all(self) -> dict[str, int]:
        with self._lock:
            self._read_names()
            rows = dict(self._rows)
        return {account: max(self._sum(row), 0) for account, row in rows.items()}

    def close(self) -> None:
        """Give the column back."""
        os.close(self._names)
        os.close(self._table)

    # rows

    def _place(self, row: int) -> int:
        return HEADER // 8 + row * self._columns

    def _sum(self, row: int) -> int:
        place = self._place(row)
        return sum(self._numbers[place : place + self._columns])

    def _row_of(self, account: str) -> int:
        if account not in self._rows:
            self._read_names()
        if account not in self._rows:
            fcntl.flock(self._names, fcntl.LOCK_EX)
            try:
                self._read_names()
                if account not in self._rows:
                    self._append(account)
            finally:
                fcntl.flock(self._names, fcntl.LOCK_UN)
        return self._rows[account]

    def _append(self, account: str) -> None:
        """What somebody wrote who was killed before it counted is cut off."""
        end, line = self._numbers[_NAMES_END], _line(account)
        self._make_room(len(self._rows) + 1)
        self._disk.truncate(self._names, end)
        self._disk.write(self._names, line)
        self._numbers[_NAMES_END] = end + len(line)
        self._read_names()

    def _make_room(self, rows: int) -> None:
        """Of octets that are written: where a file has none, a full disk would kill who counts there."""
        wanted, size = _size_of(rows, self._columns), os.fstat(self._table).st_size
        if size < wanted:
            self._disk.write_at(self._table, bytes(wanted - size), size)

    def _read_names(self) -> None:
        end = self._numbers[_NAMES_END]
        if end == self._read_to:
            return
        text = os.pread(self._names, end - self._read_to, self._read_to)
        names = text.decode("utf-8", "surrogateescape").split("\n")[:-1]
        if self._place(len(self._rows) + len(names)) > len(self._numbers):
            self._map()
        for name in names:
            self._rows[name] = len(self._rows)
        self._read_to = end

    def _map(self) -> None:
        """Who still has the old view goes on with it: it is the same memory."""
        size = os.fstat(self._table).st_size
        self._numbers = memoryview(mmap.mmap(self._table, size - size % 8)).cast("q")

    def _own_column(self) -> int:
        for column in range(self._columns):
            wanted = struct.pack("hhxxxxqqixxxx", fcntl.F_WRLCK, os.SEEK_SET, column, 1, 0)
            try:
                fcntl.fcntl(self._table, fcntl.F_OFD_SETLK, wanted)
            except BlockingIOError:
                continue
            return column
        raise OSError(errno.EUSERS, f"more than {self._columns} processes count how full the mailboxes are")


def begin(path: str, disk: IDisk, octets: Mapping[str, int], processes: int) -> None:
    """Make the table anew, with these numbers. Who still counts in an older one goes on there, for himself."""
    names = list(octets)
    columns = processes + SPARE
    text = b"".join(map(_line, names))
    table = bytearray(_size_of(len(names), columns))
    numbers = memoryview(table).cast("q")
    numbers[_NAMES_END], numbers[_COLUMNS] = len(text), columns
    for row, account in enumerate(names):
        numbers[HEADER // 8 + row * columns] = octets[account]
    for place, content in ((path + ".names", text), (path, bytes(table))):
        _replace(disk, place, content)


def _replace(disk: IDisk, path: str, content: bytes) -> None:
    temporary = f"{path}.{os.getpid()}"
    for stale in (path, temporary):
        if os.path.exists(stale):
            disk.unlink(stale)
    replace_file(disk, path, content, temporary)


def _line(account: str) -> bytes:
    if "\n" in account:
        raise ValueError(f"{account!r} cannot name an account")
    return account.encode("utf-8", "surrogateescape") + b"\n"


def _size_of(rows: int, columns: int) -> int:
    """Octets of a table with room for so many accounts."""
    room = -(-max(rows, 1) // ROWS_AT_ONCE) * ROWS_AT_ONCE
    return HEADER + room * columns * 8

