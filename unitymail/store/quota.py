"""How full each mailbox is, in memory; written to a file now and then, and put right when an account is looked at.

Knows octets; refuses to know limits.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from zope.interface import implementer

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.quota import IUsage
from unitymail.store.keeping import replace_file

FILE = "usage"
SAVE_EVERY_S = 60.0


@implementer(IUsage)
class Usage:
    """`used` never blocks. What a crash takes from the file is found again at the account's next look."""

    def __init__(self, path: str, disk: IDisk) -> None:
        self._path = path
        self._disk = disk
        self._lock = threading.Lock()
        self._octets = _read(path)
        self._changed = False
        self._saved_at = 0.0

    def used(self, account: str) -> int:
        return self._octets.get(account, 0)

    def add(self, account: str, octets: int) -> None:
        if octets:
            with self._lock:
                self._octets[account] = max(self._octets.get(account, 0) + octets, 0)
                self._changed = True

    def save_now_and_then(self, now: float) -> None:
        """`save`, when that was not done for a while: the file has a line for every account."""
        if abs(now - self._saved_at) >= SAVE_EVERY_S:
            self._saved_at = now
            self.save()

    def save(self) -> None:
        """Write the file when anything changed. Blocking."""
        with self._lock:
            if not self._changed:
                return
            octets = dict(self._octets)
            self._changed = False
        lines = [f"{number} {account}\n" for account, number in sorted(octets.items())]
        temporary = f"{self._path}.{os.getpid()}"
        try:
            if os.path.exists(temporary):
                self._disk.unlink(temporary)
            replace_file(self._disk, self._path, "".join(lines).encode("utf-8"), temporary)
        except OSError:
            self._changed = True
            raise


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
