"""Which accounts of a process have their index open, and how many may: the least recently used is closed first.

Refuses to know what closing means, and never waits for an account that is busy.
"""

from __future__ import annotations

import os
import resource
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unitymail.store.access import Access, Owner

MAX_OPEN = 256
DESCRIPTORS_EACH = 4
"""Of an open index: itself, its log, its shared memory, the write lock."""


class OpenIndexes:
    """Which accounts of this process have their index open, the least recently used first."""

    def __init__(self, limit: int = MAX_OPEN) -> None:
        self._limit = min(limit, affordable())
        self._open: OrderedDict[str, tuple[Access, Owner | None]] = OrderedDict()
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def used(self, access: Access) -> None:
        """Note a use; close what is too many and not busy."""
        with self._lock:
            if self._pid != os.getpid():
                self._open.clear()
                self._pid = os.getpid()
            known = access.directory in self._open
            self._open[access.directory] = (access, access.owner)
            self._open.move_to_end(access.directory)
            if known or len(self._open) <= self._limit:
                return
            candidates = [old for old, _ in self._open.values() if old is not access]
        for old in candidates:
            if len(self._open) <= self._limit:
                break
            old.close_if_idle()

    def closed(self, access: Access) -> None:
        with self._lock:
            self._open.pop(access.directory, None)

    def __len__(self) -> int:
        return len(self._open)

    def holds(self, directory: str) -> bool:
        return directory in self._open

    def owners(self) -> list[Owner | None]:
        """The accounts with an open index."""
        with self._lock:
            return [owner for _, owner in self._open.values()]


def affordable() -> int:
    """How many indexes may be open so that half of the process's descriptors stay for connections and messages."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_OPEN if soft == resource.RLIM_INFINITY else max(1, soft // 2 // DESCRIPTORS_EACH)
