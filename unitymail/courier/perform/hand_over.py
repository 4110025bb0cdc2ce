"""HandOver: to the home server of a remote user, with what was decided here and only a peer is told."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from zope.interface import implementer

from unitymail.courier.dispatch import Dispatch
from unitymail.courier.forwarding import Forwarding
from unitymail.interfaces.book import IBook
from unitymail.interfaces.spool import IManyStepsPerformer, Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.routing.hops import peer
from unitymail.routing.steps import HandOver

RECIPIENTS = 1_000
"""In one transaction: a node takes many more, and few of them wait for one."""


@implementer(IManyStepsPerformer)
class HandOverPerformer:
    performs = HandOver
    together = RECIPIENTS

    def __init__(self, *, dispatch: Dispatch, book: IBook, threads: IThreads, node_id: str) -> None:
        self._forwarding = Forwarding(dispatch=dispatch, book=book, threads=threads, node_id=node_id)

    def group(self, step: HandOver) -> Hashable:
        return peer.key(step)

    async def perform(self, item: Item, state: StepState) -> Outcome:
        return (await self.perform_many(item, [state]))[0]

    async def perform_many(self, item: Item, states: Sequence[StepState]) -> list[Outcome]:
        return await self._forwarding.forward(item, states)
