"""Whether anybody listens in a process: an octet for each of many groups of accounts, which the others can see.

Knows how accounts fall into groups, and the file; refuses to know what is heard. Whoever rings looks there first, so
that a process in which nobody reads a mailbox is not woken for it. An octet that says yes may stand for another account
of the same group; one that says no is right.

Note *Seen at once*. The file is memory that the processes share: who listens first and looks into the folder then
misses nothing that came later. Of octets that were written: where a file has none, a full disk would kill who listens.

Note *In doubt, heard*. Where there is no such file (an earlier version, a disk that was full) everything is told.
"""

from __future__ import annotations

import mmap
import os
import stat
import zlib
from collections import Counter
from contextlib import suppress

GROUPS = 65_536


def _group(account: str) -> int:
    return zlib.crc32(account.encode("utf-8", "surrogatepass")) % GROUPS


class OwnEars:
    """Those of this process. `open` begins to show them; what was heard for before counts."""

    def __init__(self) -> None:
        self._listeners: Counter[int] = Counter()
        self._path = ""
        self._shown: mmap.mmap | None = None

    def open(self, path: str) -> None:
        """Where the disk does not let us show them, everything is told to us."""
        self._path = path
        try:
            with suppress(FileNotFoundError):
                os.unlink(path)
            fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                if os.write(fd, bytes(group in self._listeners for group in range(GROUPS))) == GROUPS:
                    self._shown = mmap.mmap(fd, GROUPS)
            finally:
                os.close(fd)
        except OSError:
            pass
        if self._shown is None:
            self._remove()

    def listen(self, account: str) -> None:
        group = _group(account)
        self._listeners[group] += 1
        self._show(group, 1)

    def forget(self, account: str) -> None:
        """Once for each `listen`."""
        group = _group(account)
        self._listeners[group] -= 1
        if not self._listeners[group]:
            del self._listeners[group]
            self._show(group, 0)

    def _show(self, group: int, heard: int) -> None:
        if self._shown is not None:
            self._shown[group] = heard

    def close(self) -> None:
        shown, self._shown = self._shown, None
        if shown is not None:
            shown.close()
            self._remove()

    def _remove(self) -> None:
        with suppress(OSError):
            os.unlink(self._path)


class Ears:
    """Those of another process."""

    def __init__(self, path: str) -> None:
        self._shown = _mapped(path)

    def hear(self, account: str) -> bool:
        return self._shown is None or bool(self._shown[_group(account)])

    def close(self) -> None:
        shown, self._shown = self._shown, None
        if shown is not None:
            shown.close()


def _mapped(path: str) -> mmap.mmap | None:
    """None where there is nothing of the kind."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_size != GROUPS:
            return None
        return mmap.mmap(fd, GROUPS, access=mmap.ACCESS_READ)
    except OSError:
        return None
    finally:
        os.close(fd)
