"""Sending to a next hop: finds it anew each time, waits for its turn, keeps account of hops that are down.

Knows what an attempt means for others who wait; refuses to know what is sent and what the attempt means for its step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred

from unitymail.courier.destinations import Destinations
from unitymail.interfaces.book import IBook
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.relay import Attempt, IRelay, Outgoing
from unitymail.interfaces.spool import Item, Outcome
from unitymail.routing.hops import next_hop
from unitymail.routing.next_hop import NextHop
from unitymail.routing.situation import Failure
from unitymail.routing.steps import Step

Write = Callable[[NextHop], Awaitable[Outgoing | Outcome]]
NO_ROOM = Outcome("later")
NO_WAY = Failure("5.3.5", "This mail system is not set up to send messages to this destination.")


class Line:
    """Who sends to one hop now, and who is next: as many at once as the hop may have."""

    def __init__(self) -> None:
        self._sending = 0
        self._waiting: deque[Deferred[None]] = deque()

    async def enter(self, most: int) -> None:
        if self._sending >= most or self._waiting:
            place: Deferred[None] = Deferred()
            self._waiting.append(place)
            await place
        else:
            self._sending += 1

    def leave(self) -> bool:
        """Let the next one in; whether somebody is left."""
        if self._waiting:
            self._waiting.popleft().callback(None)
        else:
            self._sending -= 1
        return self._sending > 0


class Dispatch:
    """One for all performers that send; `destinations` is the courier's too. Reactor thread only."""

    def __init__(
        self, *, relay: IRelay, destinations: Destinations, book: IBook, journal: IJournal, clock: Any
    ) -> None:
        self._relay = relay
        self._destinations = destinations
        self._book = book
        self._journal = journal
        self._now: Callable[[], float] = clock.seconds
        self._lines: dict[str, Line] = {}
        self._down: dict[str, tuple[NextHop, Step, bool]] = {}

    async def send(self, item: Item, step: Step, many: int, write: Write) -> list[Outcome]:
        """Send what `write` makes for the step's hop of now: an outcome for each of its `many` recipients, in order.

        `write` is called only when the hop may be used. It may give an Outcome instead, which then holds for all.
        What it made is needed until this returns.
        """
        hop = next_hop(step, self._book, require_tls=item.envelope.require_tls) or NO_WAY
        if isinstance(hop, Failure):
            return [Outcome("failed", hop.status, hop.cause)] * many
        most = self._relay.most(hop)
        if not self._destinations.admit(hop.key, item.trace, most, self._now()):
            return [self._later(hop)] * many
        made = await write(hop)
        if isinstance(made, Outcome):
            return [made] * many
        return await self._in_turn(hop, most, item, step, made)

    def renew(self) -> None:
        """The directory has changed: a hop that is down may be another system now, and is tried at once then."""
        for key, (hop, step, require_tls) in list(self._down.items()):
            if next_hop(step, self._book, require_tls=require_tls) != hop:
                del self._down[key]
                self._destinations.renewed(key, self._now())

    async def close(self) -> None:
        """Begin nothing more, and wait a little for what is under way; who was only in line goes back to the queue.

        For a courier that has been told to stop: then its items in hand are over soon, whatever their hops do.
        """
        self._destinations.shut()
        await self._relay.close()

    async def _in_turn(self, hop: NextHop, most: int, item: Item, step: Step, made: Outgoing) -> list[Outcome]:
        line = self._lines.setdefault(hop.key, Line())
        await line.enter(most)
        try:
            if not self._destinations.is_open(hop.key, item.trace):
                return [self._later(hop)] * len(made.recipients)
            began = self._now()
            attempt = await self._relay.send(hop, made)
            self._journal.attempted(item.trace, hop.name, attempt, tuple(r.address for r in made.recipients))
            outcomes = self._account(hop, item, step, attempt, began)
            self._destinations.left(hop.key, item.trace, self._now())
            return outcomes
        finally:
            if not line.leave():
                self._lines.pop(hop.key, None)

    def _account(self, hop: NextHop, item: Item, step: Step, attempt: Attempt, began: float) -> list[Outcome]:
        """What the attempt means for everybody who waits for the hop, and when the next may try."""
        now = self._now()
        if not attempt.hop_down:
            if self._destinations.answered(hop.key, now):
                self._down.pop(hop.key, None)
                self._journal.hop_up(hop.name)
            return list(attempt.outcomes)
        trouble = attempt.outcomes[0]
        if self._destinations.unreachable(hop.key, item.trace, trouble, began, now):
            self._down[hop.key] = hop, step, item.envelope.require_tls
            self._journal.hop_down(hop.name, trouble.why, self._destinations.probe_at(hop.key))
        again = self._destinations.probe_at(hop.key)
        return [replace(one, again_at=again) if one.kind == "try-again" else one for one in attempt.outcomes]

    def _later(self, hop: NextHop) -> Outcome:
        """Not now; with the cause when the hop is down."""
        trouble = self._destinations.trouble(hop.key)
        return NO_ROOM if trouble is None else replace(trouble, kind="later", again_at=0.0)
