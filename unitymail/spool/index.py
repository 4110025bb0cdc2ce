"""Which items wait, in memory: trace, time, urgency and the next hop each waits for. Knows nothing else of them.

Note *Fair*. Three levels: urgent, normal, low. A higher one goes first, yet a lower one that has something due gets
at least every `SHARE`th slot. Within a level the next hops take turns (`turns`), so that 50,000 items for a slow hop
hold up nobody else's; items whose hop is not known yet are one line among the others.

About 350 octets an item; every question costs O(log n) of the items, at most one look at each closed hop, and a bounded
number of looks at what no longer counts.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Iterable
from itertools import islice

from unitymail.spool.places import parent_of
from unitymail.spool.times import Times
from unitymail.spool.turns import LOOKS, Entry, Line, Turns

URGENT, NORMAL, LOW = range(3)
SHARE = 10
PARENT_FIRST_S = 1.0
AT_ONCE = 50
"""Items that one question enters anew."""
_SLICE = 1_000


def level_of(priority: int) -> int:
    return URGENT if priority > 0 else LOW if priority < 0 else NORMAL


class Index:
    """Any thread. An item that is claimed is not offered; a derived one not while its parent is due or claimed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._levels = tuple(Turns(self._counts) for _ in (URGENT, NORMAL, LOW))
        self._entries: dict[str, Entry] = {}
        self._claimed: set[str] = set()
        self._passed_over = [0, 0, 0]
        self._limits: dict[str, tuple[float, str]] = {}
        self._limit_times = Times(self._is_limit)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, trace: str) -> bool:
        return trace in self._entries

    def traces(self) -> set[str]:
        with self._lock:
            return set(self._entries)

    def load(self, entries: Iterable[tuple[str, float, int]]) -> None:
        """Many at once: (trace, when, level). Nobody waits for all of them."""
        rest = iter(entries)
        while some := list(islice(rest, _SLICE)):
            with self._lock:
                for trace, when, level in some:
                    self._enter(trace, when, self._levels[level].line(""))

    def put(self, trace: str, when: float, level: int, hop: str = "", at_latest: float = 0.0) -> None:
        """An item, new or changed; who has claimed it puts it back with `again`, and knows better.

        It falls due `at_latest` even if its hop is closed (0: never).
        """
        with self._lock:
            if trace not in self._claimed:
                self._put(trace, when, self._levels[level].line(hop), at_latest)

    def again(self, trace: str, when: float, hop: str = "", at_latest: float = 0.0) -> None:
        """As `put`, for an item that was claimed, and is no longer."""
        with self._lock:
            if (entry := self._entries.get(trace)) is not None:
                self._put(trace, when, entry[2].turns.line(hop), at_latest)

    def _put(self, trace: str, when: float, line: Line, at_latest: float) -> None:
        self._claimed.discard(trace)
        self._limits.pop(trace, None)
        self._enter(trace, when, line)
        if at_latest and line.hop:
            self._limit(trace, max(at_latest, when))

    def claim(self, trace: str) -> None:
        with self._lock:
            if trace in self._entries:
                self._claimed.add(trace)

    def drop(self, trace: str) -> None:
        with self._lock:
            self._entries.pop(trace, None)
            self._limits.pop(trace, None)
            self._claimed.discard(trace)

    def is_claimed(self, trace: str) -> bool:
        return trace in self._claimed

    def hop_of(self, trace: str) -> str:
        """What the item is known to wait for."""
        entry = self._entries.get(trace)
        return entry[2].hop if entry is not None else ""

    def due(self, now: float, closed: Container[str] = ()) -> str | None:
        """The item whose turn it is, handed out once: it counts as claimed until it is put again or dropped.

        None as well after many looks; then `next_time` has come.
        """
        with self._lock:
            self._pass_limits(now)
            waiting = [level.ring(now) for level in self._levels]
            for level in self._order():
                if not waiting[level]:
                    continue
                for _ in range(AT_ONCE):
                    found = self._levels[level].take(now, closed)
                    if found is None:
                        break
                    _, trace, line = found
                    if self._waits_for_parent(trace, now):
                        self._enter(trace, now + PARENT_FIRST_S, line.turns.line(line.hop))
                        continue
                    self._claimed.add(trace)
                    self._limits.pop(trace, None)
                    self._count(level, waiting)
                    return trace
            return None

    def next_time(self, closed: Container[str] = ()) -> float | None:
        """When the next unclaimed item falls due (or fell)."""
        with self._lock:
            times = [level.next_time(closed) for level in self._levels]
            self._limit_times.pass_over(LOOKS)
            if (limit := self._limit_times.head()) is not None:
                times.append(limit[0])
            return min((time for time in times if time is not None), default=None)

    def _enter(self, trace: str, when: float, line: Line) -> None:
        entry = self._entries[trace] = (when, trace, line)
        line.turns.enter(entry)

    def _counts(self, entry: Entry) -> bool:
        return self._entries.get(entry[1]) is entry and entry[1] not in self._claimed

    def _waits_for_parent(self, trace: str, now: float) -> bool:
        parent = parent_of(trace)
        if not parent or parent not in self._entries:
            return False
        return parent in self._claimed or self._entries[parent][0] <= now

    # the share of each level

    def _order(self) -> tuple[int, ...]:
        starving = [level for level in (LOW, NORMAL) if self._passed_over[level] >= SHARE - 1]
        return (*starving, URGENT, NORMAL, LOW)

    def _count(self, chosen: int, waiting: list[bool]) -> None:
        """`waiting` says of each level whether something of it is due."""
        self._passed_over[chosen] = 0
        for level in range(chosen + 1, LOW + 1):
            self._passed_over[level] += waiting[level]

    # items that are due at some time whatever their hop

    def _limit(self, trace: str, at_latest: float) -> None:
        entry = self._limits[trace] = (at_latest, trace)
        self._limit_times.enter(entry)

    def _is_limit(self, entry: tuple[float, str]) -> bool:
        return self._limits.get(entry[1]) is entry

    def _pass_limits(self, now: float) -> None:
        for _ in range(AT_ONCE):
            limit = self._limit_times.head()
            if limit is None or limit[0] > now:
                return
            self._limit_times.pop()
            time, trace = limit
            if self._is_limit(limit):
                del self._limits[trace]
                self._enter(trace, time, self._entries[trace][2].turns.line(""))
