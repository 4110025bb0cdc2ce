"""Which steps of a new message are done at its commit, and making those links. Refuses to know about records.

Deliveries to the first hundred mailboxes are linked before the client's 250; everything else becomes an item, and so
does all of a message that is to be released later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from unitymail.interfaces.spool import Item, StepState
from unitymail.interfaces.store import IStore
from unitymail.routing.steps import Deliver, Step

AT_ONCE = 100


def split(item: Item) -> tuple[tuple[StepState, ...], tuple[StepState, ...]]:
    """(the deliveries to make at the commit, the steps that are left to the courier).

    The same for ever: a recovery must come to the same answer as the commit did.
    """
    if is_held_back(item):
        return (), item.steps
    deliveries = [state for state in item.steps if _is_plain(state.step)]
    if not deliveries:
        return (), item.steps
    if len(deliveries) == len(item.steps) <= AT_ONCE:
        return item.steps, ()
    now = deliveries[:AT_ONCE]
    chosen = set(map(id, now))
    return tuple(now), tuple(state for state in item.steps if id(state) not in chosen)


def is_held_back(item: Item) -> bool:
    """Whether its sender wanted it to be released only some time after it came in (RFC 4865)."""
    return item.envelope.hold_until is not None and item.envelope.hold_until > item.arrived


def _is_plain(step: Step) -> bool:
    """What comes as VPIM is converted first."""
    return isinstance(step, Deliver) and not step.from_vpim


def link_all(
    store: IStore, item: Item, states: Iterable[StepState], *, again: bool
) -> tuple[list[Deliver], list[tuple[StepState, Exception]]]:
    """Link the message at `item.path` into each mailbox: (what is delivered, what failed and why)."""
    delivered: list[Deliver] = []
    failed: list[tuple[StepState, Exception]] = []
    for state in states:
        step = state.step
        assert isinstance(step, Deliver)
        try:
            store.deliver(step.account, item.path, item.name, again=again)
        except Exception as error:  # whatever it is, the message is durable: the courier meets it again
            failed.append((replace(state, attempts=1), error))
        else:
            delivered.append(step)
    return delivered, failed


def waiting(item: Item, rest: tuple[StepState, ...], failed: list[tuple[StepState, Exception]]) -> Item | None:
    """The item of what could not be done at the commit; None when nothing is left."""
    if not failed and rest is item.steps:
        return item if rest else None
    steps = (*(state for state, _ in failed), *rest)
    return replace(item, steps=steps) if steps else None
