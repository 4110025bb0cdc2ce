"""The account's write lock between processes: held while files and index rows change together.

Knows flock; refuses to know what is being changed. It ends with the process that holds it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from unitymail.interfaces.disk import IDisk

FILE = "unitymail.lock"


class WriteLock:
    """One descriptor, kept open. The caller sees to it that one thread at a time uses it."""

    def __init__(self, disk: IDisk, path: str) -> None:
        self._disk = disk
        self._descriptor = disk.append_to(path)

    @contextmanager
    def held(self) -> Iterator[None]:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        self._disk.close(self._descriptor)
