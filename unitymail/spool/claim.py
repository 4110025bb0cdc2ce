"""Locks that end with their process: exclusive flocks on files that others may replace or remove.

Note *Which inode*. A lock is on an inode, a name can move on to another. Who takes a lock looks again whether the
name still leads to what was locked; who replaces a file locks the new one before it gets the name.
"""

from __future__ import annotations

import fcntl
import os

from unitymail.spool.reading import FROM_DISK, Reading


def try_lock(path: str, reading: Reading = FROM_DISK) -> int | None:
    """A descriptor that holds the file's lock; None when another holds it. FileNotFoundError when there is no file."""
    while True:
        fd = reading.open(path)
        if not lock_descriptor(fd):
            os.close(fd)
            return None
        if _is_still(fd, path):
            return fd
        os.close(fd)


def wait_for_lock(path: str) -> int:
    """As `try_lock`, once nobody else holds it. Not for the reactor thread."""
    while True:
        fd = FROM_DISK.open(path)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if _is_still(fd, path):
            return fd
        os.close(fd)


def lock_descriptor(fd: int) -> bool:
    """Lock an open file; whether that was possible at once."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False


def unlock(fd: int) -> None:
    os.close(fd)
