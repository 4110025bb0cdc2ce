"""Which items wait, in memory: trace, time and urgency, nothing more. Refuses to know what is in them.

Two heaps hold who is due and who is later, with stale entries that are passed over; about 300 octets an item.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable

from unitymail.spool.places import parent_of

PARENT_FIRST_S = 1.0


class Index:
    """Any thread. An item that is claimed is not offered; a derived one not while its parent is due or claimed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[float, bool]] = {}
        self._claimed: set[str] = set()
        self._later: list[tuple[float, str]] = []
        self._due: tuple[list[tuple[float, str]], list[tuple[float, str]]] = ([], [])

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, trace: str) -> bool:
        return trace in self._entries

    def traces(self) -> set[str]:
        with self._lock:
            return set(self._entries)

    def load(self, entries: Iterable[tuple[str, float, bool]]) -> None:
        """Many at once: (trace, when, urgent)."""
        with self._lock:
            for trace, when, urgent in entries:
                self._entries[trace] = (when, urgent)
                self._later.append((when, trace))
            heapq.heapify(self._later)

    def put(self, trace: str, when: float, urgent: bool) -> None:
        with self._lock:
            self._entries[trace] = (when, urgent)
            self._claimed.discard(trace)
            heapq.heappush(self._later, (when, trace))

    def again(self, trace: str, when: float) -> None:
        """An item that was claimed is to be looked at again."""
        self.put(trace, when, self._entries.get(trace, (0.0, False))[1])

    def claim(self, trace: str) -> None:
        with self._lock:
            self._claimed.add(trace)

    def drop(self, trace: str) -> None:
        with self._lock:
            self._entries.pop(trace, None)
            self._claimed.discard(trace)

    def is_claimed(self, trace: str) -> bool:
        return trace in self._claimed

    def due(self, now: float) -> str | None:
        """The most pressing item, handed out once: it counts as claimed until it is put again or dropped."""
        with self._lock:
            while self._later and self._later[0][0] <= now:
                when, trace = heapq.heappop(self._later)
                if (entry := self._current(when, trace)) is not None:
                    heapq.heappush(self._due[0 if entry[1] else 1], (when, trace))
            for heap in self._due:
                while heap:
                    when, trace = heap[0]
                    if self._current(when, trace) is None:
                        heapq.heappop(heap)
                    elif self._waits_for_parent(trace, now):
                        heapq.heappop(heap)
                        self._entries[trace] = (now + PARENT_FIRST_S, self._entries[trace][1])
                        heapq.heappush(self._later, (now + PARENT_FIRST_S, trace))
                    else:
                        heapq.heappop(heap)
                        self._claimed.add(trace)
                        return trace
            return None

    def next_time(self) -> float | None:
        """When the next unclaimed item falls due (or fell)."""
        with self._lock:
            times = []
            for heap in (self._later, *self._due):
                while heap and self._current(*heap[0]) is None:
                    heapq.heappop(heap)
                if heap:
                    times.append(heap[0][0])
            return min(times, default=None)

    def _current(self, when: float, trace: str) -> tuple[float, bool] | None:
        entry = self._entries.get(trace)
        return entry if entry is not None and entry[0] == when and trace not in self._claimed else None

    def _waits_for_parent(self, trace: str, now: float) -> bool:
        parent = parent_of(trace)
        if not parent or parent not in self._entries:
            return False
        return parent in self._claimed or self._entries[parent][0] <= now
