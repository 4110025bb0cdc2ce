"""Locations: peers of this site and VPIM systems, with the rules that keep their domains and numbers apart."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, Row, func, select

from unitymail.directory import checks, entries
from unitymail.directory.named import NamedKeeper, plain_columns
from unitymail.directory.naming import owner_words
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import Refused, Taken
from unitymail.people.location import Location, LocationKind

MOST = 10
"""unity-connection.md 4.1: VPIM locations of a directory."""
_FINGERPRINT = re.compile(r"[0-9a-f]{64}\Z")
_DIGITS = re.compile(r"[0-9]*\Z")
_PLAIN = [f.name for f in fields(Location) if f.name not in ("id", "kind", "name", "partition", "scope", "home")]


def from_row(connection: Connection, row: Row[Any]) -> Location:
    known = {name: getattr(row, name) for name in _PLAIN}
    return Location(
        id=row.id,
        kind=LocationKind(row.kind),
        name=row.name,
        partition=row.partition_id or "",
        scope=row.scope_id or "",
        home=row.home_id or "",
        **known,
    )


def columns(thing: Location) -> dict[str, Any]:
    return {
        "partition_id": thing.partition or None,
        "scope_id": thing.scope or None,
        "home_id": thing.home or None,
        **plain_columns(thing, "partition", "scope", "home"),
    }


def called(thing: Location) -> str:
    return "peer" if thing.kind is LocationKind.PEER else "VPIM location"


def check(transaction: Transaction, old: Location | None, thing: Location) -> Location:
    thing = replace(
        thing,
        domain=checks.host("domain", thing.domain).lower(),
        host=checks.host_or_address("host", thing.host) if thing.host else "",
        fingerprint=thing.fingerprint.replace(":", "").lower(),
    )
    for port in (thing.port, thing.web_port):
        if not 0 <= port <= 65_535:
            raise Refused(f"The port {port} is out of range; give one from 1 to 65535.")
    others = [one for one in keeper.all(transaction.connection) if one.id != thing.id]
    if thing.kind is LocationKind.PEER:
        return _peer(transaction, old, thing, others)
    return _vpim(transaction, old, thing, others)


def _peer(transaction: Transaction, old: Location | None, thing: Location, others: list[Location]) -> Location:
    if not _FINGERPRINT.match(thing.fingerprint):
        raise Refused(
            "The fingerprint of a peer is the SHA-256 of its public key in 64 hexadecimal digits; "
            "`unitymail peer key` prints it there."
        )
    if not thing.host:
        raise Refused("A peer needs the host name or address to reach it at; give one with --host.")
    if thing.domain == transaction.identity.domain.lower():
        raise Taken(f"The domain {thing.domain} is our own; a peer has a domain of its own.")
    for other in others:
        if other.kind is LocationKind.PEER and other.domain == thing.domain:
            raise Taken(f"The domain {thing.domain} belongs to the peer {other.name}; give each its own.")
        if other.kind is LocationKind.PEER and other.fingerprint == thing.fingerprint:
            raise Taken(f"The peer {other.name} has the same public key; give the fingerprint that this one prints.")
        if other.kind is LocationKind.VPIM:
            _refuse_tail(other.domain, thing.domain, f"that of the peer {thing.name}")
    if old is not None and old.domain != thing.domain:
        _refuse_homed(transaction.connection, old)
    return thing


def _refuse_tail(vpim: str, ours: str, whose: str) -> None:
    # UC: our domain must not be a tail of the VPIM system's, not even in the middle of a label.
    if vpim.endswith(ours):
        raise Refused(f"The domain {vpim} ends with {whose}, {ours}; a VPIM system needs a domain of its own.")


def _refuse_homed(connection: Connection, peer: Location) -> None:
    """Its domain is in the primary addresses of its users."""
    count = connection.execute(
        select(func.count()).select_from(t.users).where(t.users.c.home_id == peer.id)
    ).scalar_one()
    if count:
        raise Refused(
            f"The domain {peer.domain} is part of the addresses of {count} user{'s' if count > 1 else ''} whose home "
            f"is {peer.name}; give them another home first."
        )


def _vpim(transaction: Transaction, old: Location | None, thing: Location, others: list[Location]) -> Location:
    connection = transaction.connection
    if old is None:
        entries.refuse_too_many(transaction, t.locations, MOST, "VPIM locations", kind=LocationKind.VPIM.value)
    _refuse_tail(thing.domain, transaction.identity.domain.lower(), "ours")
    for what, digits in (
        ("dial id", thing.dial_id),
        ("remote prefix", thing.remote_prefix),
        ("local prefix", thing.local_prefix),
    ):
        if len(digits) > checks.MAX_EXTENSION or not _DIGITS.match(digits):
            raise Refused(f"The {what} {digits!r} is not a number of at most {checks.MAX_EXTENSION} digits.")
    for other in others:
        if other.kind is LocationKind.PEER:
            _refuse_tail(thing.domain, other.domain, f"that of the peer {other.name}")
        elif other.domain == thing.domain:
            _refuse_same_prefix(thing, other)
    if thing.dial_id:
        _refuse_taken_dial_id(connection, thing, others)
    if thing.audio not in ("g726", "mu-law"):
        raise Refused(f"The audio {thing.audio!r} is not known; choose g726 or mu-law.")
    if thing.modify_contacts not in ("never", "name", "always"):
        raise Refused(f"Modifying contacts {thing.modify_contacts!r} is not known; choose never, name or always.")
    thing = replace(
        thing,
        partition=thing.partition or entries.default_id(connection, t.partitions),
        scope=thing.scope or entries.default_id(connection, t.scopes),
    )
    entries.must_exist(connection, t.partitions, thing.partition, "partition")
    entries.must_exist(connection, t.scopes, thing.scope, "search scope")
    if thing.home:
        entries.domain_of_peer(connection, thing.home)
    return thing


def _refuse_same_prefix(thing: Location, other: Location) -> None:
    """The same VPIM system may be entered twice when each has a prefix that tells it apart (UC networking guide)."""
    one, two = thing.remote_prefix, other.remote_prefix
    if not one or not two or one.startswith(two) or two.startswith(one):
        raise Taken(
            f"The domain {thing.domain} belongs to the location {other.name}; to enter that system twice, "
            "give both a --remote-prefix, neither of which begins with the other."
        )


def _refuse_taken_dial_id(connection: Connection, thing: Location, others: list[Location]) -> None:
    if len(thing.dial_id) < 3:
        raise Refused(f"The dial id {thing.dial_id} is too short; give at least 3 digits.")
    for other in others:
        theirs = other.dial_id
        if theirs and (theirs.startswith(thing.dial_id) or thing.dial_id.startswith(theirs)):
            raise Taken(
                f"The dial id {thing.dial_id} and {theirs} of the location {other.name} begin alike; choose another."
            )
    clash = connection.execute(select(t.entries.c.id).where(t.entries.c.extension == thing.dial_id)).scalar()
    if clash is not None:
        whose = owner_words(connection, clash)
        raise Taken(f"The dial id {thing.dial_id} is the extension of {whose}; choose another.")


keeper = NamedKeeper(
    Location,
    "location",
    t.locations,
    "location",
    from_row,
    columns,
    check,
    called=called,
    in_use=[
        (t.users.c.home_id, "user"),
        (t.contacts.c.location_id, "contact"),
        (t.user_templates.c.home_id, "template"),
        (t.locations.c.home_id, "location"),
    ],
)
