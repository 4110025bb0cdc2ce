"""Partitions: each object of the address book is in one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from unitymail.directory.named import NamedKeeper
from unitymail.directory.sql import schema as t
from unitymail.people.scope import Partition


def from_row(connection: Connection, row: Row[Any]) -> Partition:
    return Partition(row.id, row.name)


def columns(thing: Partition) -> dict[str, Any]:
    return {}


keeper = NamedKeeper(
    Partition,
    "partition",
    t.partitions,
    "partition",
    from_row,
    columns,
    in_use=[
        (t.entries.c.partition_id, "entry"),
        (t.scope_partitions.c.partition_id, "search scope"),
        (t.locations.c.partition_id, "location"),
        (t.user_templates.c.partition_id, "template"),
    ],
)
