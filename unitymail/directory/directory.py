"""The directory in SQL as administration uses it: transactions over whole objects. Blocking.

Refuses to know any kind of object: each has its keeper in `keepers/`. Nothing here is on a message's way; that is the
address book's place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, select
from zope.interface import implementer

from unitymail.directory import addresses, changes, credentials, entries, relaying, site, spoken_names
from unitymail.directory.founding import found
from unitymail.directory.keepers import keepers
from unitymail.directory.sql import queries
from unitymail.directory.sql import schema as t
from unitymail.directory.sql.database import Database
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.book import Entry
from unitymail.interfaces.directory import (
    Change,
    Credential,
    Identity,
    IDirectory,
    IDirectoryChange,
    IDirectoryView,
    NotFound,
    OwnedAddress,
    Refused,
    Secret,
)
from unitymail.people.access import AccessRule
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.scope import SearchScope
from unitymail.settings.site import SiteSettings


@implementer(IDirectoryView)
class View:
    """The directory as one transaction sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.identity = identity_of(connection)

    @property
    def usn(self) -> int:
        return changes.newest(self._connection)

    def site(self) -> SiteSettings:
        return site.site_of(self._connection)

    def authentication(self) -> AuthenticationRule:
        return site.rule_of(self._connection)

    def get(self, kind: type[Any], id: str) -> Any:
        return keepers()[kind].get(self._connection, id)

    def named(self, kind: type[Any], name: str) -> Any:
        return keepers()[kind].named(self._connection, name)

    def all(self, kind: type[Any]) -> Sequence[Any]:
        everything: Sequence[Any] = keepers()[kind].all(self._connection)
        return everything

    def entry(self, id: str) -> Entry | None:
        return queries.entry(self._connection, id)

    def entry_named(self, alias: str) -> Entry | None:
        id = queries.id_of_alias(self._connection, alias)
        return self.entry(id) if id else None

    def owner_of(self, address: str) -> Entry | None:
        id = queries.owner_of(self._connection, address)
        return self.entry(id) if id else None

    def addresses_of(self, id: str) -> Sequence[OwnedAddress]:
        return addresses.owned(self._connection, id)

    def credential(self, user: str) -> Credential | None:
        return credentials.credential_of(self._connection, user)

    def old_passwords(self, user: str, count: int) -> Sequence[str]:
        return credentials.old_passwords(self._connection, user, count)

    def spoken_name(self, entry: str) -> bytes:
        return spoken_names.spoken_name(self._connection, entry)

    def changes(self, after: int, limit: int = 1000) -> Sequence[Change]:
        return changes.since(self._connection, after, limit)

    def aliases_of(self, ids: Collection[str]) -> dict[str, str]:
        return queries.aliases_of(self._connection, ids)

    def reached_by(self, scope: SearchScope) -> Iterator[Entry]:
        return queries.entries_in(self._connection, scope.partitions)

    def relaying(self) -> Sequence[str]:
        return relaying.who_relays(self._connection)


@implementer(IDirectoryChange)
class Changing(View):
    """A transaction that changes; see IDirectoryChange."""

    def __init__(self, connection: Connection, who: str, now: float) -> None:
        super().__init__(connection)
        self._transaction = Transaction(connection, self.identity, who, now, changes.lock_counter(connection))

    @property
    def usn(self) -> int:
        return self._transaction.usn

    def flush(self) -> None:
        """Write the change log; before the transaction ends."""
        self._transaction.flush()

    def changes(self, after: int, limit: int = 1000) -> Sequence[Change]:
        self.flush()
        return super().changes(after, limit)

    def add(self, thing: Any) -> Any:
        return keepers()[type(thing)].add(self._transaction, thing)

    def replace(self, thing: Any) -> Any:
        keeper = keepers()[type(thing)]
        old = keeper.get(self._connection, _id_of(thing))
        if old is None:
            raise NotFound(f"There is no such {keeper.kind}; somebody deleted it meanwhile.")
        return old if thing == old else keeper.replace(self._transaction, old, thing)

    def delete(self, kind: type[Any], id: str) -> None:
        keeper = keepers()[kind]
        old = keeper.get(self._connection, id)
        if old is None:
            raise NotFound(f"There is no such {keeper.kind}; somebody deleted it meanwhile.")
        keeper.delete(self._transaction, old)

    def add_proxy(self, entry: str, address: str) -> None:
        addresses.add_proxy(self._transaction, entry, address)

    def remove_proxy(self, entry: str, address: str) -> None:
        addresses.remove_proxy(self._transaction, entry, address)

    def set_password(self, user: str, secret: Secret) -> None:
        entries.must_exist(self._connection, t.users, user, "user")
        rule = self._transaction.once(site.rule_of)
        credentials.set_password(self._transaction, user, secret, keep=max(1, rule.history))

    def unlock(self, user: str) -> None:
        credentials.unlock(self._transaction, user)

    def set_spoken_name(self, entry: str, audio: bytes) -> None:
        spoken_names.set_spoken_name(self._transaction, entry, audio)

    def set_site(self, assignments: Iterable[tuple[str, str]]) -> SiteSettings:
        return site.set_site(self._transaction, assignments)


@implementer(IDirectory)
class Directory:
    """The directory in `database`; `now` gives Unix seconds."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def found(
        self, domain: str, host_name: str, settings: Mapping[str, str] | None = None, *, who: str = "init"
    ) -> Identity:
        """Make a new directory: its tables, its identity, and the default objects. Raises Refused where one exists."""
        self._database.make()
        with self._database.changing() as connection:
            found(connection, domain, host_name, who=who, now=self._now())
            change = Changing(connection, who, self._now())
            change.set_site((settings or {}).items())
            change.flush()
            return change.identity

    def check(self) -> None:
        """Raise Refused unless a whole directory of this program's version is there."""
        self._database.check()
        with self.read():
            pass

    @contextmanager
    def read(self) -> Iterator[View]:
        with self._database.reading() as connection:
            yield View(connection)

    @contextmanager
    def change(self, who: str) -> Iterator[Changing]:
        with self._database.changing() as connection:
            change = Changing(connection, who, self._now())
            yield change
            change.flush()

    @contextmanager
    def rehearse(self, who: str) -> Iterator[Changing]:
        with self._database.trying() as connection:
            yield Changing(connection, who, self._now())


def identity_of(connection: Connection) -> Identity:
    i = t.identity.c
    row = connection.execute(select(i.domain, i.host_name, i.node_id, i.secret, i.created)).one_or_none()
    if row is None:
        raise Refused("The directory is empty; make one with `unitymail init`.")
    return Identity(*row)


def _id_of(thing: Any) -> str:
    return thing.pattern if isinstance(thing, AccessRule) else thing.id
