"""Next hops as the courier knows them: which are down and until when, how many items are in hand for each. Memory only.

Knows when a hop may be tried and by whom; refuses to know how (the relay) and where a step goes (`routing.hops`).

Note *One probe*. A hop that cannot be used is left alone for a time that grows with each failure in a row. Then one
item is let through. Once that is answered, whatever the answer, the hop is up, and everybody else goes.

Note *Room*. A hop has room for twice as many items as the relay takes for it: the next is at hand when one ends. Above
that, and above its part of the courier's hands, it is closed: what waits for it stays in the queue, and the hands are
free for others.

Note *Asked for*. What an administrator wants tried probes its hop at once, and the hop's waiting begins anew with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from enum import Enum
from math import inf

from unitymail.courier.retry import delay
from unitymail.interfaces.spool import Outcome

IN_HAND = 2
"""Items in hand for each that the relay takes."""
A_HOP = 100
"""Items in hand for one hop at most, however many connections it may have: a part of all that the courier has."""
FULL_S = 2.0
"""After so many seconds a hop without room may have some."""
UNKNOWN_MOST = 8
"""How many may be under way to a hop that has not been used yet."""


class Condition(Enum):
    UP = "up"
    DOWN = "down"
    PROBED = "probed"


class Event(Enum):
    """`TRIED`: an item was let through while the hop was down. `LEFT`: that item ended without an attempt.

    `RENEWED`: the hop is another system now, or is reached in another way.
    """

    TRIED = "tried"
    ANSWERED = "answered"
    UNREACHABLE = "unreachable"
    LEFT = "left"
    RENEWED = "renewed"


AFTER: dict[tuple[Condition, Event], Condition] = {
    (Condition.UP, Event.ANSWERED): Condition.UP,
    (Condition.UP, Event.UNREACHABLE): Condition.DOWN,
    (Condition.DOWN, Event.TRIED): Condition.PROBED,
    (Condition.DOWN, Event.ANSWERED): Condition.UP,  # began before the hop went down, and went well
    (Condition.DOWN, Event.UNREACHABLE): Condition.DOWN,  # began before the hop went down: no news
    (Condition.PROBED, Event.ANSWERED): Condition.UP,
    (Condition.PROBED, Event.UNREACHABLE): Condition.DOWN,
    (Condition.PROBED, Event.LEFT): Condition.DOWN,
    (Condition.DOWN, Event.RENEWED): Condition.UP,
    (Condition.PROBED, Event.RENEWED): Condition.UP,
}
"""What happens otherwise changes nothing."""


@dataclass(slots=True)
class Destination:
    """`in_hand` are traces. `failures` in a row, `trouble` the newest, of `failed_at`. Times are Unix seconds."""

    key: str
    most: int = UNKNOWN_MOST
    condition: Condition = Condition.UP
    in_hand: set[str] = field(default_factory=set)
    failures: int = 0
    failed_at: float = 0.0
    probe_at: float = 0.0
    answered_at: float = 0.0
    probe: str = ""
    trouble: Outcome | None = None

    def happens(self, event: Event) -> Condition:
        """The condition before it."""
        before = self.condition
        self.condition = AFTER.get((before, event), before)
        return before

    def has_room(self, now: float) -> bool:
        if self.condition is Condition.UP:
            return len(self.in_hand) < min(self.most * IN_HAND, A_HOP)
        return self.condition is Condition.DOWN and now >= self.probe_at and not self.in_hand

    def is_open_for(self, trace: str) -> bool:
        return self.condition is Condition.UP or (self.condition is Condition.PROBED and self.probe == trace)


class Destinations:
    """Every hop that is down or in use, by its key. Reactor thread only."""

    def __init__(self) -> None:
        self._known: dict[str, Destination] = {}
        self._keys_of: dict[str, set[str]] = {}
        self._closed: set[str] = set()
        self._down: dict[str, Destination] = {}
        self._asked: dict[str, float] = {}
        self._shut = False

    def _of(self, key: str) -> Destination:
        hop = self._known.get(key)
        if hop is None:
            hop = self._known[key] = Destination(key)
        return hop

    def shut(self) -> None:
        """From now on nothing may go anywhere: what waits in hand for its turn goes back into the queue."""
        self._shut = True

    def ask_for(self, traces: Iterable[str], now: float) -> None:
        """An administrator wants these items tried: the first of them for each hop that is down probes it."""
        if self._down:
            self._asked |= dict.fromkeys(traces, now)

    def closed(self, now: float) -> Set[str]:
        """The keys of hops that nothing more may be begun for. It goes on changing; ask again in another turn."""
        for hop in self._down.values():
            self._see(hop, now)
        return self._closed

    def next_probe(self, now: float) -> float | None:
        """When the next hop that is closed now may be tried."""
        return min((hop.probe_at for hop in self._down.values() if hop.probe_at > now), default=None)

    def expect(self, key: str, trace: str, now: float) -> None:
        """An item that is taken up now is for this hop: it has a place there."""
        if key:
            hop = self._of(key)
            hop.in_hand.add(trace)
            self._keys_of.setdefault(trace, set()).add(key)
            self._see(hop, now)

    def admit(self, key: str, trace: str, most: int, now: float) -> bool:
        """Whether an item may go to the hop now; then it has its place there until it hears of it, or is `over`."""
        if self._shut:
            return False
        hop = self._of(key)
        if hop.most != most:
            hop.most = most
            self._see(hop, now)
        if hop.condition is Condition.UP and trace in hop.in_hand:
            return True
        if hop.condition is Condition.DOWN and self._asked.get(trace, 0.0) > hop.failed_at:
            hop.probe_at, hop.failures = now, 0
        if trace not in hop.in_hand and not hop.has_room(now):
            self._see(hop, now)
            return False
        self.expect(key, trace, now)
        if hop.condition is Condition.DOWN and now >= hop.probe_at:
            hop.happens(Event.TRIED)
            hop.probe = trace
        self._see(hop, now)
        return hop.is_open_for(trace)

    def is_open(self, key: str, trace: str) -> bool:
        """Whether an item that was admitted may still go: the hop may have gone down since."""
        hop = self._known.get(key)
        return not self._shut and (hop is None or hop.is_open_for(trace))

    def trouble(self, key: str) -> Outcome | None:
        """Why the hop is down; None when it is not."""
        hop = self._known.get(key)
        return hop.trouble if hop is not None and hop.condition is not Condition.UP else None

    def answered(self, key: str, trace: str, now: float) -> bool:
        """The hop said something about the item, which gives up its place there. Whether it was down before."""
        hop = self._of(key)
        hop.answered_at = now
        was_down = hop.condition is not Condition.UP and self._is_up(hop, Event.ANSWERED, now)
        self._left(hop, trace, now)
        return was_down

    def left(self, key: str, trace: str, now: float) -> None:
        """The item has no business there (any more), and nothing is known by it."""
        if (hop := self._known.get(key)) is not None:
            self._left(hop, trace, now)

    def renewed(self, key: str, now: float) -> None:
        """Nothing is known of the hop any more; nor do attempts that began before tell anything."""
        if (hop := self._known.get(key)) is not None:
            hop.answered_at = now
            self._is_up(hop, Event.RENEWED, now)
            self._forget_if_idle(hop)

    def _is_up(self, hop: Destination, event: Event, now: float) -> bool:
        if hop.happens(event) is Condition.UP:
            return False
        hop.failures, hop.probe_at, hop.probe, hop.trouble = 0, 0.0, "", None
        self._down.pop(hop.key, None)
        if not self._down:
            self._asked.clear()
        self._see(hop, now)
        return True

    def unreachable(
        self, key: str, trace: str, trouble: Outcome, began: float, now: float, longest: float = inf
    ) -> bool:
        """The hop could not be used by this item, which gives up its place there. Whether that is news.

        Then the hop waits longer than before, at most `longest`. It is none when others had an answer since the attempt
        `began`, nor when another item is the probe.
        """
        hop = self._of(key)
        news = False
        if began >= hop.answered_at and (hop.condition is not Condition.PROBED or hop.probe == trace):
            hop.trouble = trouble
            news = hop.happens(Event.UNREACHABLE) is not Condition.DOWN
        if news:
            hop.failures, hop.failed_at = hop.failures + 1, now
            hop.probe_at, hop.probe = now + min(delay(hop.failures), longest), ""
            self._down[key] = hop
        self._left(hop, trace, now)
        return news

    def probe_at(self, key: str) -> float:
        """When it may be tried again; 0.0 when it is up."""
        hop = self._known.get(key)
        return hop.probe_at if hop is not None else 0.0

    def opens_at(self, key: str, now: float) -> float:
        """About when an item may go there: 0.0 for now."""
        hop = self._known.get(key)
        if hop is None or hop.has_room(now):
            return 0.0
        return max(hop.probe_at, now + FULL_S)

    def over(self, trace: str, now: float) -> None:
        """Nobody works on the item any more."""
        self._asked.pop(trace, None)
        for key in self._keys_of.pop(trace, ()):
            self._free(self._known[key], trace, now)

    def _left(self, hop: Destination, trace: str, now: float) -> None:
        """What the item had there is over; what it has elsewhere may take long."""
        if (keys := self._keys_of.get(trace)) is not None:
            keys.discard(hop.key)
        self._free(hop, trace, now)

    def _free(self, hop: Destination, trace: str, now: float) -> None:
        hop.in_hand.discard(trace)
        if hop.probe == trace:
            hop.happens(Event.LEFT)
            hop.probe = ""
        self._see(hop, now)
        self._forget_if_idle(hop)

    def _forget_if_idle(self, hop: Destination) -> None:
        if hop.condition is Condition.UP and not hop.in_hand:
            self._known.pop(hop.key, None)

    def _see(self, hop: Destination, now: float) -> None:
        if hop.has_room(now):
            self._closed.discard(hop.key)
        else:
            self._closed.add(hop.key)
