"""What the doors of this process count, as plain numbers in dictionaries: a reply costs one look-up and one addition.

Refuses to know who asks for them. Labels are bounded: whatever clients do, a family has so many keys and no more.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable

from zope.interface import implementer

from unitymail.interfaces.metrics import IMetrics
from unitymail.metrics.families import BOUNDS, Key
from unitymail.metrics.snapshot import LENGTH, Snapshot

MOST_KEYS = 2_000
"""Doors, replies, verbs and mechanisms together stay far below; what is beyond that is counted under `OTHER`."""
OTHER = "other"


@implementer(IMetrics)
class Counts:
    """Reactor thread only. `doors` have numbers from the first moment on: rates and alarms want them."""

    def __init__(self, doors: Iterable[str] = ()) -> None:
        self._counters: defaultdict[Key, float] = defaultdict(int)
        self._open: defaultdict[Key, int] = defaultdict(int)
        for door in doors:
            self._counters |= {(family, door): 0 for family in ("connections", "octets-in", "octets-out")}
            self._open["open", door] = 0
        self._times: dict[Key, list[float]] = {}

    def connected(self, door: str) -> None:
        self._add(("connections", door))
        self._open["open", door] += 1

    def disconnected(self, door: str) -> None:
        self._open["open", door] -= 1

    def turned_away(self, door: str, reply: str) -> None:
        self._add(("turned-away", door, reply))

    def replied(self, door: str, reply: str) -> None:
        self._add(("replies", door, reply))

    def signed_in(self, door: str, mechanism: str, outcome: str) -> None:
        self._add(("sign-ins", door, mechanism, outcome))

    def octets_in(self, door: str, count: int) -> None:
        self._add(("octets-in", door), count)

    def octets_out(self, door: str, count: int) -> None:
        self._add(("octets-out", door), count)

    def took(self, door: str, what: str, seconds: float) -> None:
        key = ("took", door, what)
        buckets = self._times.get(key)
        if buckets is None:
            if len(self._times) >= MOST_KEYS:
                key = ("took", OTHER, OTHER)
            buckets = self._times.setdefault(key, [0] * LENGTH)
        buckets[bisect_left(BOUNDS, seconds)] += 1
        buckets[-1] += seconds

    def snapshot(self) -> Snapshot:
        """All of it, as it is now."""
        times = {key: tuple(buckets) for key, buckets in self._times.items()}
        return Snapshot(dict(self._counters), dict(self._open), times)

    def _add(self, key: Key, count: int = 1) -> None:
        counters = self._counters
        if key not in counters and len(counters) >= MOST_KEYS:
            key = (key[0], *(OTHER for _ in key[1:]))
        counters[key] += count
