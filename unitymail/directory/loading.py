"""From SQL to a picture: in full at the start, and by the change log after. Refuses to know who uses the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from unitymail.directory import changes, picture
from unitymail.directory.keepers import keepers
from unitymail.directory.layers import Layers
from unitymail.directory.picture import Picture
from unitymail.directory.site import rule_of, site_of
from unitymail.directory.sql import queries
from unitymail.directory.sql import schema as t
from unitymail.interfaces.book import Entry
from unitymail.people.access import AccessRule
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.location import Location, LocationKind
from unitymail.people.scope import Partition, SearchScope
from unitymail.policy.access import AccessList

BOOK_KINDS = ("user", "contact", "list")
RELOAD_ABOVE = 20_000
"""Changes at once beyond which reading everything is quicker than reading the changed ones by id."""
RULE_KINDS = ("site", "access", "cos", "partition", "scope", "location")


def load(connection: Connection, between_slices: Callable[[], None] | None = None) -> Picture:
    """The whole directory, read in slices."""
    by_id: dict[str, Entry] = {}
    by_key: dict[str, Entry] = {}
    by_number: dict[str, Entry] = {}
    shared = queries.Shared()
    usn = changes.newest(connection)
    for where in queries.all_slices(connection):
        for entry in queries.entries(connection, where, shared):
            by_id[entry.id] = entry
            for key in picture.address_keys(entry):
                by_key[key] = entry
            for key in picture.number_keys(entry):
                by_number[key] = entry
        if between_slices is not None:
            between_slices()
    domain, node_id = connection.execute(select(t.identity.c.domain, t.identity.c.node_id)).one()
    return Picture(
        usn=usn,
        domain=domain,
        node_id=node_id,
        by_id=Layers(by_id),
        by_key=Layers(by_key),
        by_number=Layers(by_number),
        **_rules(connection),
    )


def refreshed(connection: Connection, old: Picture) -> Picture:
    """`old` with what changed since; `old` itself when nothing did. Read in full again when the log does not tell."""
    newest = changes.newest(connection)
    if newest == old.usn:
        return old
    if _in_doubt(connection, old, newest) or newest - old.usn > RELOAD_ABOVE:
        return replace(load(connection), passwords=_passwords(connection, old))
    touched = changes.touched(connection, old.usn)
    ids = set().union(*(touched.get(kind, ()) for kind in BOOK_KINDS))
    new = replace(old, usn=newest)
    if ids:
        shared = queries.Shared()
        found = [e for where in queries.slices_of(ids) for e in queries.entries(connection, where, shared)]
        new = picture.with_entries(new, ids, found)
    if any(kind in touched for kind in RULE_KINDS):
        new = replace(new, **_rules(connection))
    if "credential" in touched:
        new = replace(new, passwords=_passwords(connection, old))
    return new


def _passwords(connection: Connection, old: Picture) -> dict[str, int]:
    return {**old.passwords, **changes.passwords(connection, old.usn)}


def _in_doubt(connection: Connection, old: Picture, newest: int) -> bool:
    """A log that was cut, and a directory put back from a backup or changed for another one."""
    node_id = connection.execute(select(t.identity.c.node_id)).scalar_one()
    return newest < old.usn or changes.oldest(connection) > old.usn + 1 or node_id != old.node_id


def _rules(connection: Connection) -> dict[str, Any]:
    """What is small and read as a whole."""
    locations = _all(connection, Location)
    return {
        "site": site_of(connection),
        "authentication": rule_of(connection),
        "access": AccessList(_all(connection, AccessRule)),
        "classes": {one.id: one for one in _all(connection, ClassOfService)},
        "partitions": tuple(one.id for one in _all(connection, Partition)),
        "scopes": {one.id: one for one in _all(connection, SearchScope)},
        "locations": {one.id: one for one in locations},
        "vpim_by_domain": _vpim_by_domain(locations),
        "peer_by_key": {one.fingerprint: one for one in reversed(locations) if one.kind is LocationKind.PEER},
    }


def _vpim_by_domain(locations: Sequence[Location]) -> dict[str, tuple[Location, ...]]:
    """One system may be entered twice, with prefixes that tell the two apart."""
    found: dict[str, tuple[Location, ...]] = {}
    for one in locations:
        if one.kind is LocationKind.VPIM:
            domain = one.domain.lower()
            found[domain] = (*found.get(domain, ()), one)
    return found


def _all(connection: Connection, kind: type[Any]) -> list[Any]:
    found: list[Any] = keepers()[kind].all(connection)
    return found
