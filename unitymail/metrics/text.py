"""A snapshot in the words of Prometheus: every family with its meaning, by `prometheus_client`. Any thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from unitymail.metrics.families import BOUNDS, FAMILIES, PREFIX, Family
from unitymail.metrics.snapshot import Buckets, Snapshot

_ENDS = [*map(floatToGoString, BOUNDS), "+Inf"]


def as_text(snapshot: Snapshot) -> bytes:
    """The exposition format that every Prometheus reads (version 0.0.4, UTF-8)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Shown(snapshot))
    text: bytes = generate_latest(registry)
    return text


class _Shown(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        numbers = {**self._snapshot.counters, **self._snapshot.gauges}
        for word, family in FAMILIES.items():
            if family.kind == "histogram":
                yield _histogram(family, [(k[1:], v) for k, v in self._snapshot.times.items() if k[0] == word])
            else:
                yield _numbers(family, [(key[1:], value) for key, value in numbers.items() if key[0] == word])


def _numbers(family: Family, samples: Sequence[tuple[tuple[str, ...], float]]) -> Metric:
    """A counter without labels is there from the first moment, so that a rate can be taken of it."""
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    shown = kind(PREFIX + family.name, family.meaning, labels=family.labels)
    for labels, value in sorted(samples):
        shown.add_metric(labels, value)
    if family.kind == "counter" and not family.labels and not samples:
        shown.add_metric((), 0)
    return shown


def _histogram(family: Family, samples: Sequence[tuple[tuple[str, ...], Buckets]]) -> Metric:
    shown = HistogramMetricFamily(PREFIX + family.name, family.meaning, labels=family.labels)
    for labels, (*counts, total) in sorted(samples):
        shown.add_metric(labels, list(zip(_ENDS, accumulate(counts), strict=True)), total)
    return shown
