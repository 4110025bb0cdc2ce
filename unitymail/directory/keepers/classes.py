"""Classes of service."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from unitymail.directory.named import NamedKeeper, plain_columns
from unitymail.directory.sql import schema as t
from unitymail.people.class_of_service import ClassOfService, ImapBodies, RequireSecure


def from_row(connection: Connection, row: Row[Any]) -> ClassOfService:
    return ClassOfService(
        row.id,
        row.name,
        row.access_imap,
        ImapBodies(row.imap_bodies),
        RequireSecure(row.secure),
        row.secure_imap,
        row.send_to_lists,
    )


def columns(thing: ClassOfService) -> dict[str, Any]:
    return plain_columns(thing)


keeper = NamedKeeper(
    ClassOfService,
    "cos",
    t.classes_of_service,
    "class of service",
    from_row,
    columns,
    in_use=[(t.users.c.cos_id, "user"), (t.user_templates.c.cos_id, "template")],
)
