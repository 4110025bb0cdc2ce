"""Access to an account's index: opened on demand, closed when too many are, never across a fork, built anew when lost.

Knows the thread lock, the write lock between processes and when an index is beyond use; refuses to know what the
methods do with it.

*Note: the order of locks.* The account's thread lock, then its write lock (`alone`), then a SQLite transaction. The
write lock is needed wherever files and rows change together; a change of rows alone needs only the transaction.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar
from weakref import ref

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import Trouble
from unitymail.store import lock
from unitymail.store.index import FILE, Index
from unitymail.store.lock import WriteLock
from unitymail.store.open_indexes import OpenIndexes
from unitymail.store.trouble import is_corrupt, trouble_of

BROKEN = "unitymail.index.broken"
_GRAVEYARD: list[Any] = []
"""What a fork left over: closing it here could harm the process that owns it."""

P = ParamSpec("P")
R = TypeVar("R")


class HasAccess(Protocol):
    @property
    def access(self) -> Access: ...


S = TypeVar("S", bound=HasAccess)


class Owner(Protocol):
    """Whose index it is, and what it does when something happens to the index."""

    def closing(self, index: Index) -> None:
        """Before it is closed; under the thread lock."""

    def closed(self) -> None:
        """Nothing need be kept in memory any more."""

    def renewed(self, index: Index) -> None:
        """After a lost index was replaced by an empty one."""

    def interrupted(self, index: Index) -> None:
        """Undo what a process left half done; under the write lock."""


class Access:
    """The index and the write lock of one account, whose owner is kept alive while the index is open."""

    def __init__(self, disk: IDisk, directory: str, open_indexes: OpenIndexes) -> None:
        self.directory = directory
        self.lock = threading.RLock()
        self._owner: Callable[[], Owner | None] = lambda: None
        self._disk = disk
        self._open_indexes = open_indexes
        self._index: Index | None = None
        self._write_lock: WriteLock | None = None
        self._pid = 0
        self._identity: int | None = None
        self._depth = 0
        self._alone = False

    @property
    def owner(self) -> Owner | None:
        return self._owner()

    def belongs_to(self, owner: Owner) -> None:
        self._owner = ref(owner)

    @contextmanager
    def using(self) -> Iterator[Index]:
        """The open index, for this thread."""
        with self.lock:
            self._leave_fork_behind()
            if self._index is None:
                try:
                    self._open_and_mend()
                except BaseException:
                    self._let_go()
                    raise
            self._open_indexes.used(self)
            assert self._index is not None
            yield self._index

    def _open_and_mend(self) -> None:
        with self._held():
            self._open()
            outer, self._alone = self._alone, True
            try:
                self._undo_interrupted()
            finally:
                self._alone = outer

    def _let_go(self) -> None:
        """Of an index that cannot be used nothing stays open: nobody else would close it."""
        if self._alone:
            return
        if self._index is not None:
            index, self._index = self._index, None
            index.connection.close()
        if self._write_lock is not None:
            self._write_lock.close()
            self._write_lock = None

    @contextmanager
    def free(self, patience_s: float) -> Iterator[bool]:
        """Whether this thread has the account, its index open already, within so many seconds."""
        got = self.lock.acquire(timeout=patience_s)
        try:
            yield got and self._index is not None
        finally:
            if got:
                self.lock.release()

    @contextmanager
    def alone(self) -> Iterator[Index]:
        """The open index while no other process changes files and rows of this account."""
        with self.using() as index:
            if self._alone:
                yield index
                return
            with self._held():
                self._alone = True
                try:
                    index = self._same_file(index)
                    self._undo_interrupted()
                    yield index
                finally:
                    self._alone = False

    def _undo_interrupted(self) -> None:
        assert self._index is not None
        if (owner := self.owner) is not None:
            owner.interrupted(self._index)

    @contextmanager
    def _held(self) -> Iterator[None]:
        if self._write_lock is None:
            self._write_lock = WriteLock(self._disk, os.path.join(self.directory, lock.FILE))
        if self._alone:
            yield
            return
        with self._write_lock.held():
            yield

    def _leave_fork_behind(self) -> None:
        if self._pid == os.getpid():
            return
        if self._index is not None:
            _GRAVEYARD.append((self._index, self._write_lock))
        self._index = self._write_lock = None
        self._pid, self._alone, self._depth = os.getpid(), False, min(self._depth, 1)

    def _open(self) -> None:
        path = os.path.join(self.directory, FILE)
        if not os.path.exists(path):
            self._remove_companions(path)
        try:
            self._index = Index(self._disk, self.directory)
        except sqlite3.DatabaseError as error:
            if not is_corrupt(error):
                raise
            self._put_aside(path)
            self._index = Index(self._disk, self.directory)
        before, self._identity = self._identity, self._index.identity
        if before not in (None, self._identity) and (owner := self.owner) is not None:
            owner.renewed(self._index)

    def _same_file(self, index: Index) -> Index:
        """The index that is on disk now: another process, or an administrator, may have replaced it."""
        try:
            if os.stat(os.path.join(self.directory, FILE)).st_ino == index.inode:
                return index
        except FileNotFoundError:
            pass
        index.connection.close()
        self._index = None
        self._open()
        assert self._index is not None
        return self._index

    def rebuild(self) -> None:
        """Put the index aside and begin an empty one; folders fill it from the Maildir, with new UIDVALIDITYs."""
        with self.lock:
            with self._held():
                damaged = self._index
                path = os.path.join(self.directory, FILE)
                if damaged is not None:
                    damaged.connection.close()
                    self._index = None
                    if not os.path.exists(path) or os.stat(path).st_ino == damaged.inode:
                        self._put_aside(path)
                self._open()

    def _put_aside(self, path: str) -> None:
        if os.path.exists(path):
            self._disk.rename(path, os.path.join(self.directory, BROKEN))
        self._remove_companions(path)
        self._disk.flush_directory(self.directory)

    def _remove_companions(self, path: str) -> None:
        for companion in (path + "-wal", path + "-shm"):
            if os.path.exists(companion):
                self._disk.unlink(companion)

    def close_if_idle(self) -> None:
        """Close the index unless a thread is using it."""
        if self.lock.acquire(blocking=False):
            try:
                if not self._depth:
                    self.close()
            finally:
                self.lock.release()

    def close(self) -> None:
        with self.lock:
            self._leave_fork_behind()
            owner = self.owner
            if self._index is not None:
                try:
                    self._tidy(owner, self._index)
                finally:
                    index, self._index = self._index, None
                    if index is not None:
                        index.close()
            if self._write_lock is not None:
                self._write_lock.close()
                self._write_lock = None
            self._open_indexes.closed(self)
            if owner is not None:
                owner.closed()

    def _tidy(self, owner: Owner | None, index: Index) -> None:
        try:
            if owner is not None:
                owner.closing(index)
        except (Trouble, OSError, sqlite3.Error):
            pass  # What was to be tidied is found again when the account is opened next.

    @contextmanager
    def entered(self) -> Iterator[bool]:
        """Whether this is the outermost method of this thread on the account."""
        with self.lock:
            self._depth += 1
            try:
                yield self._depth == 1
            finally:
                self._depth -= 1


def guarded(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A public method: damage to the index is mended once and the method run again; disk errors become TryAgain."""

    @wraps(method)
    def entered(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        access = self.access
        with access.entered() as outermost:
            if not outermost:
                return method(self, *args, **kwargs)
            try:
                try:
                    return method(self, *args, **kwargs)
                except sqlite3.DatabaseError as error:
                    if not is_corrupt(error):
                        raise
                    access.rebuild()
                    return method(self, *args, **kwargs)
            except (OSError, sqlite3.Error) as error:
                raise trouble_of(error) from error

    return entered
