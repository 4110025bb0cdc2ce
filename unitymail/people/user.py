"""A user with a mailbox, here or on a peer node. Passwords and lock counters are not here: they are read through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from unitymail.mail.address import key_of
from unitymail.mail.message import Category
from unitymail.people import capabilities


class Action(Enum):
    """What happens to a message of one category (Unity Connection's message actions 0 to 3)."""

    REJECT = "reject"
    ACCEPT = "accept"
    RELAY = "relay"
    ACCEPT_AND_RELAY = "accept-and-relay"


@dataclass(frozen=True, slots=True)
class Actions:
    voice: Action = Action.ACCEPT
    email: Action = Action.ACCEPT
    fax: Action = Action.ACCEPT
    receipt: Action = Action.ACCEPT

    def of(self, category: Category) -> Action:
        action: Action = getattr(self, category.value)
        return action


ACCEPT_ALL = Actions()


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits in octets; 0 is unlimited. At or above `receive` a mailbox takes no more mail."""

    warning: int = 12 * 1024 * 1024
    send: int = 13 * 1024 * 1024
    receive: int = 14 * 1024 * 1024


DEFAULT_QUOTA = Quota()


@dataclass(frozen=True, slots=True)
class User:
    """`id` is stable for life and names the account on disk; `address` is the primary SMTP address.

    `home` is "" when the mailbox is on this node, else the id of the peer location that holds it.
    `cos`, `partition` and `scope` are ids. `delegates` are ids of users who may send as this one.
    """

    id: str
    alias: str
    address: str
    display_name: str = ""
    first_name: str = ""
    last_name: str = ""
    extension: str = ""
    corporate_address: str = ""
    proxies: tuple[str, ...] = ()
    cos: str = ""
    partition: str = ""
    scope: str = ""
    home: str = ""
    actions: Actions = ACCEPT_ALL
    relay_address: str = ""
    quota: Quota = DEFAULT_QUOTA
    route_ndr: bool = True
    delegates: tuple[str, ...] = ()
    hidden_capabilities: tuple[str, ...] = ()
    """And, behind a `+`, those that are offered to this user alone (see `capabilities`)."""
    age_messages: bool = True
    """False is Unity Connection's "Do Not Age Messages": old mail stays, whatever the site does with that of others."""

    @property
    def offered_capabilities(self) -> tuple[str, ...]:
        """What is off for others."""
        return capabilities.given(self.hidden_capabilities)

    def owns(self, key: str) -> bool:
        """Whether the address key (see `mail.address.key_of`) is a primary or proxy address of this user."""
        return key == key_of(self.address) or any(key == key_of(proxy) for proxy in self.proxies)
