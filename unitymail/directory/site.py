"""Site settings and the authentication rule in the database. Keys, types and ranges are `settings/site`'s.

Note *auth*: the keys `auth.*` that the authentication rule has are kept in the rule's own row and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from unitymail.directory import checks
from unitymail.directory.naming import owner_words
from unitymail.directory.relaying import refuse_relayed
from unitymail.directory.sql import queries
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import Refused
from unitymail.mail.address import key_of
from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.settings.site import FIELDS, Complaint, SiteSettings, changed, site_from, write_value

RULE = "web"
LONGEST_TEXT = 4_096
_FIELD_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
"""What field names are made of; RFC 5322 would allow more, but `NAME=VALUE` is a mistake and no name."""
_RULE_FIELDS = [f.name for f in fields(AuthenticationRule) if f.name not in ("id", "name")]


def rule_of(connection: Connection) -> AuthenticationRule:
    """The rule in force."""
    r = t.authentication_rules.c
    row = connection.execute(
        select(r.id, r.name, *(r[name] for name in _RULE_FIELDS)).where(r.id == RULE)
    ).one_or_none()
    return AuthenticationRule(**row._mapping) if row is not None else AuthenticationRule()


def site_of(connection: Connection) -> SiteSettings:
    """All site settings, those of the authentication rule included."""
    s = t.site_settings.c
    site = site_from(dict(connection.execute(select(s.key, s.value)).all()))
    rule = rule_of(connection)
    known = {f"auth_{name}": getattr(rule, name) for name in _RULE_FIELDS}
    return replace(site, **known)


def set_site(transaction: Transaction, assignments: Iterable[tuple[str, str]]) -> SiteSettings:
    """Apply (key, text) pairs, all or none; raises Refused."""
    connection = transaction.connection
    before = site_of(connection)
    wanted = dict(assignments)
    try:
        after = changed(before, wanted.items())
    except Complaint as complaint:
        raise Refused(f"{complaint}.") from complaint
    except KeyError as unknown:
        raise Refused(f"{unknown.args[0]}: no such setting; `unitymail site show` lists them all.") from unknown
    _check_texts(before, after, wanted)
    if after.smart_host_host != before.smart_host_host and after.smart_host_host:
        _check_smart_host(after.smart_host_host)
    if after.secure_headers != before.secure_headers:
        _check_secure_headers(after.secure_headers)
    if after.corporate_proxy != before.corporate_proxy:
        _switch_corporate(transaction, on=after.corporate_proxy)
    if before.auth_scram and not after.auth_scram:
        _forget_scram_keys(connection)
    lines = []
    for key in wanted:
        name = FIELDS[key].name
        if getattr(after, name) != getattr(before, name):
            value = getattr(after, name)
            _write(connection, key, value)
            lines.append(("site", key, "changed", f"{write_value(getattr(before, name))} -> {write_value(value)}"))
    transaction.forget()
    transaction.log_all(lines)
    return after


def _check_texts(before: SiteSettings, after: SiteSettings, wanted: Iterable[str]) -> None:
    """They reach subjects, logs and terminals; what was stored before this was asked stays readable."""
    for key in wanted:
        value = getattr(after, FIELDS[key].name)
        if isinstance(value, str) and value != getattr(before, FIELDS[key].name):
            checks.line(f"value of {key}", value, LONGEST_TEXT)


def _write(connection: Connection, key: str, value: Any) -> None:
    rule_field = key.removeprefix("auth.")
    if key.startswith("auth.") and rule_field in _RULE_FIELDS:
        rule = t.authentication_rules
        connection.execute(update(rule).where(rule.c.id == RULE).values({rule_field: value}))
        return
    connection.execute(delete(t.site_settings).where(t.site_settings.c.key == key))
    connection.execute(insert(t.site_settings).values(key=key, value=write_value(value)))


def _check_smart_host(text: str) -> None:
    """A name, an address, or mx: and a domain; the port has a key of its own."""
    try:
        if text.startswith("mx:"):
            checks.host("smart_host.host", text.removeprefix("mx:"))
        else:
            checks.host_or_address("smart_host.host", text)
    except Refused as refused:
        raise Refused(
            f"{refused} Write a host name, an address, or mx:DOMAIN; the port is smart_host.port."
        ) from refused


def _check_secure_headers(text: str) -> None:
    """What is no name of a header field would mark no message, and nobody would notice."""
    for name, _ in parse_secure_headers(text):
        if not _FIELD_NAME.fullmatch(name):
            raise Refused(
                f"secure.headers: {name!r} is no name of a header field; write NAME: VALUE, such as "
                "X-Unity-Secure: true, with ; between several."
            )


def _forget_scram_keys(connection: Connection) -> None:
    nothing = dict.fromkeys(("scram_salt", "scram_iterations", "scram_stored_key", "scram_server_key"))
    connection.execute(update(t.credentials).values(nothing))


def _switch_corporate(transaction: Transaction, *, on: bool) -> None:
    """Give each user with a corporate address that address, or take away those that only the switch had given."""
    connection = transaction.connection
    if on:
        touched = _claim_corporate(connection)
    else:
        a = t.addresses.c
        touched = list(connection.execute(select(a.owner_id).where(a.kind == "corporate")).scalars().all())
        connection.execute(delete(t.addresses).where(a.kind == "corporate"))
    transaction.log_all([("user", id, "changed", "corporate proxy") for id in touched])


def _claim_corporate(connection: Connection) -> list[str]:
    """Add the missing corporate addresses; refuse them all when one of them is another's."""
    u, e = t.users.c, t.entries.c
    query = select(u.id, e.alias, u.corporate_address).join(t.entries, e.id == u.id).where(u.corporate_address != "")
    fresh: list[dict[str, str]] = []
    rows = connection.execute(query.order_by(e.alias_key)).all()
    owners = queries.owners_of(connection, {key_of(address) for _, _, address in rows})
    for id, alias, address in rows:
        owner = owners.get(key_of(address))
        if owner is not None and owner != id:
            whose = owner_words(connection, owner)
            raise Refused(
                f"corporate_proxy: the corporate address {address} of the user {alias} belongs to {whose} already; "
                "change one of them first."
            )
        if owner is None:
            owners[key_of(address)] = id
            fresh.append({"key": key_of(address), "address": address, "owner_id": id, "kind": "corporate"})
    refuse_relayed(connection, [row["key"] for row in fresh])
    if fresh:
        connection.execute(insert(t.addresses), fresh)
    return [row["owner_id"] for row in fresh]
