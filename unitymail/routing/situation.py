"""What every decision about one message has in common, and what a decision about one recipient comes to.

Knows no rule; it is what plan hands to the message actions.
"""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.interfaces.book import IBook
from unitymail.interfaces.quota import IUsage
from unitymail.mail.message import Category, Message
from unitymail.people.scope import SearchScope
from unitymail.routing.decision import Origin, RecipientKind, SenderFinding
from unitymail.routing.steps import Step
from unitymail.settings.site import SiteSettings


@dataclass(frozen=True, slots=True)
class Situation:
    """One message on its way to its recipients. `scope` is whom the sender may reach, None for everybody."""

    message: Message
    origin: Origin
    sender: SenderFinding
    secure: bool
    book: IBook
    usage: IUsage
    site: SiteSettings
    scope: SearchScope | None = None

    @property
    def own_report(self) -> bool:
        """A report of this node: it goes back to where the message came from, whoever that was."""
        return self.origin.door == "internal" and self.message.category is Category.RECEIPT


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a recipient does not get the message: an enhanced status code and one sentence for a person."""

    status: str
    cause: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What a message comes to at one place: steps, the reason as half a sentence, and a failure beside or instead."""

    steps: tuple[Step, ...]
    reason: str
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """One place a message is for. `key` is equal for two ways to the same place; a report names it by `address`."""

    kind: RecipientKind
    key: str
    address: str
    planned: Planned
