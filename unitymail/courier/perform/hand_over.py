"""HandOver: to the home server of a remote user, with what was decided here and only a peer is told."""

from __future__ import annotations

from collections.abc import Hashable

from zope.interface import implementer

from unitymail.courier.forwarding import Forwarding
from unitymail.interfaces.spool import IManyStepsPerformer
from unitymail.routing.hops import peer
from unitymail.routing.steps import HandOver

RECIPIENTS = 1_000
"""In one transaction: a node takes many more, and few of them wait for one."""


@implementer(IManyStepsPerformer)
class HandOverPerformer(Forwarding):
    performs = HandOver
    together = RECIPIENTS

    def group(self, step: HandOver) -> Hashable:
        return peer.key(step)
