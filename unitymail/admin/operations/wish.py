"""What is asked for a user, with every field optional, and how it is read from the text of options."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from unitymail.interfaces.directory import Refused
from unitymail.people.user import Action, Actions, Quota

_SIZE = re.compile(r"([0-9]+)([kmgt]?)(?:i?b)?\Z", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


@dataclass(frozen=True, slots=True)
class UserWish:
    """None is: not said. Names, not ids; an empty name takes the default, or none."""

    alias: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    display_name: str | None = None
    extension: str | None = None
    proxies: tuple[str, ...] | None = None
    cos: str | None = None
    partition: str | None = None
    scope: str | None = None
    home: str | None = None
    corporate_address: str | None = None
    template: str | None = None
    route_ndr: bool | None = None
    delegates: tuple[str, ...] | None = None
    hidden_capabilities: tuple[str, ...] | None = None
    actions: dict[str, Action] | None = None
    relay_address: str | None = None
    quota: dict[str, int] | None = None


PLAIN = ("first_name", "last_name", "display_name", "extension", "corporate_address", "route_ndr", "relay_address")
"""Fields that go into the user as they are."""


def read_actions(texts: Iterable[str]) -> dict[str, Action]:
    """`voice=accept`, `fax=reject` … ; raises Refused."""
    found = {}
    for text in texts:
        category, _, action = text.partition("=")
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


def changed_actions(actions: Actions, wish: UserWish) -> Actions:
    return replace(actions, **wish.actions) if wish.actions else actions


def changed_quota(quota: Quota, wish: UserWish) -> Quota:
    return replace(quota, **wish.quota) if wish.quota else quota
