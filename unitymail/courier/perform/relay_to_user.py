"""RelayToUser: through the smart host to the address that a user relays to, together with what else goes there."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from zope.interface import implementer

from unitymail.courier.dispatch import Dispatch
from unitymail.courier.forwarding import Forwarding
from unitymail.courier.perform.relay_to_smart_host import RECIPIENTS
from unitymail.interfaces.book import IBook
from unitymail.interfaces.spool import IManyStepsPerformer, Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.routing.hops.smart_host import KEY
from unitymail.routing.steps import RelayToUser


@implementer(IManyStepsPerformer)
class RelayToUserPerformer:
    performs = RelayToUser
    together = RECIPIENTS

    def __init__(self, *, dispatch: Dispatch, book: IBook, threads: IThreads, node_id: str) -> None:
        self._forwarding = Forwarding(dispatch=dispatch, book=book, threads=threads, node_id=node_id)

    def group(self, step: RelayToUser) -> Hashable:
        return KEY

    async def perform(self, item: Item, state: StepState) -> Outcome:
        return (await self.perform_many(item, [state]))[0]

    async def perform_many(self, item: Item, states: Sequence[StepState]) -> list[Outcome]:
        return await self._forwarding.forward(item, states)
