"""A next-hop rule: where steps of some kinds go. One file each in `routing.hops`, found by discovery."""

from __future__ import annotations

from typing import Any

from zope.interface import Attribute, Interface

from unitymail.interfaces.book import IBook
from unitymail.routing.next_hop import NextHop
from unitymail.routing.situation import Failure

# mypy: disable-error-code="misc,empty-body"


class INextHopRule(Interface):
    """Provided by each module of `routing.hops`. Pure: the same step and book always give the same hop."""

    steps = Attribute("The step classes that it knows (a tuple).")

    def key(step: Any) -> str:
        """What the key of its hop most likely is, without a look at the book: enough to queue by."""

    def next_hop(step: Any, book: IBook) -> NextHop | Failure:
        """Where the step goes as things stand, or why it cannot go anywhere."""
