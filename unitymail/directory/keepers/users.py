"""Users: their fields, their addresses, and what a message action needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from sqlalchemy import Connection, delete, insert, select, update

from unitymail.directory import addresses, checks, entries
from unitymail.directory.ids import new_id
from unitymail.directory.site import site_of
from unitymail.directory.sql import queries
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import NotFound, Refused
from unitymail.mail.address import key_of
from unitymail.people.user import Action, User
from unitymail.settings.site import SiteSettings

RELAYING = (Action.RELAY, Action.ACCEPT_AND_RELAY)


class Users:
    kind = "user"
    value = User

    def all(self, connection: Connection) -> list[User]:
        shared = queries.Shared()
        found = [
            entry
            for where in queries.all_slices(connection)
            for entry in queries.entries(connection, where, shared)
            if isinstance(entry, User)
        ]
        return sorted(found, key=lambda user: user.alias)

    def get(self, connection: Connection, id: str) -> User | None:
        found = queries.entry(connection, id)
        return found if isinstance(found, User) else None

    def named(self, connection: Connection, name: str) -> User | None:
        id = queries.id_of_alias(connection, name)
        return self.get(connection, id) if id else None

    def add(self, transaction: Transaction, user: User) -> User:
        return self._save(transaction, user, None)

    def replace(self, transaction: Transaction, old: User, user: User) -> User:
        return self._save(transaction, user, old)

    def _save(self, transaction: Transaction, user: User, old: User | None) -> User:
        connection = transaction.connection
        user = _completed(connection, _checked(user))
        card = entries.card(connection, user.id, "user", user.alias, user.display_name, user.partition, user.extension)
        site = site_of(connection)
        wish = addresses.wanted(
            connection,
            user.id,
            primary=transaction.address_of(card.alias),
            proxies=user.proxies,
            corporate=user.corporate_address if site.corporate_proxy else "",
        )
        addresses.refuse_taken(connection, wish)
        _refuse_relay(connection, user, wish, site)
        id = user.id or new_id()
        entries.write(transaction, replace(card, id=id), replace(wish, owner=id), new=old is None)
        _write(connection, id, user, transaction.now if old is None else None)
        kept = self.get(connection, id)
        assert kept is not None
        transaction.log("user", id, "added" if old is None else "changed", _difference(old, kept))
        return kept

    def delete(self, transaction: Transaction, user: User) -> None:
        connection = transaction.connection
        connection.execute(delete(t.credentials).where(t.credentials.c.owner_id == user.id))
        connection.execute(delete(t.password_history).where(t.password_history.c.owner_id == user.id))
        entries.remove(transaction, user.id, "user", user.alias)


def _checked(user: User) -> User:
    """The fields that need no look at the directory."""
    relay = checks.address("relay address", user.relay_address) if user.relay_address else ""
    corporate = checks.address("corporate address", user.corporate_address) if user.corporate_address else ""
    return replace(
        user,
        alias=checks.alias(user.alias),
        first_name=checks.line("first name", user.first_name),
        last_name=checks.line("last name", user.last_name),
        display_name=user.display_name or f"{user.first_name} {user.last_name}".strip() or user.alias,
        corporate_address=corporate,
        relay_address=relay,
        hidden_capabilities=tuple(dict.fromkeys(checks.capability(c) for c in user.hidden_capabilities)),
        delegates=tuple(dict.fromkeys(user.delegates)),
    )


def _completed(connection: Connection, user: User) -> User:
    """Defaults filled in, and every object it refers to is there."""
    user = replace(
        user,
        cos=user.cos or entries.default_id(connection, t.classes_of_service),
        scope=user.scope or entries.default_id(connection, t.scopes),
    )
    entries.must_exist(connection, t.classes_of_service, user.cos, "class of service")
    entries.must_exist(connection, t.scopes, user.scope, "search scope")
    if user.home:
        _refuse_no_peer(connection, user.home)
    for delegate in user.delegates:
        if delegate == user.id:
            raise Refused(f"The user {user.alias} cannot be their own delegate; they may send as themselves anyway.")
        entries.must_exist(connection, t.users, delegate, "user to be a delegate")
    return user


def _refuse_no_peer(connection: Connection, home: str) -> None:
    kind = connection.execute(select(t.locations.c.kind).where(t.locations.c.id == home)).scalar()
    if kind != "peer":
        raise NotFound("There is no such peer to be the home server; add it first, or leave --home out.")


def _refuse_relay(connection: Connection, user: User, own: addresses.Wanted, site: SiteSettings) -> None:
    relaying = [f.name for f in fields(user.actions) if getattr(user.actions, f.name) in RELAYING]
    if not relaying:
        return
    if not user.relay_address:
        raise Refused(f"Relaying {relaying[0]} messages needs a relay address; give one with --relay-address.")
    if not site.smart_host_host:
        raise Refused(
            f"Relaying {relaying[0]} messages needs a smart host; set one with `site set smart_host.host=NAME` first."
        )
    entries.refuse_relay(connection, own, user.relay_address)


def _write(connection: Connection, id: str, user: User, created: float | None) -> None:
    values = {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "corporate_address": user.corporate_address,
        "cos_id": user.cos,
        "scope_id": user.scope,
        "home_id": user.home or None,
        "relay_address": user.relay_address,
        "relay_key": key_of(user.relay_address) if user.relay_address else None,
        "route_ndr": user.route_ndr,
        "hidden_capabilities": " ".join(user.hidden_capabilities),
        **action_columns(user),
        **quota_columns(user),
    }
    if created is not None:
        connection.execute(insert(t.users).values(id=id, created=created, **values))
    else:
        connection.execute(update(t.users).where(t.users.c.id == id).values(values))
    connection.execute(delete(t.delegates).where(t.delegates.c.user_id == id))
    if user.delegates:
        rows = [{"user_id": id, "delegate_id": delegate} for delegate in user.delegates]
        connection.execute(insert(t.delegates), rows)


def action_columns(thing: object) -> dict[str, str]:
    actions = thing.actions  # type: ignore[attr-defined]
    return {f"action_{f.name}": getattr(actions, f.name).value for f in fields(actions)}


def quota_columns(thing: object) -> dict[str, int]:
    quota = thing.quota  # type: ignore[attr-defined]
    for f in fields(quota):
        if not 0 <= getattr(quota, f.name) < 2**62:
            raise Refused(f"The {f.name} quota is out of range; give octets from 0 (unlimited) up, such as 14M.")
    return {f"quota_{f.name}": getattr(quota, f.name) for f in fields(quota)}


def _difference(old: User | None, new: User) -> str:
    """Which fields changed, for the audit trail."""
    if old is None:
        return new.alias
    changed: Sequence[str] = [f.name for f in fields(new) if getattr(old, f.name) != getattr(new, f.name)]
    return f"{new.alias}: {', '.join(changed) or 'nothing'}"


keeper = Users()
