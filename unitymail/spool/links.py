"""Which steps of a new message are done at its commit, and making those links. Refuses to know about records.

Deliveries to the first hundred mailboxes are linked before the client's 250; everything else becomes an item.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from unitymail.interfaces.spool import Item, StepState
from unitymail.interfaces.store import IStore
from unitymail.routing.steps import Deliver

AT_ONCE = 100


def split(states: tuple[StepState, ...]) -> tuple[tuple[StepState, ...], tuple[StepState, ...]]:
    """(the deliveries to make at the commit, the steps that are left to the courier)."""
    deliveries = [state for state in states if isinstance(state.step, Deliver)]
    if len(deliveries) == len(states) <= AT_ONCE:
        return states, ()
    now = deliveries[:AT_ONCE]
    chosen = set(map(id, now))
    return tuple(now), tuple(state for state in states if id(state) not in chosen)


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
    steps = (*(state for state, _ in failed), *rest)
    return replace(item, steps=steps) if steps else None
