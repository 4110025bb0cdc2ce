"""Locks that end with their process: exclusive flocks on files that others may replace or remove.

Note *Which inode*. A lock is on an inode, a name can move on to another. Who takes a lock looks again whether the
name still leads to what was locked; who replaces a file locks the new one before it gets the name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from threading import Event
from time import monotonic

from unitymail.spool.reading import FROM_DISK, Reading

PATIENCE_S = 10.0
LOOK_EVERY_S = 0.02


def try_lock(path: str, reading: Reading = FROM_DISK) -> int | None:
    """A descriptor that holds the file's lock; None when another holds it. FileNotFoundError when there is no file."""
    while True:
        fd = reading.open(path)
        if not lock_descriptor(fd):
            os.close(fd)
            return None
        if is_still(fd, path):
            return fd
        os.close(fd)


class Patience:
    """Waits for locks, for so long altogether, and says so. Not for the reactor thread."""

    def __init__(self, trouble: Callable[[str, BaseException], None], seconds: float = PATIENCE_S) -> None:
        self._trouble = trouble
        self._seconds = seconds
        self._ends: float | None = None

    def lock(self, path: str) -> int | None:
        """As `try_lock`, once nobody else holds it; None when the patience is at its end."""
        while (fd := try_lock(path)) is None:
            if self._ends is None:
                self._ends = monotonic() + self._seconds
                words = f"{path} is locked by another process, perhaps one that is stopped"
                self._trouble(f"waiting for at most {self._seconds:.0f} s", BlockingIOError(words))
            if monotonic() >= self._ends:
                return None
            Event().wait(LOOK_EVERY_S)
        return fd


def is_locked(path: str) -> bool:
    """Whether somebody holds the file's lock. Two who ask do not see each other. FileNotFoundError as above."""
    fd = FROM_DISK.open(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def lock_descriptor(fd: int) -> bool:
    """Lock an open file; whether that was possible at once."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_still(fd: int, path: str) -> bool:
    """Whether the name leads to this file."""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False


def unlock(fd: int) -> None:
    os.close(fd)
