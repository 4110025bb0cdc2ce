"""Search scopes: ordered lists of partitions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from unitymail.directory import entries
from unitymail.directory.named import NamedKeeper
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.people.scope import SearchScope


def from_row(connection: Connection, row: Row[Any]) -> SearchScope:
    p = t.scope_partitions.c
    query = select(p.partition_id).where(p.scope_id == row.id).order_by(p.position)
    return SearchScope(row.id, row.name, tuple(connection.execute(query).scalars().all()))


def columns(thing: SearchScope) -> dict[str, Any]:
    return {}


def check(transaction: Transaction, old: SearchScope | None, thing: SearchScope) -> SearchScope:
    for partition in thing.partitions:
        entries.must_exist(transaction.connection, t.partitions, partition, "partition")
    return replace(thing, partitions=tuple(dict.fromkeys(thing.partitions)))


def write_partitions(transaction: Transaction, thing: SearchScope) -> None:
    p = t.scope_partitions
    transaction.connection.execute(delete(p).where(p.c.scope_id == thing.id))
    rows = [
        {"scope_id": thing.id, "partition_id": partition, "position": position}
        for position, partition in enumerate(thing.partitions)
    ]
    if rows:
        transaction.connection.execute(insert(p), rows)


keeper = NamedKeeper(
    SearchScope,
    "scope",
    t.scopes,
    "search scope",
    from_row,
    columns,
    check,
    write_partitions,
    in_use=[
        (t.users.c.scope_id, "user"),
        (t.locations.c.scope_id, "location"),
        (t.user_templates.c.scope_id, "template"),
    ],
)
