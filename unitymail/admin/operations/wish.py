"""What is asked for a user or a template, with every field optional, and how it is read from the text of options.

A field has the name of the option that sets it. Note *Not said*: None is what was not said; empty text clears.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from unitymail.admin.operations.names import id_of, peer_id, user_ids
from unitymail.interfaces.directory import IDirectoryView, Refused
from unitymail.people import capabilities
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.scope import Partition, SearchScope
from unitymail.people.user import Action, Actions, Quota

_SIZE = re.compile(r"([0-9]+)([kmgt]?)(?:i?b)?\Z", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


@dataclass(frozen=True, slots=True)
class UserWish:
    """Names, not ids; an empty name takes the default, or none. `action` and `quota` as the options are written."""

    alias: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    display_name: str | None = None
    extension: str | None = None
    proxy: tuple[str, ...] | None = None
    cos: str | None = None
    partition: str | None = None
    scope: str | None = None
    home: str | None = None
    corporate_address: str | None = None
    template: str | None = None
    route_ndr: bool | None = None
    delegate: tuple[str, ...] | None = None
    hide_capability: tuple[str, ...] | None = None
    offer_capability: tuple[str, ...] | None = None
    action: tuple[str, ...] | None = None
    relay_address: str | None = None
    quota: str | None = None
    age_messages: bool | None = None
    spoken_name: bytes | None = None


PLAIN = (
    "first_name", "last_name", "display_name", "corporate_address", "route_ndr", "relay_address", "age_messages",
)  # fmt: skip
"""Fields that go into a user or a template as they are."""


def said(wish: Any, *names: str) -> dict[str, Any]:
    """What the wish says of these fields (all, when none is named)."""
    names = names or tuple(f.name for f in fields(wish))
    return {name: value for name in names if (value := getattr(wish, name)) is not None}


def profile(view: IDirectoryView, thing: Any, wish: UserWish) -> Any:
    """`thing` (a user or a template) with what the wish says of the fields that both have, proxy addresses apart."""
    values = said(wish, *PLAIN)
    values |= references(view, wish, cos=ClassOfService, partition=Partition, scope=SearchScope)
    if wish.home is not None:
        values["home"] = peer_id(view, wish.home)
    if wish.delegate is not None:
        values["delegates"] = user_ids(view, wish.delegate)
    if wish.hide_capability is not None or wish.offer_capability is not None:
        values["hidden_capabilities"] = _capability_rules(thing.hidden_capabilities, wish)
    if wish.action is not None:
        values["actions"] = replace(thing.actions, **read_actions(wish.action))
    if wish.quota is not None:
        values["quota"] = replace(thing.quota, **read_quota(wish.quota))
    return replace(thing, **values)


def _capability_rules(rules: tuple[str, ...], wish: UserWish) -> tuple[str, ...]:
    hide = capabilities.hidden(rules) if wish.hide_capability is None else wish.hide_capability
    give = capabilities.given(rules) if wish.offer_capability is None else wish.offer_capability
    if marked := next((word for word in (*hide, *give) if word.strip().startswith(capabilities.GIVEN)), ""):
        raise Refused(f"{marked!r} is no capability; name one as the server shows it, to hide it or to offer it.")
    return capabilities.rules_of(hide, give)


def references(view: IDirectoryView, wish: Any, **kinds: type[Any]) -> dict[str, str]:
    """Field → id of what the wish names there; each field refers to one kind."""
    return {name: id_of(view, kinds[name], text) for name, text in said(wish, *kinds).items()}


def read_actions(texts: Iterable[str]) -> dict[str, Action]:
    """`voice=accept`, `fax=reject` … ; raises Refused."""
    found = {}
    for text in texts:
        category, _, action = (part.strip() for part in text.partition("="))
        if category not in {f.name for f in fields(Actions)} or action not in {a.value for a in Action}:
            raise Refused(
                f"The action {text!r} is not understood; write voice, email, fax or receipt, =, "
                "and accept, reject, relay or accept-and-relay."
            )
        found[category] = Action(action)
    return found


def read_quota(text: str) -> dict[str, int]:
    """`warning=12M,send=13M,receive=14M`, any of them; octets, or with K, M, G of 1,024; 0 is unlimited."""
    found = {}
    for part in text.split(","):
        limit, _, size = part.strip().partition("=")
        matched = _SIZE.match(size.strip())
        if limit not in {f.name for f in fields(Quota)} or matched is None:
            raise Refused(f"The quota {part.strip()!r} is not understood; write warning=12M,send=13M,receive=14M.")
        found[limit] = int(matched[1]) * _UNITS[matched[2].lower()]
    return found
