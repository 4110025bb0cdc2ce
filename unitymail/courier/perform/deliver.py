"""Deliver: into the INBOX of a user of this node, for what could not be linked before the client's 250.

Knows that thousands of mailboxes are one piece of work; refuses to know how the store keeps a message.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from twisted.internet.task import deferLater
from zope.interface import implementer

from unitymail.courier.outcomes import of_trouble
from unitymail.interfaces.book import IBook
from unitymail.interfaces.doorbell import IDoorbell
from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.quota import IUsage
from unitymail.interfaces.spool import IManyStepsPerformer, Item, Outcome, StepState
from unitymail.interfaces.store import IStore
from unitymail.interfaces.threads import IThreads
from unitymail.routing.steps import Deliver

INBOX = "INBOX"
TOLD_AT_ONCE = 100
"""Deliveries that the journal and the doorbell hear of in one turn of the reactor."""
DELIVERED = Outcome("done", success="delivered")
MOVED = Outcome(
    "failed", "5.1.6", "The mailbox has moved to another server since the message came; sent again, it will go there."
)
GONE = Outcome("failed", "5.1.1", "The mailbox is no longer here.")


@implementer(IManyStepsPerformer)
class DeliverPerformer:
    performs = Deliver
    together = 0

    def __init__(
        self, *, store: IStore, book: IBook, usage: IUsage, doorbell: IDoorbell, journal: IJournal, threads: IThreads,
        clock: Any,
    ) -> None:
        self._store = store
        self._book = book
        self._usage = usage
        self._doorbell = doorbell
        self._journal = journal
        self._threads = threads
        self._clock = clock

    def group(self, step: Deliver) -> Hashable:
        return Deliver

    async def perform(self, item: Item, state: StepState) -> Outcome:
        return (await self.perform_many(item, [state]))[0]

    async def perform_many(self, item: Item, states: Sequence[StepState]) -> list[Outcome]:
        outcomes: list[Outcome] = await self._threads.run(self._link, item, states)
        done = [_delivery(state) for state, outcome in zip(states, outcomes, strict=True) if outcome is DELIVERED]
        for start in range(0, len(done), TOLD_AT_ONCE):
            if start:
                await deferLater(self._clock, 0)
            for step in done[start : start + TOLD_AT_ONCE]:
                self._tell(item, step)
        return outcomes

    def _link(self, item: Item, states: Sequence[StepState]) -> list[Outcome]:
        outcomes = [self._link_one(item, state) for state in states]
        pairs = zip(states, outcomes, strict=True)
        linked = [_delivery(state).account for state, outcome in pairs if outcome is DELIVERED]
        lost = self._not_durable(set(linked)) if linked else {}
        return [
            lost.get(_delivery(state).account, outcome) if outcome is DELIVERED else outcome
            for state, outcome in zip(states, outcomes, strict=True)
        ]

    def _not_durable(self, accounts: set[str]) -> dict[str, Outcome]:
        """The mailboxes that cannot be made durable, each with what that means; the others are."""
        try:
            self._store.make_durable(accounts)
        except Trouble as trouble:
            if len(accounts) == 1:
                return dict.fromkeys(accounts, of_trouble(trouble))
            return {bad: outcome for one in accounts for bad, outcome in self._not_durable({one}).items()}
        return {}

    def _link_one(self, item: Item, state: StepState) -> Outcome:
        step = _delivery(state)
        user = self._book.user(step.account)
        if user is None:
            return GONE
        if user.home:
            return MOVED
        try:
            self._store.deliver(step.account, item.path, item.name, again=state.attempts > 0 or not item.fresh)
        except Trouble as trouble:
            return of_trouble(trouble)
        return DELIVERED

    def _tell(self, item: Item, step: Deliver) -> None:
        self._usage.add(step.account, item.size)
        self._journal.delivered(item.trace, step.account, step.to)
        self._doorbell.ring(step.account, INBOX)


def _delivery(state: StepState) -> Deliver:
    assert isinstance(state.step, Deliver)
    return state.step
