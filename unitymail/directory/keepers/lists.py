"""Distribution lists: one address for many members."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, delete, insert, select, update

from unitymail.directory import addresses, entries
from unitymail.directory.ids import new_id
from unitymail.directory.sql import queries
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import NotFound, Refused
from unitymail.people.distribution_list import DistributionList


class Lists:
    kind = "list"
    value = DistributionList

    def all(self, connection: Connection) -> list[DistributionList]:
        shared = queries.Shared()
        ids = connection.execute(select(t.lists.c.id)).scalars().all()
        found = [e for where in queries.slices_of(ids) for e in queries.entries(connection, where, shared)]
        return sorted((e for e in found if isinstance(e, DistributionList)), key=lambda entry: entry.alias)

    def get(self, connection: Connection, id: str) -> DistributionList | None:
        found = queries.entry(connection, id)
        return found if isinstance(found, DistributionList) else None

    def named(self, connection: Connection, name: str) -> DistributionList | None:
        id = queries.id_of_alias(connection, name)
        return self.get(connection, id) if id else None

    def add(self, transaction: Transaction, entry: DistributionList) -> DistributionList:
        return self._save(transaction, entry, new=True)

    def replace(self, transaction: Transaction, old: DistributionList, entry: DistributionList) -> DistributionList:
        return self._save(transaction, entry, new=False)

    def _save(self, transaction: Transaction, entry: DistributionList, *, new: bool) -> DistributionList:
        connection = transaction.connection
        card = entries.card(
            connection, entry.id, "list", entry.alias, entry.display_name or entry.alias, entry.partition, ""
        )
        wish = addresses.wanted(connection, entry.id, primary=transaction.address_of(card.alias), proxies=entry.proxies)
        addresses.refuse_taken(connection, wish)
        _refuse_members(connection, entry)
        id = entry.id or new_id()
        entries.write(transaction, replace(card, id=id), replace(wish, owner=id), new=new)
        values = {"allow_contacts": entry.allow_contacts, "accept_foreign": entry.accept_foreign}
        if new:
            connection.execute(insert(t.lists).values(id=id, **values))
        else:
            connection.execute(update(t.lists).where(t.lists.c.id == id).values(values))
        connection.execute(delete(t.members).where(t.members.c.list_id == id))
        rows = [{"list_id": id, "member_id": member} for member in dict.fromkeys(entry.members)]
        if rows:
            connection.execute(insert(t.members), rows)
        transaction.log("list", id, "added" if new else "changed", entry.alias)
        kept = self.get(connection, id)
        assert kept is not None
        return kept

    def delete(self, transaction: Transaction, entry: DistributionList) -> None:
        entries.remove(transaction, entry.id, "list", entry.alias)


def _refuse_members(connection: Connection, entry: DistributionList) -> None:
    if entry.id and entry.id in entry.members:
        raise Refused(f"The list {entry.alias} cannot be a member of itself; leave it out.")
    kinds: dict[str, str] = {}
    for where in queries.slices_of(set(entry.members)):
        e = t.entries.c
        kinds.update(connection.execute(select(e.id, e.kind).where(where(e.id))).all())
    if any(member not in kinds for member in entry.members):
        raise NotFound(f"A member of the list {entry.alias} does not exist; name users, contacts and lists by alias.")
    if not entry.allow_contacts and "contact" in kinds.values():
        raise Refused(f"The list {entry.alias} takes no contacts; allow them with --allow-contacts first.")


keeper = Lists()
