"""Events that wait to be written: gathered by message, bounded, and counted when there is no room. Refuses to know SQL.
"""

from __future__ import annotations

from typing import Any

MOST = 100_000
"""Events that may wait. A node that takes 1,000 messages a second fills this in half a minute, in about 50 MB."""

Noted = tuple[float, str, dict[str, Any]]
Batch = dict[str, list[Noted]]
"""By trace: (time, event, facts), in the order noted."""


class Pending:
    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._waiting: Batch = {}
        self._count = 0
        self.dropped = 0

    def __len__(self) -> int:
        return self._count

    def add(self, trace: str, time: float, event: str, facts: dict[str, Any]) -> None:
        """Keep it, or count it as dropped."""
        if self._count >= self._most:
            self.dropped += 1
            return
        self._count += 1
        events = self._waiting.get(trace)
        if events is None:
            self._waiting[trace] = [(time, event, facts)]
        else:
            events.append((time, event, facts))

    def take(self) -> Batch:
        """All that waits. It still counts, until `written` or `put_back` says what became of it."""
        batch, self._waiting = self._waiting, {}
        return batch

    def written(self, batch: Batch) -> None:
        """The batch is kept elsewhere now."""
        self._count -= sum(map(len, batch.values()))

    def put_back(self, batch: Batch) -> None:
        """The batch could not be written: it comes first again."""
        later, self._waiting = self._waiting, batch
        for trace, events in later.items():
            self._waiting.setdefault(trace, []).extend(events)

    def take_dropped(self) -> int:
        """How many were dropped since the last call."""
        dropped, self.dropped = self.dropped, 0
        return dropped
