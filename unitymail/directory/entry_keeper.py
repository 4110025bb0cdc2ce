"""What the keepers of users, contacts and lists share: how they are found, and in which order they are saved.

Refuses to know what each of them holds besides its card and its addresses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Table, insert, select, update

from unitymail.directory import addresses, entries
from unitymail.directory.changes import difference
from unitymail.directory.entries import Card
from unitymail.directory.ids import new_id
from unitymail.directory.sql import queries
from unitymail.directory.transaction import Transaction

E = TypeVar("E")


class EntryKeeper(Generic[E]):
    """`table` has the fields that only this kind has; `kind` is the word for it in the directory."""

    value: type[E]
    kind: str
    table: Table

    def all(self, connection: Connection) -> list[E]:
        shared = queries.Shared()
        ids = connection.execute(select(self.table.c.id)).scalars().all()
        found = [
            entry
            for where in queries.slices_of(ids)
            for entry in queries.entries(connection, where, shared, (self.kind,))
            if isinstance(entry, self.value)
        ]
        return sorted(found, key=lambda entry: entry.alias)  # type: ignore[attr-defined]

    def get(self, connection: Connection, id: str) -> E | None:
        found = queries.entry(connection, id)
        return found if isinstance(found, self.value) else None

    def named(self, connection: Connection, name: str) -> E | None:
        id = queries.id_of_alias(connection, name)
        return self.get(connection, id) if id else None

    def add(self, transaction: Transaction, thing: E) -> E:
        return self._save(transaction, None, thing)

    def replace(self, transaction: Transaction, old: E, thing: E) -> E:
        return self._save(transaction, old, thing)

    def delete(self, transaction: Transaction, thing: Any) -> None:
        entries.remove(transaction, thing.id, self.kind, thing.alias)

    def check(self, transaction: Transaction, old: E | None, thing: E) -> tuple[E, Card, addresses.Wanted]:
        """The object with defaults filled in, and what it shares with others; raises Refused."""
        raise NotImplementedError

    def columns(self, thing: E) -> dict[str, Any]:
        """Of the table, without the id."""
        raise NotImplementedError

    def first_columns(self, transaction: Transaction) -> dict[str, Any]:
        """Of the table, written once."""
        return {}

    def write_more(self, transaction: Transaction, id: str, old: E | None, thing: E) -> None:
        """Rows of other tables."""

    def kept(self, transaction: Transaction, thing: E, card: Card, owned: addresses.Wanted) -> E:
        """The object as it was written."""
        kept = self.get(transaction.connection, card.id)
        assert kept is not None
        return kept

    def _save(self, transaction: Transaction, old: E | None, thing: E) -> E:
        thing, card, owned = self.check(transaction, old, thing)
        addresses.refuse_taken(transaction.connection, owned)
        id = card.id or new_id()
        card, owned = replace(card, id=id), replace(owned, owner=id)
        entries.write(transaction, card, owned, new=old is None)
        values = self.columns(thing)
        if old is None:
            values |= {"id": id, **self.first_columns(transaction)}
            transaction.connection.execute(insert(self.table), values)
        else:
            transaction.connection.execute(update(self.table).where(self.table.c.id == id).values(values))
        self.write_more(transaction, id, old, thing)
        kept = self.kept(transaction, thing, card, owned)
        transaction.log(self.kind, id, "added" if old is None else "changed", difference(old, kept, card.alias))
        return kept
