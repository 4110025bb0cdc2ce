"""Distribution lists: one address for many members.

A list may be a member of a list, round in circles even (whoever expands them stops), but not its own direct member.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from unitymail.directory import addresses, entries
from unitymail.directory.entries import Card
from unitymail.directory.entry_keeper import EntryKeeper
from unitymail.directory.sql import queries
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import NotFound, Refused
from unitymail.mail.address import key_of
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList

KIND = "list"
MOST, MOST_MEMBERS, MOST_MEMBERS_OF_ALL = 100_000, 25_000, 1_500_000
"""unity-connection.md 3.3."""


def check(
    transaction: Transaction, old: DistributionList | None, thing: DistributionList
) -> tuple[DistributionList, Card, addresses.Wanted]:
    connection = transaction.connection
    if old is None:
        entries.refuse_too_many(transaction, t.lists, MOST, "lists")
    elif key_of(old.alias) == UNDELIVERABLE and key_of(thing.alias) != UNDELIVERABLE:
        raise Refused(f"The alias of the list {old.alias} stays: reports look for it by that name.")
    entry = replace(thing, members=tuple(dict.fromkeys(thing.members)))
    display = entry.display_name.strip() or entry.alias
    card = entries.card(transaction, entry.id, KIND, entry.alias, display, entry.partition, "")
    wish = addresses.wanted(connection, entry.id, primary=transaction.address_of(card.alias), proxies=entry.proxies)
    _refuse_members(connection, old, entry)
    return entry, card, wish


def columns(thing: DistributionList) -> dict[str, Any]:
    return {"allow_contacts": thing.allow_contacts, "accept_foreign": thing.accept_foreign}


def write_members(transaction: Transaction, id: str, old: DistributionList | None, thing: DistributionList) -> None:
    m = t.members
    before = set(old.members if old else ())
    gone = before.difference(thing.members)
    for where in queries.slices_of(gone):
        transaction.connection.execute(delete(m).where(m.c.list_id == id, where(m.c.member_id)))
    fresh = [{"list_id": id, "member_id": member} for member in thing.members if member not in before]
    if fresh:
        transaction.connection.execute(insert(m), fresh)


def refuse_undeliverable(transaction: Transaction, thing: DistributionList) -> None:
    if key_of(thing.alias) == UNDELIVERABLE:
        raise Refused(
            f"The list {thing.alias} gets what could not be delivered and cannot be deleted; "
            "take its members away instead."
        )


def _refuse_members(connection: Connection, old: DistributionList | None, entry: DistributionList) -> None:
    if entry.id and entry.id in entry.members:
        raise Refused(f"The list {entry.alias} cannot be a member of itself; leave it out.")
    if len(entry.members) > MOST_MEMBERS:
        raise Refused(
            f"The list {entry.alias} would have {len(entry.members):,} members, and a list has at most "
            f"{MOST_MEMBERS:,}; make lists of them and name these as its members."
        )
    more = len(entry.members) - len(old.members if old else ())
    if more > 0:
        _refuse_too_many_members(connection, more)
    _refuse_kinds(connection, entry)


def _refuse_too_many_members(connection: Connection, more: int) -> None:
    count = connection.execute(select(func.count()).select_from(t.members)).scalar_one()
    if count + more > MOST_MEMBERS_OF_ALL:
        raise Refused(
            f"All lists together have {count:,} members, and at most {MOST_MEMBERS_OF_ALL:,} are kept; "
            "take some away first."
        )


def _refuse_kinds(connection: Connection, entry: DistributionList) -> None:
    """Members exist, and contacts are allowed."""
    e = t.entries.c
    kinds: dict[str, str] = {}
    for where in queries.slices_of(entry.members):
        kinds.update(connection.execute(select(e.id, e.kind).where(where(e.id))).all())
    if any(member not in kinds for member in entry.members):
        raise NotFound(f"A member of the list {entry.alias} does not exist; name users, contacts and lists by alias.")
    if not entry.allow_contacts and "contact" in kinds.values():
        raise Refused(f"The list {entry.alias} takes no contacts; allow them with --allow-contacts first.")


keeper = EntryKeeper(
    DistributionList,
    KIND,
    t.lists,
    check,
    columns,
    write_more=write_members,
    before_delete=refuse_undeliverable,
)
