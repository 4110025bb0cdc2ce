"""Which messages are too old, and what becomes of them then: the rules of the site's aging policy.

Knows the five rules of Unity Connection and its message recording expiration, from when on each of them counts, and
which one has its way where several are due; refuses to know where messages are and how anything is done to them.

*Note: new, saved, deleted.* A new message is one in INBOX without \\Seen, a saved one is in INBOX and has it. Deleted
ones are in the folder with the use \\Trash, or in a folder below it. What a user has filed elsewhere is left alone by
the rules for these three.

*Note: from when on.* `NEW`, `SAVED` and `TOUCHED_SECURE` count from the last change of the message: a reader who
marks it, or moves it, gives it another term. `DELETED` counts from the moment it came to where it is, and from when
that became Deleted Items. `SECURE` and `RECORDING` count from its arrival, whatever was done with it since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import Enum
from typing import Protocol

from unitymail.people.user import User
from unitymail.settings.site import SiteSettings

DAY_S = 86_400
TOUCHED = frozenset({"\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "$Forwarded"})


class Rule(Enum):
    """What becomes of a message. The first one that is due has its way."""

    SECURE = "secure"
    TOUCHED_SECURE = "touched_secure"
    DELETED = "deleted"
    RECORDING = "recording"
    SAVED = "saved"
    NEW = "new"


class Place(Enum):
    INBOX = "inbox"
    DELETED = "deleted"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Term:
    """After how many days; so many before that the user is told, 0 for never."""

    days: int
    alert_days: int = 0

    @property
    def early_s(self) -> int:
        """Seconds until something is to be done, if only the user is told."""
        return max(self.days - self.alert_days, 0) * DAY_S


@dataclass(frozen=True, slots=True)
class Aging:
    """The rules that are in force, None for those that are not."""

    secure: Term | None = None
    touched_secure: Term | None = None
    deleted: Term | None = None
    recording: Term | None = None
    saved: Term | None = None
    new: Term | None = None

    def term(self, rule: Rule) -> Term | None:
        found: Term | None = getattr(self, rule.value)
        return found

    @property
    def terms(self) -> list[Term]:
        return [term for rule in Rule if (term := self.term(rule)) is not None]

    @property
    def shortest_s(self) -> int:
        """Of what happens from now on nobody need be told sooner; 0 when no rule is in force."""
        return min((term.early_s for term in self.terms), default=0)


NOTHING_AGES = Aging()


@dataclass(frozen=True, slots=True)
class Aged:
    """A message as the rules see it. Moments are Unix seconds; `came`: to where it is, as what that is now.

    touched: read, flagged or filed by somebody. secure, recording: False where nobody looked, for no rule asks.
    """

    place: Place
    seen: bool
    touched: bool
    secure: bool
    recording: bool
    changed: float
    came: float
    arrived: float


@dataclass(frozen=True, slots=True)
class Happened:
    """What a rule did in a folder of an account. `traces` are those of our own deliveries among the messages."""

    account: str
    folder: str
    rule: Rule
    messages: int
    traces: tuple[str, ...] = ()
    into: str = ""
    """The folder to which they were moved."""


@dataclass(frozen=True, slots=True)
class Alert:
    """So many messages are about to go by a rule, from `first` on (Unix seconds)."""

    rule: Rule
    messages: int
    first: float


@dataclass(frozen=True, slots=True)
class Warned:
    """What a user is to be told by mail; `at` tells it from other times."""

    account: str
    at: int
    alerts: tuple[Alert, ...]


class Classes(Protocol):
    """As much of the address book as says what ages."""

    @property
    def site(self) -> SiteSettings: ...
    def user(self, id: str) -> User | None: ...


def aging_of_site(site: SiteSettings) -> Aging:
    """The rules for everybody who is not left out."""
    return Aging(**{f.name: _term(site, f.name) for f in fields(Aging)})


def _term(site: SiteSettings, rule: str) -> Term | None:
    if not getattr(site, f"aging_{rule}_enabled"):
        return None
    return Term(getattr(site, f"aging_{rule}_days"), getattr(site, f"aging_{rule}_alert_days"))


def aging_of(account: str, book: Classes) -> Aging:
    """The rules for an account. Of nobody known here, of who is elsewhere, and of who is left out nothing ages."""
    user = book.user(account)
    if user is None or user.home or not user.age_messages:
        return NOTHING_AGES
    return aging_of_site(book.site)


class IAgingRules(Protocol):
    """Whom the store asks, in any thread."""

    @property
    def of_site(self) -> Aging:
        """Of whoever is not left out."""

    def of(self, account: str) -> Aging: ...


class AgingRules:
    """What the book says."""

    def __init__(self, book: Classes) -> None:
        self._book = book

    @property
    def of_site(self) -> Aging:
        return aging_of_site(self._book.site)

    def of(self, account: str) -> Aging:
        return aging_of(account, self._book)


class WithoutRules:
    """Nothing ages."""

    of_site = NOTHING_AGES

    def of(self, account: str) -> Aging:
        return NOTHING_AGES


NO_RULES = WithoutRules()


def due(message: Aged, aging: Aging) -> Iterator[tuple[Rule, float]]:
    """(rule, the moment from which on it is due) for each that concerns this message as it is."""
    for rule in Rule:
        term = aging.term(rule)
        if term is not None and (since := _since(rule, message)) is not None:
            yield rule, since + term.days * DAY_S


def _since(rule: Rule, message: Aged) -> float | None:
    """From when on the rule counts; None when it has nothing to say about this message."""
    match rule:
        case Rule.SECURE:
            return message.arrived if message.secure else None
        case Rule.TOUCHED_SECURE:
            return message.changed if message.secure and message.touched else None
        case Rule.RECORDING:
            return message.arrived if message.recording else None
        case Rule.DELETED:
            return message.came if message.place is Place.DELETED else None
        case Rule.SAVED:
            return message.changed if message.place is Place.INBOX and message.seen else None
        case Rule.NEW:
            return message.changed if message.place is Place.INBOX and not message.seen else None


def verdict(message: Aged, aging: Aging, now: float) -> Rule | None:
    """What is to be done now, if anything."""
    return next((rule for rule, moment in due(message, aging) if moment <= now), None)


def alerts(message: Aged, aging: Aging, now: float) -> Iterator[tuple[Rule, float]]:
    """(rule, when it is due) of what the user is to be told of by now, and that has not happened yet."""
    for rule, moment in due(message, aging):
        term = aging.term(rule)
        if term is not None and term.alert_days and moment - term.alert_days * DAY_S <= now < moment:
            yield rule, moment
