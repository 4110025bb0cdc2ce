"""What classes, partitions, scopes, locations and templates share: rows of a table with an id and a unique name.

Knows how such rows are found, in which order one is saved and when it may go; refuses to know the other columns: what
differs from kind to kind is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, fields, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Row, Table, delete, func, insert, select, update

from unitymail.directory import checks
from unitymail.directory.changes import difference
from unitymail.directory.entries import DEFAULT
from unitymail.directory.ids import new_id
from unitymail.directory.naming import NAMED, counted
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import Refused, Taken
from unitymail.mail.address import key_of


class Named(Protocol):
    """What such a row becomes: a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


def _as_wished(transaction: Transaction, old: T | None, thing: T) -> T:
    return thing


def _nothing_more(transaction: Transaction, thing: T) -> None:
    pass


@dataclass(frozen=True, slots=True)
class NamedKeeper(Generic[T]):
    """The keeper of one such table. `kind` is the word for it in the change log, `what` the one in sentences.

    `from_row` and `columns` translate a row and a value (without id and name). `check` fills defaults in and raises
    Refused; `after_write` writes rows of other tables. `called` is a closer word for one thing, where there is any;
    `in_use` lists (column that may refer to it, by whom).
    """

    value: type[T]
    kind: str
    table: Table
    what: str
    from_row: Callable[[Connection, Row[Any]], T]
    columns: Callable[[T], dict[str, Any]]
    check: Callable[[Transaction, T | None, T], T] = _as_wished
    after_write: Callable[[Transaction, T], None] = _nothing_more
    called: Callable[[T], str] | None = None
    in_use: Sequence[tuple[Any, str]] = ()

    def all(self, connection: Connection) -> list[T]:
        rows = connection.execute(select(self.table).order_by(self.table.c.name_key)).all()
        return [self.from_row(connection, row) for row in rows]

    def get(self, connection: Connection, id: str) -> T | None:
        row = connection.execute(select(self.table).where(self.table.c.id == id)).one_or_none()
        return self.from_row(connection, row) if row is not None else None

    def named(self, connection: Connection, name: str) -> T | None:
        key = key_of(checks.normal(name))
        row = connection.execute(select(self.table).where(self.table.c.name_key == key)).one_or_none()
        return self.from_row(connection, row) if row is not None else None

    def add(self, transaction: Transaction, thing: T) -> T:
        return self._save(transaction, None, thing)

    def replace(self, transaction: Transaction, old: T, thing: T) -> T:
        return self._save(transaction, old, thing)

    def _save(self, transaction: Transaction, old: T | None, given: T) -> T:
        connection, table = transaction.connection, self.table
        thing = replace(given, name=checks.name(self.what, given.name))
        owner = connection.execute(select(table.c.id).where(table.c.name_key == key_of(thing.name))).scalar()
        if owner is not None and owner != thing.id:
            raise Taken(f"There is a {self.what} named {thing.name} already; choose another name.")
        if old is not None and key_of(old.name) == DEFAULT != key_of(thing.name):
            raise Refused(f"The {self.what} Default is the one that new objects get; it keeps its name.")
        thing = self.check(transaction, old, thing)
        thing = replace(thing, id=thing.id or new_id())
        values = {"name": thing.name, "name_key": key_of(thing.name), **self.columns(thing)}
        if old is None:
            connection.execute(insert(table).values(id=thing.id, **values))
        else:
            connection.execute(update(table).where(table.c.id == thing.id).values(values))
        self.after_write(transaction, thing)
        kept = self.get(connection, thing.id)
        assert kept is not None
        transaction.forget()
        transaction.log(self.kind, thing.id, "added" if old is None else "changed", difference(old, kept, thing.name))
        return kept

    def delete(self, transaction: Transaction, thing: T) -> None:
        id, name, what = thing.id, thing.name, self.called(thing) if self.called else self.what
        if key_of(name) == DEFAULT:
            raise Refused(f"The {what} {name} is the one that new objects get; it cannot be deleted.")
        for column, who in self.in_use:
            if users := _using(transaction.connection, column, id, who):
                raise Refused(f"The {what} {name} is in use by {users}; give them another one first.")
        transaction.connection.execute(delete(self.table).where(self.table.c.id == id))
        transaction.forget()
        transaction.log_deleted(self.kind, id, name)


def _using(connection: Connection, column: Any, id: str, who: str) -> str:
    """`2 users (chris, kim)` whose `column` refers to this id; "" for none."""
    count = connection.execute(select(func.count()).select_from(column.table).where(column == id)).scalar_one()
    if not count:
        return ""
    named, owner = _NAMED_IN.get(column.table, (column.table, "id"))
    name = named.c.alias if named is t.entries else named.c.name
    query = select(name).select_from(column.table)
    if named is not column.table:
        query = query.join(named, named.c.id == column.table.c[owner])
    names = connection.execute(query.where(column == id).order_by(name).limit(NAMED)).scalars().all()
    return counted(count, who, names)


_NAMED_IN = {
    t.users: (t.entries, "id"),
    t.contacts: (t.entries, "id"),
    t.scope_partitions: (t.scopes, "scope_id"),
}
"""Tables whose rows have their names elsewhere: in which table, and which column refers to it."""


def plain_columns(thing: Any, *leave_out: str) -> dict[str, Any]:
    """Field name → value of a flat object, enums as their values; without id, name and those left out."""
    return {
        f.name: getattr(getattr(thing, f.name), "value", getattr(thing, f.name))
        for f in fields(thing)
        if f.name not in ("id", "name", *leave_out)
    }
