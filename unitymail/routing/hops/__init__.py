"""Next-hop rules, one file each, found here: a new way out is a new file that provides `INextHopRule`."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from unitymail.interfaces.book import IBook
from unitymail.interfaces.next_hop_rule import INextHopRule
from unitymail.routing.next_hop import NextHop
from unitymail.routing.situation import Failure
from unitymail.routing.steps import Step


def discover() -> dict[type[Any], INextHopRule]:
    """Every rule of this package, by the step classes it knows."""
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return {step: module for module in modules if INextHopRule.providedBy(module) for step in module.steps}


RULES = discover()


def next_hop(step: Step, book: IBook, *, require_tls: bool = False) -> NextHop | Failure | None:
    """Where the step goes as things stand; why it cannot; None for a step that stays on this node.

    `require_tls`: the sender wants the next server's name verified, whatever the site asks for. A name that stands in
    MX records is none, whatever its certificate says: nobody has signed them (RFC 8689 4.2.1).
    """
    rule = RULES.get(type(step))
    hop = None if rule is None else rule.next_hop(step, book)
    if not require_tls or not isinstance(hop, NextHop):
        return hop
    if hop.mx:
        why = f"The sender requires TLS all the way, and {hop.name} is found by MX records, which anybody might forge."
        return Failure("5.7.30", why)
    return hop.requiring_tls()


def waits_for(steps: Iterable[Step]) -> str:
    """The key of the only next hop that these steps most likely wait for; "" for none, for several, or for work here.

    A hint to queue by, without a look at the book: the hop itself is found at each attempt.
    """
    keys = {rule.key(step) if (rule := RULES.get(type(step))) is not None else "" for step in steps}
    return keys.pop() if len(keys) == 1 else ""
