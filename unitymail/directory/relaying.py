"""Relay addresses: what an action that relays needs, and which addresses would loop.

A relay address that is somebody's address here would bring the mail back (UC: it must not equal a proxy address), so
neither may become the other. Refuses to know how users and their addresses are kept otherwise.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

from sqlalchemy import Connection, bindparam, or_, select

from unitymail.directory.naming import owner_words
from unitymail.directory.sql import queries
from unitymail.directory.sql import schema as t
from unitymail.interfaces.directory import Refused, Taken
from unitymail.mail.address import key_of, without_tag
from unitymail.people.user import Action, Actions
from unitymail.routing.resolve import POSTMASTER
from unitymail.settings.site import SiteSettings

RELAYING = (Action.RELAY, Action.ACCEPT_AND_RELAY)
_RELAYS = or_(*(t.users.c[f"action_{f.name}"].in_([a.value for a in RELAYING]) for f in fields(Actions)))
_RELAYED_TO = (
    select(t.users.c.id, t.users.c.relay_address)
    .where(t.users.c.relay_key.in_(bindparam("keys", expanding=True)), t.users.c.id != bindparam("besides"), _RELAYS)
    .order_by(t.users.c.relay_key)
    .limit(1)
)


def relayed(actions: Actions) -> list[str]:
    """The categories of messages that leave."""
    return [f.name for f in fields(actions) if getattr(actions, f.name) in RELAYING]


def refuse_unready(actions: Actions, relay_address: str, site: SiteSettings, example: str) -> None:
    """Relaying needs a relay address (such as `example`) and a smart host."""
    categories = relayed(actions)
    if categories and not relay_address:
        raise Refused(
            f"Relaying {categories[0]} messages needs a relay address; "
            f"give one with --relay-address, such as {example}."
        )
    if categories and not site.smart_host_host:
        raise Refused(
            f"Relaying {categories[0]} messages needs a smart host, and none is set; "
            "set one first with `unitymail site set smart_host.host=NAME`."
        )


def refuse_loop(connection: Connection, own: Collection[str], relay_address: str, site: SiteSettings) -> None:
    """A relay address that reaches somebody here, with a tag or without, would loop. `own` are the user's own keys."""
    key = key_of(relay_address)
    plain = key_of(without_tag(relay_address) or "") if site.subaddressing else ""
    if key in own or plain in own:
        raise Refused(
            f"The relay address {relay_address} is an address of the same user here, so relayed mail would come back; "
            "choose one elsewhere."
        )
    if key == key_of(f"{POSTMASTER}@{connection.execute(select(t.identity.c.domain)).scalar_one()}"):
        raise Refused(
            f"The relay address {relay_address} is that of the postmaster here, so mail would come back; "
            "choose an address elsewhere."
        )
    owner = queries.owner_of(connection, relay_address) or (queries.owner_of(connection, plain) if plain else None)
    if owner is not None:
        raise Refused(
            f"The relay address {relay_address} belongs to {owner_words(connection, owner)} here, so mail would come "
            "back; choose an address elsewhere."
        )


def refuse_relayed(connection: Connection, keys: Collection[str], besides: str = "") -> None:
    """Raise Taken when somebody's mail is relayed to one of these addresses; `besides` is a user who is not asked."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), queries.IDS_PER_QUERY):
        asked = {"keys": ordered[start : start + queries.IDS_PER_QUERY], "besides": besides}
        row = connection.execute(_RELAYED_TO, asked).first()
        if row is not None:
            raise Taken(
                f"Mail of {owner_words(connection, row.id)} is relayed to {row.relay_address}; as an address here it "
                "would bring that mail back. Change that relay address first, or choose another address."
            )


def who_relays(connection: Connection) -> list[str]:
    """Aliases of the users with an action that relays, sorted."""
    e = t.entries.c
    query = select(e.alias).join(t.users, t.users.c.id == e.id).where(_RELAYS).order_by(e.alias_key)
    return list(connection.execute(query).scalars())
