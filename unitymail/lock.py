"""One node per folder: a lock that ends with the process, and says who holds it.

Workers of a node do not have its lock, but a mark each in its run directory: a node whose parent was killed is over
only when its workers are, which takes them a moment. The parent makes the mark and a worker inherits it, so there is no
moment in which one has sockets and no mark.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import time
from contextlib import suppress

ORPHANS_END_WITHIN_S = 20.0
"""Workers without a parent end by themselves well within it (`workers.worker.ORPHANED_S`)."""
LOOK_EVERY_S = 0.05
_MARK = re.compile(r"worker-([0-9]+)\.lock\Z")


class Locked(Exception):
    """Another process runs the node in this folder."""


class FolderLock:
    """An exclusive lock on `folder`/lock, held until `release` or the end of the process."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, "lock")
        self._fd: int | None = None

    def take(self) -> None:
        """Raises Locked, with the pid of the holder, or OSError."""
        fd = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise Locked(_held(pid)) from None
        if os.geteuid() == 0:  # before privileges are shed; the owner of the folder starts it the next time
            owner = os.stat(os.path.dirname(self._path))
            os.fchown(fd, owner.st_uid, owner.st_gid)
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        self._fd = fd

    def release(self) -> None:
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None


def _held(pid: str) -> str:
    """Who holds the lock. A process that the node began, and that was stopped before it became another program, may."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return f"process {pid} has ended, but a process that it began still holds its lock; end that one first"
    except (ValueError, PermissionError):
        pass
    return f"a node runs here already, as process {pid}; stop it first"


def not_ours(folder: str) -> str:
    """Why this process must not write in `folder` (root leaves files that its owner cannot open); "" when it may."""
    owner = os.stat(folder).st_uid
    if os.geteuid() != 0 or owner == 0:
        return ""
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    return f"{folder} belongs to {name}, and root would leave files there that {name} cannot open"


def holder(folder: str) -> int | None:
    """The pid of the node that runs in `folder`, None when none does."""
    try:
        fd = os.open(os.path.join(folder, "lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(fd, 32).strip()
        return int(text) if text.isdigit() else None
    finally:
        os.close(fd)
    return None


class WorkerMark:
    """A file for the place of a worker. Who has its descriptor has its lock: the parent until `close`, then the worker.

    Raises OSError, also when another worker has that place still.
    """

    def __init__(self, run: str, berth: int) -> None:
        os.makedirs(run, mode=0o700, exist_ok=True)
        path = os.path.join(run, f"worker-{berth}.lock")
        self.descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise

    def name(self, pid: int) -> None:
        """Say whose it is."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{pid}\n".encode(), 0)

    def close(self) -> None:
        os.close(self.descriptor)


def await_workers(run: str, within: float = ORPHANS_END_WITHIN_S) -> None:
    """Wait until the workers of an earlier parent have ended; raises Locked, with their pids, when they do not.

    It holds everything up, as nothing can begin before: their ports are theirs, and what they have in hand.
    """
    ends = time.monotonic() + within
    while left := living_workers(run):
        if time.monotonic() > ends:
            pids = ", ".join(left)
            raise Locked(f"the node that ran here has ended, but not its worker, process {pids}; end that first")
        time.sleep(LOOK_EVERY_S)


def living_workers(run: str) -> list[str]:
    """The process ids of those that have a mark and live. Marks of others are removed."""
    try:
        marks = sorted(os.path.join(run, name) for name in os.listdir(run) if _MARK.match(name))
    except FileNotFoundError:
        return []
    return [pid for mark in marks if (pid := _who_has(mark))]


def _who_has(mark: str) -> str:
    try:
        fd = os.open(mark, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(FileNotFoundError):
            os.unlink(mark)
    except BlockingIOError:
        return os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
    finally:
        os.close(fd)
    return ""
