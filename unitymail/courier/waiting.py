"""When an item that is let go must be looked at again, and which next hop it waits for meanwhile. Pure.

Refuses to know how the queue keeps this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unitymail.courier.outcomes import waits_for_hop
from unitymail.courier.patience import began, look_at
from unitymail.interfaces.book import IBook
from unitymail.interfaces.spool import Item, StepState
from unitymail.routing.hops import RULES, next_hop
from unitymail.routing.next_hop import NextHop
from unitymail.routing.steps import Step

LOOKED_AT = 20
"""In the time that an item has waited already it is looked at so many times for room at one of its hops,"""
SELDOM_S = 60.0
"""but never more seldom than that."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """`hop` is its key when nothing but that hop is waited for. `at_latest`, where not 0.0: whatever the hop does."""

    next_at: float
    hop: str = ""
    at_latest: float = 0.0


def waiting(item: Item, now: float, book: IBook, opens_at: Callable[[str, float], float]) -> Waiting:
    """`opens_at` tells about when a hop may be used, 0.0 for now."""
    states = [state for state in item.steps if state.outcome is None]
    keys = _Keys(book, item.envelope.require_tls)
    latest = min((moment for state in states if (moment := look_at(item, state, book.site, now))), default=0.0)
    hops = {keys.of(state.step) for state in states}
    if len(hops) == 1 and "" not in hops:
        return Waiting(_sooner(min(_due_at(state, now) for state in states), latest), hops.pop(), latest)
    seldom = now + min(SELDOM_S, (now - began(item)) / LOOKED_AT)
    opening = {hop: max(at, seldom) if hop and (at := opens_at(hop, now)) else 0.0 for hop in hops}
    next_at = min(max(_due_at(state, now), opening[keys.of(state.step)]) for state in states)
    return Waiting(_sooner(next_at, latest))


def _sooner(when: float, latest: float) -> float:
    return min(when, latest) if latest else when


def _due_at(state: StepState, now: float) -> float:
    return now if waits_for_hop(state) else state.next_at


class _Keys:
    """The hop of each step as things stand, asked once for all steps that go the same way."""

    def __init__(self, book: IBook, require_tls: bool) -> None:
        self._book = book
        self._require_tls = require_tls
        self._found: dict[str, str] = {}

    def of(self, step: Step) -> str:
        rule = RULES.get(type(step))
        if rule is None:
            return ""
        likely: str = rule.key(step)
        if likely not in self._found:
            hop = next_hop(step, self._book, require_tls=self._require_tls)
            self._found[likely] = hop.key if isinstance(hop, NextHop) else ""
        return self._found[likely]
