"""Whose turn it is among items that wait for next hops: each hop has a line, lines take turns, the longest due leads.

Knows times and names only, and how to choose among any number of them without looking at them all; refuses to know
what is claimed, gone or urgent: whether an entry still counts is asked of its owner.

Note *Entries that no longer count* stay in their heap until they come up, and are passed over then, or until they are
most of it. An item that changes its time or line is simply entered again.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container, Iterator

SPARE = 1_000
"""Entries of a line that may be of no use."""


class Line:
    """The items that wait for one hop, the longest due first. `turns` is what it belongs to.

    With `room` entries it is looked through for such as no longer count.
    """

    __slots__ = ("hop", "room", "times", "turns")

    def __init__(self, hop: str, turns: Turns) -> None:
        self.hop = hop
        self.turns = turns
        self.times: list[tuple[float, str]] = []
        self.room = SPARE


Counts = Callable[[Line, float, str], bool]
"""Whether an entry (its line, time and trace) still counts."""


class Turns:
    """Lines that are treated alike. A line with something due is in `_due`, in the order of turns; the others have an
    alarm for when their first entry falls due."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._lines: dict[str, Line] = {}
        self._due: dict[str, Line] = {}
        self._alarms: list[tuple[float, str]] = []

    def line(self, hop: str) -> Line:
        found = self._lines.get(hop)
        if found is None:
            found = self._lines[hop] = Line(hop, self)
        return found

    def enter(self, line: Line, when: float, trace: str) -> None:
        if len(line.times) >= line.room:
            self._clear(line)
        heapq.heappush(line.times, (when, trace))
        if line.times[0] == (when, trace) and line.hop not in self._due:
            heapq.heappush(self._alarms, (when, line.hop))

    def _clear(self, line: Line) -> None:
        line.times = [entry for entry in set(line.times) if self._counts(line, *entry)]
        heapq.heapify(line.times)
        line.room = 2 * len(line.times) + SPARE

    def ring(self, now: float) -> bool:
        """Let lines take part whose time has come; whether any does."""
        while self._alarms and self._alarms[0][0] <= now:
            _, hop = heapq.heappop(self._alarms)
            if hop in self._lines and hop not in self._due:
                self._due[hop] = self._lines[hop]
        return bool(self._due)

    def take(self, now: float, closed: Container[str]) -> tuple[Line, str] | None:
        """The next item that is due, out of its line; the line goes to the end of the turns. `ring` before."""
        while (line := next(self._open(self._due, closed), None)) is not None:
            del self._due[line.hop]
            first = self._first(line)
            if first is not None and first[0] <= now:
                heapq.heappop(line.times)
                self._due[line.hop] = line
                return line, first[1]
            self._rest(line)
        return None

    def next_time(self, closed: Container[str]) -> float | None:
        """When the first entry of an open line falls due, or fell."""
        lines = list(self._open(self._due, closed))
        if (next_line := self._next_to_ring()) is not None:
            lines += [next_line] if next_line.hop not in closed else self._open(self._lines, closed)
        return min((first[0] for line in lines if (first := self._first(line)) is not None), default=None)

    def _next_to_ring(self) -> Line | None:
        """The line with the earliest alarm, once that is the time of its first entry."""
        while self._alarms:
            when, hop = self._alarms[0]
            line = self._lines.get(hop)
            first = self._first(line) if line is not None and hop not in self._due else None
            if line is not None and first is not None and first[0] <= when:
                return line
            heapq.heappop(self._alarms)
            if line is not None and hop not in self._due:
                self._rest(line)
        return None

    @staticmethod
    def _open(lines: dict[str, Line], closed: Container[str]) -> Iterator[Line]:
        return (line for hop, line in lines.items() if hop not in closed)

    def _first(self, line: Line) -> tuple[float, str] | None:
        """The first entry that counts."""
        times = line.times
        while times and not self._counts(line, *times[0]):
            heapq.heappop(times)
        return times[0] if times else None

    def _rest(self, line: Line) -> None:
        """Nothing of it is due: it gets an alarm, or goes."""
        if (first := self._first(line)) is not None:
            heapq.heappush(self._alarms, (first[0], line.hop))
        else:
            self._lines.pop(line.hop)
