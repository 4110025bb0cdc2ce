"""Reading whole objects: the queries, and how rows become the values of `people/`. Refuses to know who asks.

Users, contacts and lists are read in slices, each with the rows of its other tables, so that neither the database nor
this process ever holds two copies of a large directory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select

from unitymail.directory.sql import schema as t
from unitymail.interfaces.book import Entry
from unitymail.mail.address import key_of
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.user import Action, Actions, Quota, User

SLICE = 4_000
IDS_PER_QUERY = 400
Where = Callable[[Any], ColumnElement[bool]]
"""Given the id column of a table, the condition that picks the slice."""


class Shared:
    """Equal values are kept once: most users share class, actions, quota and many names."""

    def __init__(self) -> None:
        self._kept: dict[Any, Any] = {}
        self._actions: dict[tuple[str, ...], Actions] = {}
        self._quotas: dict[tuple[int, ...], Quota] = {}

    def one(self, value: Any) -> Any:
        return self._kept.setdefault(value, value)

    def actions(self, *names: str) -> Actions:
        found = self._actions.get(names)
        if found is None:
            found = self._actions[names] = Actions(*(Action(name or "accept") for name in names))
        return found

    def quota(self, *limits: int) -> Quota:
        found = self._quotas.get(limits)
        if found is None:
            found = self._quotas[limits] = Quota(*limits)
        return found


def all_slices(connection: Connection) -> Iterator[Where]:
    """Conditions that cut the address book into slices by id."""
    last = ""
    while True:
        edge = select(t.entries.c.id).where(t.entries.c.id > last).order_by(t.entries.c.id).limit(SLICE)
        ids = connection.execute(edge).scalars().all()
        if not ids:
            return
        first, last = ids[0], ids[-1]
        yield lambda column, first=first, last=last: column.between(first, last)  # type: ignore[misc]


def slices_of(ids: Collection[str]) -> Iterator[Where]:
    """Conditions that pick these ids, a bounded number in each query."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), IDS_PER_QUERY):
        chunk = ordered[start : start + IDS_PER_QUERY]
        yield lambda column, chunk=chunk: column.in_(chunk)  # type: ignore[misc]


KINDS = ("user", "contact", "list")


def entries(
    connection: Connection, where: Where, shared: Shared | None = None, kinds: Collection[str] = KINDS
) -> Iterator[Entry]:
    """The users, contacts and lists of one slice; of these kinds only, where the caller knows."""
    shared = shared or Shared()
    primary, proxies = _addresses(connection, where)
    if "user" in kinds:
        pairs = select(t.delegates.c.user_id, t.delegates.c.delegate_id)
        delegates = _pairs(connection, pairs, t.delegates.c.user_id, where)
        yield from _users(connection, where, shared, primary, proxies, delegates)
    if "contact" in kinds:
        yield from _contacts(connection, where, shared, proxies)
    if "list" in kinds:
        yield from _lists(connection, where, shared, primary, proxies)


