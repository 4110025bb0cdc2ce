"""Files of messages that are gone for good: what they held is overwritten before their room is given back.

Knows how often, and that a file may have other names; refuses to know when a message is gone for good.

*Note: the last name.* A file that leaves is renamed into a directory of the store, where nobody looks for messages.
Only there, and a while later, is it decided: one that has another name (the mailbox of somebody else, the spool) loses
this one and is left alone. So whichever name goes last, what is in the file goes with it. Who still reads it finishes.

*Note: cut off.* What stands in that directory is to be overwritten, whoever put it there: a process that is killed in
the midst of it, or a power cut, costs another beginning. Before the first octet is overwritten, the file's old name is
durably gone: no message ever comes back spoiled.

*Note: what overwriting can do.* It replaces the blocks of a file where the file system writes in place. One that
copies on write, a snapshot, a backup or the spare blocks of a flash disk may keep the old ones.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator

from unitymail.interfaces.disk import IDisk
from unitymail.store.keeping import ensure_directory

DIRECTORY = ".shred"
PIECE = 1024 * 1024
REST_S = 5.0
"""A file is left alone for so long: the spool may still have a name for it, and give that up without shredding."""
TRY_AGAIN_S = 3600.0
"""After which a file that could not be overwritten is tried again, and told of again."""
_OPEN = (errno.EAGAIN, errno.EBUSY)


class Shredder:
    """`level`: how often a file is overwritten, 0 for not at all. `name` gives names that nobody else makes."""

    def __init__(
        self, root: str, *, disk: IDisk, level: Callable[[], int], name: Callable[[], str], now: Callable[[], float]
    ) -> None:
        self._directory = os.path.join(root, DIRECTORY)
        self._disk = disk
        self._level = level
        self._name = name
        self._now = now
        self._under_way: Iterator[None] | None = None
        self._failed: dict[str, float] = {}

    @property
    def is_on(self) -> bool:
        return self._level() > 0

    def discard(self, path: str) -> None:
        """The name goes now, the rest soon. Raises FileNotFoundError."""
        if not self.is_on:
            self._disk.unlink(path)
            return
        ensure_directory(self._disk, self._directory)
        try:
            self._disk.rename(path, os.path.join(self._directory, self._name()))
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            for _ in self._shredded(path):
                continue

    def work(self, patience_s: float) -> bool:
        """Overwrite for about so long; whether there is more to do. By one thread at a time."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            if self._under_way is None:
                self._under_way = self._all_there_is()
            try:
                next(self._under_way)
            except StopIteration:
                self._under_way = None
                return False
            except OSError:
                self._under_way = None
                raise
        return True

    def close(self) -> None:
        """Leave off; what is not done is begun anew by whoever works here next."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.close()  # type: ignore[attr-defined]

    def _all_there_is(self) -> Iterator[None]:
        """A file that cannot be overwritten (it is somebody else's) stays, and the others do not wait for it."""
        self._failed = {path: moment for path, moment in self._failed.items() if moment > self._now()}
        rested = [path for path in self._rested() if path not in self._failed]
        if rested and self.is_on:
            self._disk.flush_filesystem(self._directory)
        trouble: OSError | None = None
        for path in rested:
            try:
                yield from self._shredded(path)
            except OSError as error:
                trouble, self._failed[path] = error, self._now() + TRY_AGAIN_S
        if trouble is not None:
            raise trouble

    def _rested(self) -> list[str]:
        before = self._now() - REST_S
        try:
            with os.scandir(self._directory) as entries:
                return [one.path for one in entries if one.stat(follow_symlinks=False).st_ctime <= before]
        except FileNotFoundError:
            return []

    def _shredded(self, path: str) -> Iterator[None]:
        """In pieces; another process may be at it, too."""
        try:
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode) and status.st_size and status.st_nlink == 1 and self.is_on:
                descriptor = self._disk.overwrite(path)
                try:
                    if is_open_elsewhere(descriptor):
                        return
                    yield from self._overwritten(descriptor, status.st_size)
                finally:
                    self._disk.close(descriptor)
            self._disk.unlink(path)
        except FileNotFoundError:
            return
        yield

    def _overwritten(self, descriptor: int, size: int) -> Iterator[None]:
        passes = self._level()
        for number in range(passes):
            last = number == passes - 1
            for offset in range(0, size, PIECE):
                length = min(PIECE, size - offset)
                self._disk.write_at(descriptor, bytes(length) if last else os.urandom(length), offset)
                yield
            self._disk.flush(descriptor)


def is_open_elsewhere(descriptor: int) -> bool:
    """Whether anybody else has the file open, or mapped: then nobody gets a lease for it. False where none is given."""
    try:
        # Who opens it at this moment would be announced by a signal, which is one that nobody minds.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno in _OPEN
    return False
