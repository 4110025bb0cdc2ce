"""UIDVALIDITY: a counter in a file of its own, so that it outlives the index.

Knows that a value is 32-bit, at least the current time, and higher than any before; refuses to know folders. The
caller holds the account's write lock.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import Never
from unitymail.store.keeping import read_plain, replace_file

FILE = "unitymail.uidvalidity"
HIGHEST = 2**32 - 1


def next_uidvalidity(disk: IDisk, directory: str, now: float, floor: int, temporary: Callable[[], str]) -> int:
    """A value never given before in this account, durable on return. `floor`: the highest that the index knows."""
    path = os.path.join(directory, FILE)
    value = max(last_in(path) + 1, floor + 1, int(now), 1)
    if value > HIGHEST:
        raise Never(why=f"{path}: no UIDVALIDITY is left")
    replace_file(disk, path, b"%d\n" % value, temporary())
    return value


def last_in(path: str) -> int:
    """The value in the file; 0 when it is absent or damaged."""
    try:
        return int(read_plain(path, 32))
    except (FileNotFoundError, ValueError):
        return 0
