"""How much of the disk incoming mail may still take: what is free, less what is kept for the node's own work.

Knows the file systems that mail lies on; refuses to know who asks. A disk that is full to the last block keeps no index
consistent, sends no report and lets nobody clean up; so mail is refused before (Postfix: queue_minfree).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence

LOOK_EVERY_S = 1.0
MIB = 1024 * 1024


class FreeSpace:
    """Called for the octets that mail may take now: below 0 when none. With `keep_mib=0` there is no end to them.

    `statvfs` asks the kernel for numbers that it has in memory, and at most once a second.
    """

    def __init__(self, folders: Sequence[str], keep_mib: int, seconds: Callable[[], float]) -> None:
        self._folders = folders
        self._keep = keep_mib * MIB
        self._seconds = seconds
        self._looked = -math.inf
        self._free = math.inf

    def __call__(self) -> float:
        now = self._seconds()
        if self._keep and abs(now - self._looked) >= LOOK_EVERY_S:
            self._looked = now
            self._free = min(map(_free_of, self._folders)) - self._keep
        return self._free


def _free_of(folder: str) -> float:
    """Octets that this process may still write there; a folder that nobody can look at says nothing."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return math.inf
    return found.f_bavail * found.f_frsize
