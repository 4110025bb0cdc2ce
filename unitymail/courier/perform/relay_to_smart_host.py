"""RelayToSmartHost: out through the smart host, the recipient unchanged."""

from __future__ import annotations

from collections.abc import Hashable

from zope.interface import implementer

from unitymail.courier.forwarding import Forwarding
from unitymail.interfaces.spool import IManyStepsPerformer
from unitymail.routing.hops.smart_host import KEY
from unitymail.routing.steps import RelayToSmartHost

RECIPIENTS = 100
"""In one transaction: what every server must take (RFC 5321 4.5.3.1.8)."""


@implementer(IManyStepsPerformer)
class RelayToSmartHostPerformer(Forwarding):
    performs = RelayToSmartHost
    together = RECIPIENTS

    def group(self, step: RelayToSmartHost) -> Hashable:
        return KEY
