"""Relay addresses: what an action that relays needs, and which addresses would loop.

A relay address that is somebody's address here would bring the mail back (UC: it must not equal a proxy address), so
neither may become the other. Refuses to know how users and their addresses are kept otherwise.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

from sqlalchemy import ColumnElement, Connection, or_, select

from unitymail.directory.naming import owner_words
from unitymail.directory.sql import queries
from unitymail.directory.sql import schema as t
from unitymail.interfaces.directory import Refused, Taken
from unitymail.mail.address import key_of, without_tag
from unitymail.people.user import Action, Actions
from unitymail.settings.site import SiteSettings

RELAYING = (Action.RELAY, Action.ACCEPT_AND_RELAY)


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
    owner = queries.owner_of(connection, relay_address) or (queries.owner_of(connection, plain) if plain else None)
    if owner is not None:
        raise Refused(
            f"The relay address {relay_address} belongs to {owner_words(connection, owner)} here, so mail would come "
            "back; choose an address elsewhere."
        )


def refuse_relayed(connection: Connection, keys: Collection[str], besides: str = "") -> None:
    """Raise Taken when somebody's mail is relayed to one of these addresses; `besides` is a user who is not asked."""
    u = t.users.c
    for where in queries.slices_of(keys):
        query = select(u.id, u.relay_address).where(where(u.relay_key), u.id != besides, _relays())
        row = connection.execute(query.order_by(u.relay_key)).first()
        if row is not None:
            raise Taken(
                f"Mail of {owner_words(connection, row.id)} is relayed to {row.relay_address}; as an address here it "
                "would bring that mail back. Change that relay address first, or choose another address."
            )


def who_relays(connection: Connection) -> list[str]:
    """Aliases of the users with an action that relays, sorted."""
    e = t.entries.c
    query = select(e.alias).join(t.users, t.users.c.id == e.id).where(_relays()).order_by(e.alias_key)
    return list(connection.execute(query).scalars())


def _relays() -> ColumnElement[bool]:
    names = [action.value for action in RELAYING]
    return or_(*(t.users.c[f"action_{f.name}"].in_(names) for f in fields(Actions)))
