"""RelayToUser: through the smart host to the address that a user relays to, together with what else goes there."""

from __future__ import annotations

from collections.abc import Hashable

from zope.interface import implementer

from unitymail.courier.forwarding import Forwarding
from unitymail.courier.perform.relay_to_smart_host import RECIPIENTS
from unitymail.interfaces.spool import IManyStepsPerformer
from unitymail.routing.hops.smart_host import KEY
from unitymail.routing.steps import RelayToUser


@implementer(IManyStepsPerformer)
class RelayToUserPerformer(Forwarding):
    performs = RelayToUser
    together = RECIPIENTS

    def group(self, step: RelayToUser) -> Hashable:
        return KEY
