"""Sending to a next hop: finds it anew each time, and keeps account of hops that are down.

Knows what an attempt means for others who wait; refuses to know what is sent and what the attempt means for its step.

Note *Where messages wait*. In the queue, while their hop has no room (`destinations`); then in the relay, until it is
their turn. What the relay gives back untried has not been attempted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from unitymail.courier.destinations import Destinations
from unitymail.interfaces.book import IBook
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.relay import Attempt, IRelay, Outgoing
from unitymail.interfaces.spool import Item, Outcome
from unitymail.routing.hops import RULES, next_hop
from unitymail.routing.next_hop import NextHop
from unitymail.routing.situation import Failure
from unitymail.routing.steps import Step

NO_ROOM = Outcome("later")
AT_LEAST_S = 60.0
"""So long a hop that is down is left alone even where nobody waits for it; otherwise no longer than one who waits."""
NO_WAY = Failure("5.3.5", "This mail system is not set up to send messages to this destination.")


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
        self._hops: dict[tuple[str, bool], NextHop | Failure] = {}
        self._as_of = -1
        self._down: dict[str, tuple[NextHop, Step, bool]] = {}

    def way(self, item: Item, step: Step) -> NextHop | Outcome:
        """The step's next hop of now, where the item has its place from now on; or why it cannot go there (now)."""
        hop = self._hop_of(step, item.envelope.require_tls)
        if isinstance(hop, Failure):
            return Outcome("failed", hop.status, hop.cause)
        if hop.key != (likely := RULES[type(step)].key(step)):
            self._destinations.left(likely, item.trace, self._now())
        if self._destinations.admit(hop.key, item.trace, self._relay.most(hop), self._now()):
            return hop
        return self._later(hop)

    async def send(self, hop: NextHop, item: Item, step: Step, outgoing: Outgoing) -> list[Outcome]:
        """Send to the hop that `way` gave for the step: an outcome for each recipient, in order.

        What is sent is needed until this returns.
        """
        recipients = outgoing.recipients
        handed_over = self._now()
        attempt = None
        if self._destinations.is_open(hop.key, item.trace):
            attempt = await self._relay.send(hop, outgoing)
        if attempt is None:
            self.left(hop, item)
            return [self._later(hop)] * len(recipients)
        self._journal.attempted(item.trace, hop.name, attempt, tuple([one.address for one in recipients]))
        if self._hop_of(step, item.envelope.require_tls) != hop:
            # The directory has changed meanwhile: the hop that has the key now is another one.
            self.left(hop, item)
            return list(attempt.outcomes)
        if attempt.hop_down:
            return self._unreachable(hop, item, step, attempt, handed_over)
        if self._destinations.answered(hop.key, item.trace, self._now()):
            self._down.pop(hop.key, None)
            self._journal.hop_up(hop.name)
        return list(attempt.outcomes)

    def left(self, hop: NextHop, item: Item) -> None:
        """Nothing is sent after all, for now: others may have the item's place."""
        self._destinations.left(hop.key, item.trace, self._now())

    def renew(self) -> None:
        """The directory has changed: a hop that is down may be another system now, and is tried at once then."""
        for key, (hop, step, require_tls) in list(self._down.items()):
            if next_hop(step, self._book, require_tls=require_tls) != hop:
                del self._down[key]
                self._destinations.renewed(key, self._now())

    async def close(self) -> None:
        """Begin nothing more, and wait a little for what is under way; who only waits goes back to the queue.

        For a courier that has been told to stop: then its items in hand are over soon, whatever their hops do.
        """
        self._destinations.shut()
        await self._relay.close()

    def _hop_of(self, step: Step, require_tls: bool) -> NextHop | Failure:
        """Looked up once for all that go the same way, as long as the directory does not change."""
        if self._as_of != self._book.usn:
            self._hops.clear()
            self._as_of = self._book.usn
        rule = RULES.get(type(step))
        if rule is None:
            return NO_WAY
        way = rule.key(step), require_tls
        hop = self._hops.get(way)
        if hop is None:
            hop = self._hops[way] = next_hop(step, self._book, require_tls=require_tls) or NO_WAY
        return hop

    def _unreachable(
        self, hop: NextHop, item: Item, step: Step, attempt: Attempt, handed_over: float
    ) -> list[Outcome]:
        """Everybody who waits for the hop waits together: until it is probed."""
        trouble = attempt.outcomes[0]
        began = attempt.began or handed_over
        longest = max(AT_LEAST_S, self._book.site.relay_retry_for)
        if self._destinations.unreachable(hop.key, item.trace, trouble, began, self._now(), longest):
            self._down[hop.key] = hop, step, item.envelope.require_tls
            self._journal.hop_down(hop.name, trouble.why, self._destinations.probe_at(hop.key))
        again = self._destinations.probe_at(hop.key)
        return [replace(one, again_at=again) if one.kind == "try-again" else one for one in attempt.outcomes]

    def _later(self, hop: NextHop) -> Outcome:
        """Not now; with the cause when the hop is down."""
        trouble = self._destinations.trouble(hop.key)
        return NO_ROOM if trouble is None else replace(trouble, kind="later")
