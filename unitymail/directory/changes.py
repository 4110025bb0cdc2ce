"""The change log: one line for each object changed, numbered by the USN, and the tombstones of what is gone.

Refuses to know what the objects are. Note *USN*: the number comes from a counter row that is locked from the first
write of the transaction to its commit, never from a database sequence, so that a reader who has seen N has seen all
changes up to N.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from unitymail.directory.sql.schema import changes, counters, tombstones
from unitymail.interfaces.directory import Change

USN = "usn"
PASSWORD = "password"
"""The detail of a change of credentials that makes the old ones worthless."""


def lock_counter(connection: Connection) -> int:
    """Hold the counter until the transaction ends (SQLite holds the whole file anyway); the newest USN."""
    return connection.execute(select(counters.c.value).where(counters.c.name == USN).with_for_update()).scalar_one()


def newest(connection: Connection) -> int:
    return connection.execute(select(counters.c.value).where(counters.c.name == USN)).scalar_one()


def oldest(connection: Connection) -> int:
    """The first USN that the log still holds; 0 for an empty log."""
    return connection.execute(select(func.min(changes.c.usn))).scalar_one() or 0


def write(connection: Connection, lines: Sequence[Change]) -> None:
    """Append lines, whose numbers follow the counter, and move the counter to the last of them."""
    rows = [
        {"usn": c.usn, "kind": c.kind, "id": c.id, "what": c.what, "detail": c.detail, "who": c.who, "at": c.when}
        for c in lines
    ]
    if rows:
        connection.execute(insert(changes), rows)
        connection.execute(update(counters).where(counters.c.name == USN).values(value=lines[-1].usn))


def bury(connection: Connection, kind: str, id: str, name: str, *, usn: int, now: float) -> None:
    """Leave a tombstone: replication and a late look-up learn that the object is gone, and what it was called."""
    tomb = tombstones.c
    connection.execute(delete(tombstones).where(tomb.kind == kind, tomb.id == id))
    connection.execute(insert(tombstones).values(kind=kind, id=id, name=name, usn=usn, at=now))


def since(connection: Connection, after: int, limit: int) -> list[Change]:
    query = select(changes).where(changes.c.usn > after).order_by(changes.c.usn).limit(limit)
    return [
        Change(row.usn, row.kind, row.id, row.what, row.detail, row.who, row.at) for row in connection.execute(query)
    ]


def touched(connection: Connection, after: int) -> dict[str, set[str]]:
    """Kind → ids that changed beyond USN `after`."""
    found: dict[str, set[str]] = {}
    for kind, id in connection.execute(select(changes.c.kind, changes.c.id).where(changes.c.usn > after)):
        found.setdefault(kind, set()).add(id)
    return found


def passwords(connection: Connection, after: int) -> dict[str, int]:
    """Owner → USN of the newest change of the password beyond USN `after`."""
    mine = (changes.c.usn > after, changes.c.kind == "credential", changes.c.detail == PASSWORD)
    newest = select(changes.c.id, func.max(changes.c.usn)).where(*mine).group_by(changes.c.id)
    return {row[0]: row[1] for row in connection.execute(newest)}


def difference(old: Any, new: Any, name: str) -> str:
    """Which fields changed, for the audit trail: `robin: extension, proxies`; the name alone for a new object."""
    if old is None:
        return name
    changed = [f.name for f in fields(new) if getattr(old, f.name) != getattr(new, f.name)]
    return f"{name}: {', '.join(changed) or 'nothing'}"
