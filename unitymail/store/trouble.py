"""What a failing disk or index means to the caller: try again, disk full, or an index to be built anew.

Knows error numbers and SQLite's codes; refuses to know what was being done.
"""

from __future__ import annotations

import errno
import sqlite3

from unitymail.interfaces.errors import DISK_FULL, TryAgain

_FULL = {errno.ENOSPC, errno.EDQUOT}


def is_corrupt(error: BaseException) -> bool:
    """Whether the index itself is beyond use: not a database, malformed, or without its tables."""
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return True
    return isinstance(error, sqlite3.OperationalError) and str(error).startswith(("no such table", "no such column"))


def trouble_of(error: OSError | sqlite3.Error) -> TryAgain:
    """The passing failure a door may report; raise it `from` the error."""
    full = (isinstance(error, OSError) and error.errno in _FULL) or (
        getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    )
    return TryAgain(DISK_FULL if full else None, why=f"{type(error).__name__}: {error}")
