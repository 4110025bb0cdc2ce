"""Whose turn it is among items that wait for next hops: each hop has a line, lines take turns, the longest due leads.

Knows times and names only, and how to choose among any number of them without looking at them all; refuses to know
what is claimed, gone or urgent: whether an entry still counts is asked of its owner.

Note *Some at a time*. One call looks at `LOOKS` entries and lines at most. With more to pass over it finds nothing, and
the next time is one that has come: whoever asks gives others a turn, and asks again.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container, Iterable, Iterator

from unitymail.spool.times import Times

LOOKS = 300

Entry = tuple[float, str, "Line"]
"""When an item falls due, its trace, and the line that it waits in."""
Counts = Callable[[Entry], bool]


class Line(Times[Entry]):
    """The items that wait for one hop, the longest due first. `turns` is what it belongs to."""

    __slots__ = ("hop", "turns")

    def __init__(self, hop: str, turns: Turns) -> None:
        super().__init__(turns.counts)
        self.hop = hop
        self.turns = turns


class Turns:
    """Lines that are treated alike. A line with something due is in `_due`, in the order of turns; the others have an
    alarm for when their first entry falls due, or before. `_looks` are those left to the call that is under way."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self._lines: dict[str, Line] = {}
        self._due: dict[str, Line] = {}
        self._alarms: list[tuple[float, str]] = []
        self._looks = LOOKS

    def line(self, hop: str) -> Line:
        found = self._lines.get(hop)
        if found is None:
            found = self._lines[hop] = Line(hop, self)
        return found

    def enter(self, entry: Entry) -> None:
        when, _, line = entry
        line.enter(entry)
        if line.hop not in self._due and line.head() is entry:
            heapq.heappush(self._alarms, (when, line.hop))

    def ring(self, now: float) -> bool:
        """Let lines take part whose time has come; whether any does."""
        for _ in range(LOOKS):
            if not self._alarms or self._alarms[0][0] > now:
                break
            _, hop = heapq.heappop(self._alarms)
            if hop in self._lines and hop not in self._due:
                self._due[hop] = self._lines[hop]
        return bool(self._due)

    def take(self, now: float, closed: Container[str]) -> Entry | None:
        """The next item that is due, out of its line; the line goes to the end of the turns. `ring` before."""
        self._looks = LOOKS
        while self._looks > 0 and (line := next(self._open(self._due, closed), None)) is not None:
            self._looks -= 1
            first = self._first(line)
            del self._due[line.hop]
            if first is None or first[0] > now:
                self._rest(line)
                continue
            self._due[line.hop] = line
            if self.counts(first):
                line.pop()
                return first
        return None

    def next_time(self, closed: Container[str]) -> float | None:
        """When the first entry of an open line falls due, or fell; before that, where it takes too long to tell."""
        self._looks = LOOKS
        moments = self._first_times(self._open(self._due, closed))
        next_line = self._next_to_ring()
        if next_line is not None:
            lines = [next_line] if next_line.hop not in closed else self._open(self._lines, closed)
            moments += self._first_times(lines)
        elif self._alarms:
            moments.append(self._alarms[0][0])
        return min(moments, default=None)

    def _first_times(self, lines: Iterable[Line]) -> list[float]:
        return [first[0] for line in lines if (first := self._first(line)) is not None]

    def _next_to_ring(self) -> Line | None:
        """The line with the earliest alarm, once that is the time of its first entry."""
        while self._alarms and self._looks > 0:
            self._looks -= 1
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

    def _first(self, line: Line) -> Entry | None:
        """The first entry that counts; after too many looks one that may not."""
        self._looks -= line.pass_over(self._looks)
        return line.head()

    def _rest(self, line: Line) -> None:
        """Nothing of it is due: it gets an alarm, or goes."""
        if (first := line.head()) is not None:
            heapq.heappush(self._alarms, (first[0], line.hop))
        else:
            self._lines.pop(line.hop)
