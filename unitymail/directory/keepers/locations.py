"""Locations: peers of this site and VPIM systems, with the rules that keep their domains and numbers apart."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, Row, select

from unitymail.directory import checks, entries
from unitymail.directory.named import NamedKeeper, plain_columns
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import Refused, Taken
from unitymail.people.location import Location, LocationKind

_FINGERPRINT = re.compile(r"[0-9a-f]{64}\Z")
_DIGITS = re.compile(r"[0-9]*\Z")
_PLAIN = [f.name for f in fields(Location) if f.name not in ("id", "kind", "name", "partition", "scope", "home")]


class Locations(NamedKeeper[Location]):
    def from_row(self, connection: Connection, row: Row[Any]) -> Location:
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

    def columns(self, thing: Location) -> dict[str, Any]:
        return {
            "partition_id": thing.partition or None,
            "scope_id": thing.scope or None,
            "home_id": thing.home or None,
            **plain_columns(thing, "partition", "scope", "home"),
        }

    def check(self, transaction: Transaction, thing: Location) -> Location:
        thing = replace(
            thing,
            domain=checks.host("domain", thing.domain),
            host=checks.host("host", thing.host) if thing.host else "",
            fingerprint=thing.fingerprint.replace(":", "").lower(),
        )
        for port in (thing.port, thing.web_port):
            if not 0 <= port <= 65_535:
                raise Refused(f"The port {port} is out of range; give one from 1 to 65535.")
        _refuse_taken_domain(transaction.connection, thing)
        return _peer(thing) if thing.kind is LocationKind.PEER else _vpim(transaction, thing)


def _refuse_taken_domain(connection: Connection, thing: Location) -> None:
    lc = t.locations.c
    for _, name, domain, remote_prefix in connection.execute(
        select(lc.id, lc.name, lc.domain, lc.remote_prefix).where(lc.kind == thing.kind.value, lc.id != thing.id)
    ):
        same = domain.lower() == thing.domain.lower()
        # The same VPIM system may be entered twice when both have their own non-empty prefix (UC networking guide).
        if same and (not thing.remote_prefix or not remote_prefix or thing.remote_prefix == remote_prefix):
            raise Taken(f"The domain {thing.domain} belongs to the location {name}; give each its own.")


def _peer(thing: Location) -> Location:
    if not _FINGERPRINT.match(thing.fingerprint):
        raise Refused(
            "The fingerprint of a peer is the SHA-256 of its public key in 64 hexadecimal digits; "
            "`unitymail peer key` prints it there."
        )
    if not thing.host:
        raise Refused("A peer needs the host name or address to reach it at; give one with --host.")
    return thing


def _vpim(transaction: Transaction, thing: Location) -> Location:
    connection, ours = transaction.connection, transaction.identity.domain.lower()
    # UC's domain must not be a tail of the peer's, not even in the middle of a label.
    if thing.domain.lower().endswith(ours):
        raise Refused(f"The domain {thing.domain} ends with ours, {ours}; a VPIM system needs a domain of its own.")
    for what, digits in (
        ("dial id", thing.dial_id),
        ("remote prefix", thing.remote_prefix),
        ("local prefix", thing.local_prefix),
    ):
        if len(digits) > checks.MAX_EXTENSION or not _DIGITS.match(digits):
            raise Refused(f"The {what} {digits!r} is not a number of at most {checks.MAX_EXTENSION} digits.")
    if thing.dial_id:
        _refuse_taken_dial_id(connection, thing)
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
        entries.must_exist(connection, t.locations, thing.home, "peer to be the home server")
    return thing


def _refuse_taken_dial_id(connection: Connection, thing: Location) -> None:
    if len(thing.dial_id) < 3:
        raise Refused(f"The dial id {thing.dial_id} is too short; give at least 3 digits.")
    lc = t.locations.c
    query = select(lc.name, lc.dial_id).where(lc.dial_id != "", lc.id != thing.id)
    for name, other in connection.execute(query):
        if other.startswith(thing.dial_id) or thing.dial_id.startswith(other):
            raise Taken(f"The dial id {thing.dial_id} and {other} of the location {name} begin alike; choose another.")
    clash = connection.execute(select(t.entries.c.alias).where(t.entries.c.extension == thing.dial_id)).scalar()
    if clash is not None:
        raise Taken(f"The dial id {thing.dial_id} is the extension of {clash}; choose another.")


keeper = Locations(
    Location,
    "location",
    t.locations,
    "location",
    [(t.users.c.home_id, "user"), (t.contacts.c.location_id, "contact"), (t.locations.c.home_id, "location")],
)
