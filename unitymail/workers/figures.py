"""The numbers of all workers together, of those that ended too: what `unitymail status` shows of a node."""

from __future__ import annotations

from collections import Counter
from typing import Any


class Figures:
    """Give `heard` to `Supervisor.on_report("work", …)`; values as `serving.Serving.figures`."""

    def __init__(self) -> None:
        self._newest: dict[int, dict[str, Any]] = {}
        self._ended: Counter[str] = Counter()
        self._longest = 0.0
        self._long = 0

    def heard(self, pid: int, value: dict[str, Any] | None) -> None:
        if value is not None:
            self._newest[pid] = value
            self._longest = max(self._longest, value["longest_turn_ms"])
        elif (last := self._newest.pop(pid, None)) is not None:
            self._ended.update(last["events"])
            self._long += last["long_turns"]

    def of(self, pid: int) -> dict[str, Any]:
        """What a worker last told of itself, but for its events."""
        return {name: value for name, value in self._newest.get(pid, {}).items() if name != "events"}

    def all(self) -> dict[str, Any]:
        """`connections`, `longest_turn_ms`, `long_turns` and `events` of all."""
        events = Counter(self._ended)
        for value in self._newest.values():
            events.update(value["events"])
        return {
            "connections": sum(value["connections"] for value in self._newest.values()),
            "longest_turn_ms": self._longest,
            "long_turns": self._long + sum(value["long_turns"] for value in self._newest.values()),
            "events": dict(events),
        }
