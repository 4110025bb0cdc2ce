"""A user template: what a new user gets when nothing else is said. Text may hold tokens such as %Alias%."""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.people.user import ACCEPT_ALL, DEFAULT_QUOTA, Actions, Quota


@dataclass(frozen=True, slots=True)
class UserTemplate:
    """`display_name`, `corporate_address`, `relay_address` and `proxies` may hold tokens (see `filled`)."""

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


TOKENS = ("Alias", "FirstName", "LastName", "DisplayName", "Extension")
"""What a template's text may name between percent signs."""


def filled(text: str, values: dict[str, str]) -> str:
    """`text` with each %Token% replaced by its value; what is no token stays as it is."""
    for token in TOKENS:
        text = text.replace(f"%{token}%", values.get(token, ""))
    return text