def _addresses(connection: Connection, where: Where) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Owner → primary address, and owner → the others, sorted."""
    a = t.addresses.c
    query = select(a.owner_id, a.kind, a.address).where(where(a.owner_id)).order_by(a.owner_id, a.key)
    primary: dict[str, str] = {}
    others: dict[str, tuple[str, ...]] = {}
    for owner, kind, address in connection.execute(query):
        if kind == "primary":
            primary[owner] = address
        else:
            others[owner] = (*others.get(owner, ()), address)
    return primary, others


def _pairs(connection: Connection, query: Any, column: Any, where: Where) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for one, other in connection.execute(query.where(where(column)).order_by(*query.selected_columns)):
        found.setdefault(one, []).append(other)
    return {one: tuple(others) for one, others in found.items()}


_USER = (
    select(
        t.entries.c.id, t.entries.c.alias, t.entries.c.display_name, t.users.c.first_name, t.users.c.last_name,
        t.entries.c.extension, t.users.c.corporate_address, t.users.c.cos_id, t.entries.c.partition_id,
        t.users.c.scope_id, t.users.c.home_id, t.users.c.action_voice, t.users.c.action_email, t.users.c.action_fax,
        t.users.c.action_receipt, t.users.c.relay_address, t.users.c.quota_warning, t.users.c.quota_send,
        t.users.c.quota_receive, t.users.c.route_ndr, t.users.c.hidden_capabilities, t.users.c.age_messages,
    ).join(t.users, t.users.c.id == t.entries.c.id)
)  # fmt: skip


def _users(
    connection: Connection,
    where: Where,
    shared: Shared,
    primary: dict[str, str],
    proxies: dict[str, tuple[str, ...]],
    delegates: dict[str, tuple[str, ...]],
) -> Iterator[User]:
    one = shared.one
    for (
        id, alias, display, first, last, extension, corporate, cos, partition, scope, home,
        voice, email, fax, receipt, relay, warning, send, receive, route_ndr, hidden, ages,
    ) in connection.execute(_USER.where(where(t.entries.c.id))):  # fmt: skip
        yield User(
            id, alias, primary.get(id, ""), display, one(first), one(last), extension or "", corporate,
            proxies.get(id, ()), one(cos), one(partition), one(scope), one(home or ""),
            shared.actions(voice, email, fax, receipt), relay, shared.quota(warning, send, receive), route_ndr,
            delegates.get(id, ()), one(tuple(hidden.split())), ages,
        )  # fmt: skip


def _contacts(
    connection: Connection, where: Where, shared: Shared, proxies: dict[str, tuple[str, ...]]
) -> Iterator[Contact]:
    e, c = t.entries.c, t.contacts.c
    query = select(
        e.id, e.alias, e.display_name, c.first_name, c.last_name, c.location_id, c.mailbox_number, e.extension,
        e.partition_id,
    ).join(t.contacts, c.id == e.id)  # fmt: skip
    one = shared.one
    for id, alias, display, first, last, location, number, extension, partition in connection.execute(
        query.where(where(e.id))
    ):
        yield Contact(
            id, alias, display, one(first), one(last), one(location or ""), number, extension or "",
            proxies.get(id, ()), one(partition),
        )  # fmt: skip


def _lists(
    connection: Connection,
    where: Where,
    shared: Shared,
    primary: dict[str, str],
    proxies: dict[str, tuple[str, ...]],
) -> Iterator[DistributionList]:
    e, d, m = t.entries.c, t.lists.c, t.members.c
    query = select(e.id, e.alias, e.display_name, e.partition_id, d.allow_contacts, d.accept_foreign).join(
        t.lists, d.id == e.id
    )
    rows = connection.execute(query.where(where(e.id))).all()
    members = _pairs(connection, select(m.list_id, m.member_id), m.list_id, where) if rows else {}
    for id, alias, display, partition, allow_contacts, accept_foreign in rows:
        yield DistributionList(
            id, alias, primary.get(id, ""), display, shared.one(partition), proxies.get(id, ()),
            members.get(id, ()), allow_contacts, accept_foreign,
        )  # fmt: skip


def entry(connection: Connection, id: str) -> Entry | None:
    """One user, contact or list by id."""
    kind = connection.execute(select(t.entries.c.kind).where(t.entries.c.id == id)).scalar()
    return next(entries(connection, lambda column: column == id, kinds=(kind,)), None) if kind else None


def entries_in(connection: Connection, partitions: Collection[str]) -> Iterator[Entry]:
    """Everybody in these partitions by alias, a slice in memory at a time."""
    e = t.entries.c
    last = ""
    while True:
        query = select(e.id, e.alias_key).where(e.partition_id.in_(partitions), e.alias_key > last)
        rows = connection.execute(query.order_by(e.alias_key).limit(SLICE)).all()
        if not rows:
            return
        last = rows[-1].alias_key
        found = {
            entry.id: entry
            for where in slices_of([row.id for row in rows])
            for entry in entries(connection, where, Shared())
        }
        yield from (found[row.id] for row in rows)


def aliases_of(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """Id → alias, of those that exist."""
    e = t.entries.c
    found: dict[str, str] = {}
    for where in slices_of(ids):
        found.update((id, alias) for id, alias in connection.execute(select(e.id, e.alias).where(where(e.id))))
    return found


_ID_OF_ALIAS = select(t.entries.c.id).where(t.entries.c.alias_key == bindparam("alias_key"))
_OWNER_OF = select(t.addresses.c.owner_id).where(t.addresses.c.key == bindparam("address_key"))


def id_of_alias(connection: Connection, alias: str) -> str | None:
    return connection.execute(_ID_OF_ALIAS, {"alias_key": key_of(alias)}).scalar_one_or_none()


def owner_of(connection: Connection, address: str) -> str | None:
    """The id of whoever owns the address."""
    return connection.execute(_OWNER_OF, {"address_key": key_of(address)}).scalar_one_or_none()


def owners_of(connection: Connection, keys: Collection[str]) -> dict[str, str]:
    """Address key → id of whoever owns it, for those of the keys that somebody owns."""
    a = t.addresses.c
    found: dict[str, str] = {}
    for where in slices_of(keys):
        found.update((key, owner) for key, owner in connection.execute(select(a.key, a.owner_id).where(where(a.key))))
    return found
