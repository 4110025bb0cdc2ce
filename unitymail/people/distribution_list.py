"""A system distribution list: one address for many members."""

from __future__ import annotations

from dataclasses import dataclass

UNDELIVERABLE = "undeliverablemessages"
"""Alias of the list that gets what could not be delivered (UC: Undeliverable Messages). Every directory has it."""


@dataclass(frozen=True, slots=True)
class DistributionList:
    """`members` are ids of users, contacts and lists. `address` is alias@domain."""

    id: str
    alias: str
    address: str
    display_name: str = ""
    partition: str = ""
    proxies: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    allow_contacts: bool = False
    accept_foreign: bool = False
