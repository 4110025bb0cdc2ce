"""The ledger of the process that keeps it. Refuses to know limits and how other processes ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from unitymail.interfaces.ledger import Count, Full, ILedger, Ticket

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Holding:
    keys: tuple[Key, ...]
    note: str


@implementer(ILedger)
class LocalLedger:
    """Memory grows with what is held, not with what ever was. Reactor thread only."""

    def __init__(self) -> None:
        self._holders: dict[Key, Counter[str]] = {}
        self._totals: Counter[Key] = Counter()
        self._holdings: dict[int, _Holding] = {}
        self._next = 1

    def take(self, counts: Sequence[Count], note: str = "") -> Deferred[Ticket | Full]:
        return succeed(self.take_now(counts, note))

    def take_now(self, counts: Sequence[Count], note: str = "") -> Ticket | Full:
        for count in counts:
            key = (count.kind, count.key)
            if self._totals[key] >= count.most:
                return Full(count, dict(self._holders.get(key, ())))
        keys = tuple((count.kind, count.key) for count in counts)
        for key in keys:
            self._totals[key] += 1
            self._holders.setdefault(key, Counter())[note] += 1
        number, self._next = self._next, self._next + 1
        self._holdings[number] = _Holding(keys, note)
        return Ticket(number)

    def give_back(self, ticket: Ticket) -> None:
        holding = self._holdings.pop(ticket.number, None)
        if holding is None:
            return
        for key in holding.keys:
            holders = self._holders[key]
            holders[holding.note] -= 1
            if not holders[holding.note]:
                del holders[holding.note]
            self._totals[key] -= 1
            if not self._totals[key]:
                del self._totals[key], self._holders[key]

    def held(self, kind: str, key: str = "") -> int:
        """How many are held now."""
        return self._totals[kind, key]
