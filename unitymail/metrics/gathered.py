"""The numbers of all processes of the node, living and dead. Refuses to know how they arrive.

Note *Never backwards*. What a process had counted when it was last heard of stays in the sums after its end: Prometheus
takes a counter that falls for a restart of the node. Its gauges go with it: its connections are closed. The most of
something that was ever seen remains the most.
"""

from __future__ import annotations

from typing import Any

from unitymail.metrics.snapshot import Snapshot, added, from_json

_NOTHING = Snapshot()


class Gathered:
    """`heard(process, value)` is what a process said last, None when it ended. A process id that comes again is new."""

    def __init__(self) -> None:
        self._living: dict[int, Snapshot] = {}
        self._dead = Snapshot()

    def heard(self, process: int, value: Any) -> None:
        """Raises ValueError when the value is no snapshot; then the one before it stays."""
        if value is None:
            last = self._living.pop(process, None)
            if last is not None:
                self._dead = added((self._dead, last.left_behind()))
        else:
            self._living[process] = from_json(value)

    def __len__(self) -> int:
        """How many live."""
        return len(self._living)

    def each(self) -> tuple[Snapshot, ...]:
        """What the living said last, and what the dead left, to be `added`: with many processes that takes a while."""
        return self._dead, *self._living.values()

    def of(self, process: int) -> Snapshot:
        """What one said last, nothing when it is none of ours."""
        return self._living.get(process, _NOTHING)
