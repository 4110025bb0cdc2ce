"""Recorded names of users and contacts, read through: 32KADPCM octets (RFC 3802), 4,000 a second."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from unitymail.directory.sql import queries
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import NotFound, Refused
from unitymail.people.distribution_list import DistributionList

LONGEST = 20 * 4_000
"""message-formats.md 5: a spoken name is about 5 s, and 20 s at most."""


def spoken_name(connection: Connection, entry: str) -> bytes:
    found = connection.execute(select(t.spoken_names.c.audio).where(t.spoken_names.c.owner_id == entry)).scalar()
    return found or b""


def set_spoken_name(transaction: Transaction, entry: str, audio: bytes) -> None:
    owner = queries.entry(transaction.connection, entry)
    if owner is None:
        raise NotFound("There is no such user or contact; somebody deleted it meanwhile.")
    if isinstance(owner, DistributionList):
        raise Refused(f"{owner.alias} is a list; only users and contacts have a spoken name.")
    if len(audio) > LONGEST:
        raise Refused(f"The spoken name lasts {len(audio) / 4_000:.0f} s; record one of at most 20 s.")
    if spoken_name(transaction.connection, entry) == audio:
        return
    transaction.connection.execute(delete(t.spoken_names).where(t.spoken_names.c.owner_id == entry))
    if audio:
        transaction.connection.execute(insert(t.spoken_names).values(owner_id=entry, audio=audio))
    kind = type(owner).__name__.lower()
    transaction.log(kind, entry, "changed", "spoken name" if audio else "spoken name removed")
