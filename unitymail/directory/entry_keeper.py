"""What the keepers of users, contacts and lists share: how they are found, and in which order they are saved.

Refuses to know what each of them holds besides its card and its addresses: that is handed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Table, insert, select, update

from unitymail.directory import addresses, entries
from unitymail.directory.changes import difference
from unitymail.directory.entries import Card
from unitymail.directory.ids import new_id
from unitymail.directory.sql import queries
from unitymail.directory.transaction import Transaction


class HasAlias(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def alias(self) -> str: ...


E = TypeVar("E", bound=HasAlias)


def _no_more_columns(transaction: Transaction) -> dict[str, Any]:
    return {}


def _nothing_more(transaction: Transaction, id: str, old: E | None, thing: E) -> None:
    pass


def _nothing_before(transaction: Transaction, thing: E) -> None:
    pass


@dataclass(frozen=True, slots=True)
class EntryKeeper(Generic[E]):
    """`table` has the fields that only this kind has; `kind` is the word for it in the directory.

    `check` gives the object with defaults filled in and what it shares with others, or raises Refused; `columns` are
    those of the table without the id, `first_columns` those written once. `write_more` writes rows of other tables,
    `before_delete` removes them, or raises Refused. `as_kept` makes the object as it would be read back, where that
    is cheaper than to read it.
    """

    value: type[E]
    kind: str
    table: Table
    check: Callable[[Transaction, E | None, E], tuple[E, Card, addresses.Wanted]]
    columns: Callable[[E], dict[str, Any]]
    first_columns: Callable[[Transaction], dict[str, Any]] = _no_more_columns
    write_more: Callable[[Transaction, str, E | None, E], None] = _nothing_more
    before_delete: Callable[[Transaction, E], None] = _nothing_before
    as_kept: Callable[[E, Card, addresses.Wanted], E] | None = None

    def all(self, connection: Connection) -> list[E]:
        shared = queries.Shared()
        ids = connection.execute(select(self.table.c.id)).scalars().all()
        found = [
            entry
            for where in queries.slices_of(ids)
            for entry in queries.entries(connection, where, shared, (self.kind,))
            if isinstance(entry, self.value)
        ]
        return sorted(found, key=lambda entry: entry.alias)

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

    def delete(self, transaction: Transaction, thing: E) -> None:
        self.before_delete(transaction, thing)
        entries.remove(transaction, thing.id, self.kind, thing.alias)

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
        kept = self._kept(transaction.connection, thing, card, owned)
        transaction.log(self.kind, id, "added" if old is None else "changed", difference(old, kept, card.alias))
        return kept

    def _kept(self, connection: Connection, thing: E, card: Card, owned: addresses.Wanted) -> E:
        if self.as_kept is not None:
            return self.as_kept(thing, card, owned)
        kept = self.get(connection, card.id)
        assert kept is not None
        return kept
