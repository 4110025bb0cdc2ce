"""How objects are named in sentences for people: `the user robin (Robin Smith)`, `2 contacts (kim, lee)`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from unitymail.directory.sql import schema as t

NAMED = 3
"""So many are named; of more, how many there are says enough."""


def owner_words(connection: Connection, id: str) -> str:
    """`the user robin (Robin Smith)`."""
    e = t.entries.c
    row = connection.execute(select(e.kind, e.alias, e.display_name).where(e.id == id)).one()
    shown = f" ({row.display_name})" if row.display_name and row.display_name != row.alias else ""
    return f"the {row.kind} {row.alias}{shown}"


def counted(count: int, what: str, names: Sequence[str]) -> str:
    """`1 user (robin)`, `5 entries (chris, kim, lee and 2 more)`; `names` are the first of them."""
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    shown = ", ".join(names[:NAMED])
    more = f" and {count - NAMED} more" if count > NAMED else ""
    return f"{count} {what if count == 1 else plural} ({shown}{more})"
