"""The file of the index itself: whether SQLite can trust it, and whether it has all its tables.

Knows SQLite; refuses to know what the tables mean. An index that cannot even be opened is replaced by whoever opens it;
then the damaged one is found here, put aside.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from unitymail.store import schema
from unitymail.store.access import BROKEN
from unitymail.store.checking.problem import Case, Problem
from unitymail.store.index import Index

_THERE = "FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND sql IS NOT NULL"
_REBUILT = "it is built anew from the files: UIDs and keywords are lost, and clients read the mailbox anew"


def damage(index: Index, *, quick: bool) -> str:
    """What SQLite says of the file; "" when nothing is wrong."""
    try:
        said = index.all(f"PRAGMA {'quick_check' if quick else 'integrity_check'}(3)")
    except sqlite3.DatabaseError as error:
        return str(error)
    words = "; ".join(str(line) for (line,) in said)
    return "" if words == "ok" else words


def damaged(why: str) -> str:
    return f"the index is damaged ({why}); {_REBUILT}"


def put_aside(case: Case) -> Iterator[Problem]:
    """An index that was beyond use, and what came of it."""
    path = os.path.join(case.account.access.directory, BROKEN)
    if os.path.exists(path):
        what = f"an index was damaged and put aside as {BROKEN}; {_REBUILT.replace('it is', 'the one now was')}"
        yield Problem("index", "", what, lambda: case.account.disk.unlink(path))


def lacking(case: Case) -> Iterator[Problem]:
    """Tables and indexes of the schema that somebody dropped."""
    there = {name for (name,) in case.index.all(f"SELECT name {_THERE}")}
    missing = {name: statement for name, statement in _made().items() if name not in there}
    if missing:
        yield Problem("index", "", f"the index lacks {', '.join(sorted(missing))}", lambda: _make(case.index, missing))


def _made() -> dict[str, str]:
    """Name → statement of everything in a new index."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in schema.STATEMENTS:
            connection.execute(statement)
        return dict(connection.execute(f"SELECT name, sql {_THERE}").fetchall())


def _make(index: Index, missing: dict[str, str]) -> None:
    with index.changing(durable=True):
        for statement in missing.values():
            index.execute(statement)
