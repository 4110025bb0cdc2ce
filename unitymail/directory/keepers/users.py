"""Users: their fields, their addresses, and what a message action needs.

A user whose home is a peer has the address alias@<the peer's domain>; that peer alone applies their actions and quota,
so none are kept here.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, delete, insert

from unitymail.directory import addresses, checks, entries
from unitymail.directory.entries import Card
from unitymail.directory.entry_keeper import EntryKeeper
from unitymail.directory.relaying import refuse_loop, refuse_unready, relayed
from unitymail.directory.site import site_of
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import Refused
from unitymail.mail.address import key_of
from unitymail.people.user import ACCEPT_ALL, DEFAULT_QUOTA, User
from unitymail.settings.site import SiteSettings

KIND = "user"


def check(transaction: Transaction, old: User | None, thing: User) -> tuple[User, Card, addresses.Wanted]:
    connection, site = transaction.connection, transaction.once(site_of)
    user = _completed(transaction, _checked(thing))
    card = entries.card(transaction, user.id, KIND, user.alias, user.display_name, user.partition, user.extension)
    domain = transaction.once(entries.domain_of_peer, user.home) if user.home else transaction.identity.domain
    corporate = user.corporate_address if site.corporate_proxy else ""
    wish = addresses.wanted(
        connection, user.id, primary=f"{card.alias}@{domain}", proxies=user.proxies, corporate=corporate
    )
    if user.home:
        user = replace(user, actions=ACCEPT_ALL, relay_address="", quota=DEFAULT_QUOTA)
    _refuse_relay(connection, old, user, wish, site)
    return user, card, wish


def columns(thing: User) -> dict[str, Any]:
    return {
        "first_name": thing.first_name,
        "last_name": thing.last_name,
        "corporate_address": thing.corporate_address,
        "cos_id": thing.cos,
        "scope_id": thing.scope,
        "home_id": thing.home or None,
        "relay_address": thing.relay_address,
        "relay_key": key_of(thing.relay_address) if thing.relay_address else None,
        "route_ndr": thing.route_ndr,
        "hidden_capabilities": " ".join(thing.hidden_capabilities),
        "age_messages": thing.age_messages,
        **action_columns(thing),
        **quota_columns(thing),
    }


def first_columns(transaction: Transaction) -> dict[str, Any]:
    return {"created": transaction.now}


def write_delegates(transaction: Transaction, id: str, old: User | None, thing: User) -> None:
    connection = transaction.connection
    if old is not None:
        connection.execute(delete(t.delegates).where(t.delegates.c.user_id == id))
    if thing.delegates:
        rows = [{"user_id": id, "delegate_id": delegate} for delegate in thing.delegates]
        connection.execute(insert(t.delegates), rows)


def as_kept(thing: User, card: Card, owned: addresses.Wanted) -> User:
    """As it would be read back; ten thousand at once are not."""
    by_kind = sorted((key, one.kind == "primary", one.address) for key, one in owned.by_key.items())
    return replace(
        thing,
        id=card.id,
        alias=card.alias,
        display_name=card.display_name,
        extension=card.extension,
        partition=card.partition,
        address=next(address for _, primary, address in by_kind if primary),
        proxies=tuple(address for _, primary, address in by_kind if not primary),
        delegates=tuple(sorted(thing.delegates)),
    )


def forget_passwords(transaction: Transaction, thing: User) -> None:
    connection = transaction.connection
    connection.execute(delete(t.credentials).where(t.credentials.c.owner_id == thing.id))
    connection.execute(delete(t.password_history).where(t.password_history.c.owner_id == thing.id))


def _checked(user: User) -> User:
    """The fields that need no look at the directory."""
    relay = checks.address("relay address", user.relay_address) if user.relay_address else ""
    corporate = checks.address("corporate address", user.corporate_address) if user.corporate_address else ""
    first, last = checks.line("first name", user.first_name), checks.line("last name", user.last_name)
    quota_columns(user)
    return replace(
        user,
        alias=checks.alias(user.alias),
        first_name=first,
        last_name=last,
        display_name=user.display_name.strip() or f"{first} {last}".strip() or user.alias,
        corporate_address=corporate,
        relay_address=relay,
        hidden_capabilities=tuple(dict.fromkeys(checks.capability(c) for c in user.hidden_capabilities)),
        delegates=tuple(dict.fromkeys(user.delegates)),
    )


def _completed(transaction: Transaction, user: User) -> User:
    """Defaults filled in, and every object it refers to is there."""
    user = replace(
        user,
        cos=user.cos or transaction.once(entries.default_id, t.classes_of_service),
        scope=user.scope or transaction.once(entries.default_id, t.scopes),
    )
    transaction.once(entries.must_exist, t.classes_of_service, user.cos, "class of service")
    transaction.once(entries.must_exist, t.scopes, user.scope, "search scope")
    if user.id and user.id in user.delegates:
        raise Refused(f"The user {user.alias} cannot be their own delegate; they may send as themselves anyway.")
    must_be_users(transaction.connection, user.delegates)
    return user


def must_be_users(connection: Connection, delegates: tuple[str, ...]) -> None:
    """Only users can be delegates."""
    for delegate in delegates:
        entries.must_exist(connection, t.users, delegate, "user to be a delegate")


def _refuse_relay(
    connection: Connection, old: User | None, user: User, own: addresses.Wanted, site: SiteSettings
) -> None:
    """Who relays already may be changed otherwise while there is no smart host; their mail is reported meanwhile."""
    relaying, before = relayed(user.actions), relayed(old.actions) if old else []
    if not set(relaying) <= set(before) or (relaying and not user.relay_address):
        refuse_unready(user.actions, user.relay_address, site, f"{user.alias}@elsewhere.example")
    changed = old is None or old.relay_address != user.relay_address
    if user.relay_address and (relaying or changed):
        refuse_loop(connection, own.by_key, user.relay_address, site)


def action_columns(thing: Any) -> dict[str, str]:
    return {f"action_{f.name}": getattr(thing.actions, f.name).value for f in fields(thing.actions)}


def quota_columns(thing: Any) -> dict[str, int]:
    limits = {f.name: getattr(thing.quota, f.name) for f in fields(thing.quota)}
    for name, limit in limits.items():
        if not 0 <= limit < 2**62:
            raise Refused(f"The {name} quota is out of range; give octets from 0 (unlimited) up, such as 14M.")
    return {f"quota_{name}": limit for name, limit in limits.items()}


keeper = EntryKeeper(
    User,
    KIND,
    t.users,
    check,
    columns,
    first_columns=first_columns,
    write_more=write_delegates,
    before_delete=forget_passwords,
    as_kept=as_kept,
)
