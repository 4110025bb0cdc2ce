"""What users, contacts and lists share: alias, display name, partition, extension, addresses.

Knows the `entries` and `addresses` tables and what must be unique in them; refuses to know the rest of an object.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from unitymail.directory import addresses, checks
from unitymail.directory.sql import queries
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import NotFound, Refused, Taken
from unitymail.mail.address import key_of

DEFAULT = "default"
"""The key of the class, partition and scope that every directory has."""


@dataclass(frozen=True, slots=True)
class Card:
    """The shared part of an object, checked."""

    id: str
    kind: str
    alias: str
    display_name: str
    partition: str
    extension: str


def card(connection: Connection, id: str, kind: str, alias: str, display: str, partition: str, extension: str) -> Card:
    """The shared part, after every check that needs only this table; raises Refused."""
    checked = Card(
        id,
        kind,
        checks.alias(alias),
        checks.line("display name", display),
        partition or default_id(connection, t.partitions),
        checks.extension(extension),
    )
    _refuse_taken_alias(connection, checked)
    must_exist(connection, t.partitions, checked.partition, "partition")
    _refuse_taken_extension(connection, checked)
    return checked


def _refuse_taken_alias(connection: Connection, wish: Card) -> None:
    owner = queries.id_of_alias(connection, wish.alias)
    if owner is not None and owner != wish.id:
        whose = addresses.owner_words(connection, owner)
        raise Taken(f"The alias {wish.alias} is taken by {whose}; choose another.")


def _refuse_taken_extension(connection: Connection, wish: Card) -> None:
    if not wish.extension:
        return
    e = t.entries.c
    query = select(e.id).where(e.partition_id == wish.partition, e.extension == wish.extension, e.id != wish.id)
    owner = connection.execute(query).scalar()
    if owner is not None:
        whose = addresses.owner_words(connection, owner)
        raise Taken(
            f"The extension {wish.extension} is taken by {whose} in the same partition; "
            "choose another extension or another partition."
        )


def write(transaction: Transaction, wish: Card, owned: addresses.Wanted, *, new: bool) -> None:
    values = {
        "kind": wish.kind,
        "alias": wish.alias,
        "alias_key": key_of(wish.alias),
        "display_name": wish.display_name,
        "partition_id": wish.partition,
        "extension": wish.extension or None,
    }
    if new:
        transaction.connection.execute(insert(t.entries).values(id=wish.id, **values))
    else:
        transaction.connection.execute(update(t.entries).where(t.entries.c.id == wish.id).values(values))
    addresses.settle(transaction.connection, owned)


def remove(transaction: Transaction, id: str, kind: str, alias: str) -> None:
    """Delete the object; lists and delegations that named it do so no more, and say so in the log."""
    connection = transaction.connection
    lists = connection.execute(select(t.members.c.list_id).where(t.members.c.member_id == id)).scalars().all()
    principals = (
        connection.execute(select(t.delegates.c.user_id).where(t.delegates.c.delegate_id == id)).scalars().all()
    )
    connection.execute(delete(t.members).where(t.members.c.member_id == id))
    connection.execute(delete(t.delegates).where(t.delegates.c.delegate_id == id))
    connection.execute(delete(t.entries).where(t.entries.c.id == id))
    transaction.log_all(
        [("list", changed, "changed", "members") for changed in lists]
        + [("user", changed, "changed", "delegates") for changed in principals]
    )
    transaction.log_deleted(kind, id, alias)


def default_id(connection: Connection, table: object) -> str:
    """The id of the row named Default."""
    found = connection.execute(select(table.c.id).where(table.c.name_key == DEFAULT)).scalar()  # type: ignore[attr-defined]
    if found is None:
        raise NotFound("The directory has no default objects; make one with `unitymail init`.")
    return str(found)


def must_exist(connection: Connection, table: object, id: str, what: str) -> None:
    found = connection.execute(select(table.c.id).where(table.c.id == id)).scalar()  # type: ignore[attr-defined]
    if found is None:
        raise NotFound(f"There is no such {what}; list those that exist and name one of them.")


def refuse_relay(connection: Connection, own: addresses.Wanted, relay_address: str) -> None:
    """A relay address that comes back here would loop (UC: a relay address equal to a proxy address)."""
    key = key_of(relay_address)
    if key in own.by_key:
        raise Refused(
            f"The relay address {relay_address} is an address of the same user; relayed mail would come back."
        )
    owner = queries.owner_of(connection, relay_address)
    if owner is not None:
        whose = addresses.owner_words(connection, owner)
        raise Refused(
            f"The relay address {relay_address} belongs to {whose} here, so mail would come back; "
            "choose an address elsewhere."
        )
