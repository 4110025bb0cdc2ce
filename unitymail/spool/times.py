"""What is due when, the earliest first, where much of it may no longer count. Refuses to know what that means.

Note *Never all at once*. What no longer counts stays until it comes up, or until it is most of all: then the rest moves
into another heap, a few with each that enters. No call takes longer for all that there are.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, Generic, TypeVar

SPARE = 1_000
"""Entries that may be of no use."""
MOVED = 4
"""Entries that are looked at with each that enters, while those that count move."""

E = TypeVar("E", bound=tuple[Any, ...])
"""An entry: its time first, then a name. Whether it counts is asked of this very object."""


class Times(Generic[E]):
    """With `room` entries or more the old ones are looked through for such as no longer count."""

    __slots__ = ("_counts", "_heap", "_leaving", "room")

    def __init__(self, counts: Callable[[E], bool]) -> None:
        self._counts = counts
        self._heap: list[E] = []
        self._leaving: list[E] = []
        self.room = SPARE

    def __len__(self) -> int:
        return len(self._heap) + len(self._leaving)

    def enter(self, entry: E) -> None:
        if self._leaving:
            self._move()
        elif len(self._heap) >= self.room:
            self._leaving, self._heap = self._heap, []
        heapq.heappush(self._heap, entry)

    def _move(self) -> None:
        for _ in range(min(MOVED, len(self._leaving))):
            entry = self._leaving.pop()  # a heap without its last entry is a heap
            if self._counts(entry):
                heapq.heappush(self._heap, entry)
        if not self._leaving:
            self.room = 2 * len(self._heap) + SPARE

    def head(self) -> E | None:
        """The first, whether it counts or not."""
        heap = self._first_heap()
        return heap[0] if heap else None

    def pop(self) -> E:
        """Take the head away."""
        return heapq.heappop(self._first_heap())

    def pass_over(self, most: int) -> int:
        """Take away what no longer counts at the head, at most so much; how much that was."""
        for passed in range(most):
            head = self.head()
            if head is None or self._counts(head):
                return passed
            self.pop()
        return max(most, 0)

    def _first_heap(self) -> list[E]:
        if self._leaving and (not self._heap or self._leaving[0] < self._heap[0]):
            return self._leaving
        return self._heap
