"""How full each mailbox is, in memory; written to a file now and then, and put right when an account is looked at.

Knows octets; refuses to know limits. The numbers are this process's own, or in a table that several processes share
(`shared_octets`); then one of them writes the file.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from zope.interface import implementer

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.quota import IUsage
from unitymail.store import shared_octets
from unitymail.store.keeping import replace_file
from unitymail.store.shared_octets import SharedOctets

FILE = "usage"
SAVE_EVERY_S = 60.0


class Table(Protocol):
    """Octets by account. `add` does not let any fall below zero."""

    def get(self, account: str) -> int: ...

    def add(self, account: str, octets: int) -> None: ...

    def all(self) -> dict[str, int]: ...


class OwnOctets:
    """A table of this process alone."""

    def __init__(self, octets: dict[str, int]) -> None:
        self._octets = octets
        self._lock = threading.Lock()

    def get(self, account: str) -> int:
        return self._octets.get(account, 0)

    def add(self, account: str, octets: int) -> None:
        with self._lock:
            self._octets[account] = max(self._octets.get(account, 0) + octets, 0)

    def all(self) -> dict[str, int]:
        with self._lock:
            return dict(self._octets)


@implementer(IUsage)
class Usage:
    """`used` never blocks. What a crash takes from the file is found again at the account's next look.

    `processes`: so many count in one table, which is made anew; the others are given `table`, and write no file.
    """

    def __init__(self, path: str, disk: IDisk, *, processes: int = 1, table: Table | None = None) -> None:
        self._path = path
        self._disk = disk
        self._lock = threading.Lock()
        self._saves = table is None
        if table is None and processes > 1:
            shared_octets.begin(shared(path), disk, _read(path), processes)
            table = SharedOctets(shared(path), disk)
        self._table: Table = table if table is not None else OwnOctets(_read(path))
        self._changed = processes > 1
        self._saved_at = 0.0

    def used(self, account: str) -> int:
        return self._table.get(account)

    def accounts(self) -> list[str]:
        """All that were ever seen."""
        return list(self._table.all())

    def add(self, account: str, octets: int) -> None:
        """Where a full disk has no room for a new account, it is counted at the account's next look."""
        if octets:
            with suppress(OSError):
                self._table.add(account, octets)
            self._changed = True

    def save_now_and_then(self, now: float) -> None:
        """`save`, when that was not done for a while: the file has a line for every account."""
        if abs(now - self._saved_at) >= SAVE_EVERY_S:
            self._saved_at = now
            self.save()

    def save(self) -> None:
        """Write the file when anything may have changed. Blocking."""
        with self._lock:
            if not self._saves or not self._changed:
                return
            self._changed = isinstance(self._table, SharedOctets)
            octets = self._table.all()
        lines = [f"{number} {account}\n" for account, number in sorted(octets.items())]
        temporary = f"{self._path}.{os.getpid()}"
        try:
            if os.path.exists(temporary):
                self._disk.unlink(temporary)
            replace_file(self._disk, self._path, "".join(lines).encode("utf-8"), temporary)
        except OSError:
            self._changed = True
            raise


def shared(path: str) -> str:
    """Where the table is that processes share, of which `path` is the file."""
    return f"{path}.shared"


def _read(path: str) -> dict[str, int]:
    octets: dict[str, int] = {}
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                number, _, account = line.rstrip("\n").partition(" ")
                if number.isdigit() and account:
                    octets[account] = int(number)
    except FileNotFoundError:
        pass
    return octets


def constant(value: int) -> Callable[..., int]:
    """A limit or duration that is always the same."""
    return lambda *_: value
