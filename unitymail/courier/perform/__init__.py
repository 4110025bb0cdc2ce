"""One file per kind of step, found by discovery: a class that provides IStepPerformer and names its step.

Its constructor asks for collaborators by keyword, out of those that the node offers: see `find_performers`.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Awaitable, Hashable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any

from unitymail.courier.outcomes import NO_PERFORMER
from unitymail.interfaces.spool import IManyStepsPerformer, IStepPerformer, Item, Outcome, StepState
from unitymail.routing.steps import Step


class Performers:
    """Who performs which step. Of several for one class, one that takes the step goes before one that takes any."""

    def __init__(self, performers: Iterable[Any] = ()) -> None:
        self._of: dict[type[Any], list[Any]] = {}
        for performer in performers:
            self._of.setdefault(performer.performs, []).append(performer)

    def of(self, step: Step) -> Any:
        """The performer of the step; None when this node has none."""
        found = self._of.get(type(step), ())
        if len(found) == 1 and not hasattr(found[0], "takes"):
            return found[0]
        choosy = (one for one in found if hasattr(one, "takes") and one.takes(step))
        return next(choosy, None) or next((one for one in found if not hasattr(one, "takes")), None)

    def put(self, performer: Any) -> None:
        """In the place of those that there are for its class."""
        self._of[performer.performs] = [performer]

    def grouped(self, states: Sequence[StepState], numbers: Sequence[int]) -> Sequence[Sequence[int]]:
        """The steps of these numbers as they go together: each group to be performed in one go."""
        if len(numbers) == 1:
            return (numbers,)
        groups: dict[Hashable, list[int]] = {}
        most: dict[Hashable, int] = {}
        for number in numbers:
            step = states[number].step
            performer: Any = self.of(step)
            if performer is not None and IManyStepsPerformer.providedBy(performer):
                key: Hashable = performer.group(step)
                most[key] = performer.together or len(numbers)
            else:
                key, most[number] = number, 1
            groups.setdefault(key, []).append(number)
        return [
            group[start : start + most[key]]
            for key, group in groups.items()
            for start in range(0, len(group), most[key])
        ]

    def perform(self, item: Item, states: Sequence[StepState]) -> Awaitable[Sequence[Outcome]]:
        """Perform the steps of one group: an outcome for each, in order."""
        performer = self.of(states[0].step)
        if hasattr(performer, "perform_many"):
            many: Awaitable[Sequence[Outcome]] = performer.perform_many(item, states)
            return many
        return _one_by_one(performer, item, states)


async def _one_by_one(performer: Any, item: Item, states: Sequence[StepState]) -> Sequence[Outcome]:
    return [NO_PERFORMER if performer is None else await performer.perform(item, state) for state in states]


def performer_classes() -> Iterator[type[Any]]:
    """Every performer class of this package."""
    for found in pkgutil.iter_modules(__path__):
        module = import_module(f"{__name__}.{found.name}")
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == module.__name__ and IStepPerformer.implementedBy(value):
                yield value


def find_performers(**collaborators: Any) -> Performers:
    """All performers, each given those collaborators that its constructor names; one that misses some is left out.

    The node offers store, spool, badmail, book, usage, doorbell, journal, threads, clock, decider, dispatch, node_id
    and what else its parts want. Without `dispatch` nothing leaves the node, and senders are told so.
    """
    wanted = {kind: inspect.signature(kind).parameters for kind in performer_classes()}
    return Performers(
        kind(**{name: collaborators[name] for name in names})
        for kind, names in wanted.items()
        if names.keys() <= collaborators.keys()
    )
