"""A user template: what a new user gets when nothing else is said. Text may hold tokens such as %Alias%."""

from __future__ import annotations

import re
from dataclasses import dataclass

from unitymail.people.user import ACCEPT_ALL, DEFAULT_QUOTA, Actions, Quota


@dataclass(frozen=True, slots=True)
class UserTemplate:
    """Names, `corporate_address`, `relay_address` and `proxies` may hold tokens (see `filled`).

    `cos`, `partition`, `scope` and `home` are ids, "" for the default; `delegates` are ids of users.
    """

    id: str
    name: str
    display_name: str = ""
    corporate_address: str = ""
    cos: str = ""
    partition: str = ""
    scope: str = ""
    actions: Actions = ACCEPT_ALL
    relay_address: str = ""
    quota: Quota = DEFAULT_QUOTA
    route_ndr: bool = True
    hidden_capabilities: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    first_name: str = ""
    last_name: str = ""
    home: str = ""
    delegates: tuple[str, ...] = ()
    age_messages: bool = True


TOKENS = ("Alias", "FirstName", "LastName", "DisplayName", "Extension")
"""What a template's text may name between percent signs."""
_TOKEN = re.compile(r"%([A-Za-z][A-Za-z0-9]*)%")


def tokens_in(text: str) -> tuple[str, ...]:
    """What stands between percent signs, known or not: `Alias` of `%Alias%@example.com`."""
    return tuple(_TOKEN.findall(text))


def filled(text: str, values: dict[str, str]) -> str:
    """`text` with each %Token% replaced by its value, once; what is no token stays as it is."""
    return _TOKEN.sub(lambda found: values.get(found[1], "") if found[1] in TOKENS else found[0], text)
