"""What users, contacts and lists share: alias, display name, partition, extension, addresses.

Knows the `entries` and `addresses` tables and what must be unique in them; refuses to know the rest of an object.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from unitymail.directory import addresses, checks
from unitymail.directory.naming import owner_words
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


def card(
    transaction: Transaction, id: str, kind: str, alias: str, display: str, partition: str, extension: str
) -> Card:
    """The shared part, after every check that needs no other table of the object; raises Refused."""
    checked = Card(
        id,
        kind,
        checks.alias(alias),
        checks.line("display name", display),
        partition or transaction.once(default_id, t.partitions),
        checks.extension(extension),
    )
    _refuse_taken_alias(transaction.connection, checked)
    transaction.once(must_exist, t.partitions, checked.partition, "partition")
    _refuse_taken_extension(transaction, checked)
    return checked


def _refuse_taken_alias(connection: Connection, wish: Card) -> None:
    owner = queries.id_of_alias(connection, wish.alias)
    if owner is not None and owner != wish.id:
        whose = owner_words(connection, owner)
        raise Taken(f"The alias {wish.alias} is taken by {whose}; choose another.")


_AT_EXTENSION = select(t.entries.c.id).where(
    t.entries.c.partition_id == bindparam("partition"),
    t.entries.c.extension == bindparam("extension"),
    t.entries.c.id != bindparam("besides"),
)


def _refuse_taken_extension(transaction: Transaction, wish: Card) -> None:
    if not wish.extension:
        return
    asked = {"partition": wish.partition, "extension": wish.extension, "besides": wish.id}
    owner = transaction.connection.execute(_AT_EXTENSION, asked).scalar()
    if owner is not None:
        whose = owner_words(transaction.connection, owner)
        raise Taken(
            f"The extension {wish.extension} is taken by {whose} in the same partition; "
            "choose another extension or another partition."
        )
    if location := transaction.once(_dial_ids).get(wish.extension):
        raise Taken(f"The extension {wish.extension} is the dial id of the location {location}; choose another.")


def _dial_ids(connection: Connection) -> dict[str, str]:
    """Dial id → name of the VPIM location."""
    query = select(t.locations.c.dial_id, t.locations.c.name).where(t.locations.c.dial_id != "")
    return dict(connection.execute(query).all())


def refuse_too_many(transaction: Transaction, table: Table, most: int, what: str, *, kind: str = "") -> None:
    """One more would be beyond what the directory is made for (`kind` picks rows of a table that has several)."""
    query = select(func.count()).select_from(table)
    count = transaction.connection.execute(query.where(table.c.kind == kind) if kind else query).scalar_one()
    if count >= most:
        raise Refused(f"There are {count:,} {what} already, and at most {most:,} are kept; delete one first.")


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
        transaction.connection.execute(insert(t.entries), {"id": wish.id, **values})
    else:
        transaction.connection.execute(update(t.entries).where(t.entries.c.id == wish.id).values(values))
    addresses.settle(transaction.connection, owned, new=new)


def remove(transaction: Transaction, id: str, kind: str, alias: str) -> None:
    """Delete the object; lists, delegations and templates that named it do so no more, and say so in the log."""
    connection = transaction.connection
    gone = []
    for table, named, owner, owner_kind in (
        (t.members, t.members.c.member_id, t.members.c.list_id, "list"),
        (t.delegates, t.delegates.c.delegate_id, t.delegates.c.user_id, "user"),
        (t.template_delegates, t.template_delegates.c.delegate_id, t.template_delegates.c.template_id, "template"),
    ):
        changed = connection.execute(select(owner).where(named == id)).scalars().all()
        connection.execute(delete(table).where(named == id))
        what = "members" if owner_kind == "list" else "delegates"
        gone += [(owner_kind, one, "changed", f"{what}: {alias} was deleted") for one in changed]
    connection.execute(delete(t.entries).where(t.entries.c.id == id))
    transaction.log_all(gone)
    transaction.log_deleted(kind, id, alias)


def default_id(connection: Connection, table: Table) -> str:
    """The id of the row named Default."""
    found = connection.execute(select(table.c.id).where(table.c.name_key == DEFAULT)).scalar()
    if found is None:
        raise NotFound("The directory has no default objects; make one with `unitymail init`.")
    return str(found)


def must_exist(connection: Connection, table: Table, id: str, what: str) -> None:
    found = connection.execute(select(table.c.id).where(table.c.id == id)).scalar()
    if found is None:
        raise NotFound(f"There is no such {what}; list those that exist and name one of them.")


def domain_of_peer(connection: Connection, id: str) -> str:
    """The domain of the peer that is somebody's home server."""
    lc = t.locations.c
    domain = connection.execute(select(lc.domain).where(lc.id == id, lc.kind == "peer")).scalar()
    if domain is None:
        raise NotFound("There is no such peer to be the home server; add it first, or leave --home out.")
    return str(domain)
