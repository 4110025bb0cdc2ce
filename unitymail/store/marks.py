"""When a directory of a folder must be scanned: what its time stamp and our own doings say.

Knows coarse time stamps; refuses to know names.

*Note: two seconds.* A change within the same tick of the clock as a scan leaves the time stamp as it was, so a scan of
a directory that changed less than `YOUNG_S` ago proves nothing for later. Such a mark is verified: new/ (which is
small) at each look while it is young, cur/ once: as seldom as makes it 1 % of the time, and within `MOST_S`.
Our own renames move the mark along without a scan, as a change to be verified likewise.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from unitymail.store.maildir import listing

YOUNG_S = 2.0
SCAN_SHARE = 100
MOST_S = 4.0


@dataclass(frozen=True, slots=True)
class Mark:
    """The state of new/ or cur/ that the index holds. `verify` is when to compare once more; 0 for never."""

    mtime: int = 0
    verify: float = 0.0

    def after_scan(self, mtime: int, now: float) -> Mark:
        """The mark once the directory, which had this time stamp (ns) before the scan, was taken in at `now`."""
        young = now - mtime / 1e9 < YOUNG_S
        return Mark(mtime, now + YOUNG_S if young else 0.0)


def verified_at(now: float, took: float) -> float:
    """When to compare cur/ once more that was just changed by our own hands, if a scan takes so many seconds."""
    return now + min(max(YOUNG_S, SCAN_SHARE * took), MOST_S)


def mtime_of(directory: bytes) -> int:
    """Its time stamp in nanoseconds, of which the last three digits are those of its inode: a directory that another
    program has put in its place may have been changed in the same tick of the clock."""
    status = os.stat(directory)
    return status.st_mtime_ns // 1000 * 1000 + status.st_ino % 1000


class Fingerprint:
    """A sum over the names of cur/, cheaper to compare than the names; None until a scan has made it."""

    def __init__(self) -> None:
        self._sum: int | None = None
        self._count = 0

    def take(self, names: list[bytes]) -> None:
        self._sum, self._count = sum(map(hash, names)), len(names)

    def forget(self) -> None:
        self._sum = None

    def add(self, name: bytes) -> None:
        if self._sum is not None:
            self._sum, self._count = self._sum + hash(name), self._count + 1

    def remove(self, name: bytes) -> None:
        if self._sum is not None:
            self._sum, self._count = self._sum - hash(name), self._count - 1

    def fits(self, directory: bytes) -> bool:
        """Whether the directory holds just the names that were taken, added and not removed."""
        if self._sum is None:
            return False
        names = listing(directory)
        return len(names) == self._count and sum(map(hash, names)) == self._sum
