"""RelayToSmartHost: out through the smart host, the recipient unchanged."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from zope.interface import implementer

from unitymail.courier.dispatch import Dispatch
from unitymail.courier.forwarding import Forwarding
from unitymail.interfaces.book import IBook
from unitymail.interfaces.spool import IManyStepsPerformer, Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.routing.hops.smart_host import KEY
from unitymail.routing.steps import RelayToSmartHost

RECIPIENTS = 100
"""In one transaction: what every server must take (RFC 5321 4.5.3.1.8)."""


@implementer(IManyStepsPerformer)
class RelayToSmartHostPerformer:
    performs = RelayToSmartHost
    together = RECIPIENTS

    def __init__(self, *, dispatch: Dispatch, book: IBook, threads: IThreads, node_id: str) -> None:
        self._forwarding = Forwarding(dispatch=dispatch, book=book, threads=threads, node_id=node_id)

    def group(self, step: RelayToSmartHost) -> Hashable:
        return KEY

    async def perform(self, item: Item, state: StepState) -> Outcome:
        return (await self.perform_many(item, [state]))[0]

    async def perform_many(self, item: Item, states: Sequence[StepState]) -> list[Outcome]:
        return await self._forwarding.forward(item, states)
