"""Numbers at one moment, as a value: of one process, or of several added up. Refuses to know what is counted.

It travels between processes as a JSON value. What cannot be read is a ValueError, never half a snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from unitymail.metrics.families import BOUNDS, FAMILIES, MAXIMA, Key

Buckets = tuple[float, ...]
"""How many fell in each bucket of BOUNDS and beyond the last, then the sum of all."""
LENGTH = len(BOUNDS) + 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`counters` only ever grow while their process lives, `gauges` hold for the moment, `times` are histograms."""

    counters: Mapping[Key, float] = field(default_factory=dict)
    gauges: Mapping[Key, float] = field(default_factory=dict)
    times: Mapping[Key, Buckets] = field(default_factory=dict)

    def left_behind(self) -> Snapshot:
        """What remains of a process that ended: what it counted, and what was the most."""
        most = {key: value for key, value in self.gauges.items() if key[0] in MAXIMA}
        return Snapshot(self.counters, most, self.times)

    def without_times(self) -> Snapshot:
        return Snapshot(self.counters, self.gauges)

    def as_json(self) -> dict[str, Any]:
        return {
            "counters": [[*key, value] for key, value in self.counters.items()],
            "gauges": [[*key, value] for key, value in self.gauges.items()],
            "times": [[*key, *buckets] for key, buckets in self.times.items()],
        }


def added(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Those of several processes as one."""
    counters: dict[Key, float] = {}
    gauges: dict[Key, float] = {}
    times: dict[Key, Buckets] = {}
    for each in snapshots:
        for key, value in each.counters.items():
            counters[key] = counters.get(key, 0) + value
        for key, value in each.gauges.items():
            here = gauges.get(key, 0)
            gauges[key] = max(here, value) if key[0] in MAXIMA else here + value
        for key, buckets in each.times.items():
            before = times.get(key)
            times[key] = buckets if before is None else tuple(map(sum, zip(before, buckets, strict=True)))
    return Snapshot(counters, gauges, times)


def from_json(value: Any) -> Snapshot:
    """What `as_json` gave in another process. Raises ValueError for anything else."""
    match value:
        case {"counters": list(counters), "gauges": list(gauges), "times": list(times)}:
            pass
        case _:
            raise ValueError("no snapshot of metrics")
    return Snapshot(
        {key: number for key, (number,) in (_row(row, "counter") for row in counters)},
        {key: number for key, (number,) in (_row(row, "gauge") for row in gauges)},
        dict(_row(row, "histogram") for row in times),
    )


def _row(row: Any, kind: str) -> tuple[Key, tuple[float, ...]]:
    family = FAMILIES.get(row[0]) if isinstance(row, list) and row and isinstance(row[0], str) else None
    if family is None or family.kind != kind:
        raise ValueError("no such metric")
    length = 1 + len(family.labels)
    key, numbers = row[:length], row[length:]
    if len(numbers) != (LENGTH if kind == "histogram" else 1):
        raise ValueError("a metric of another length")
    if not all(isinstance(word, str) for word in key):
        raise ValueError("a label that is no text")
    if not all(type(number) in (int, float) and isfinite(number) for number in numbers):
        raise ValueError("a metric that is no number")
    return tuple(key), tuple(numbers)
