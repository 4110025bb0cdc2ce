"""Counting what is held at once, by all processes of the node: connections, and those of one address or one user.

A limit is the caller's; the ledger only makes sure that two who ask at the same moment do not both get the last place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field

from zope.interface import Interface

# mypy: disable-error-code="misc,empty-body"


@dataclass(frozen=True, slots=True)
class Count:
    """Something that is counted: all `kind`, or those of one `key`. At most `most` may be held at once."""

    kind: str
    key: str
    most: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """A place in each of the counts that were asked for. `number` is the ledger's."""

    number: int


@dataclass(frozen=True, slots=True)
class Full:
    """Nothing was taken. `count` is the one that is full; `notes` says how many hold it, by what they noted."""

    count: Count
    notes: dict[str, int] = field(default_factory=dict)


class ILedger(Interface):
    def take(counts: Sequence[Count], note: str = "") -> Awaitable[Ticket | Full]:
        """A place in all of the counts, or in none. `note` says who holds it, for the words of a refusal.

        Gives a Deferred, which has its result at once in the process that keeps the ledger. Raises `TryAgain` when
        the ledger cannot be asked.
        """

    def give_back(ticket: Ticket) -> None:
        """Free the places of a ticket; once."""
