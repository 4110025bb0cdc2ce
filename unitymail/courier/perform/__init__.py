"""One file per kind of step, found by discovery: a class that provides IStepPerformer and names its step.

Its constructor asks for collaborators by keyword, out of those that the node offers: see `find_performers`.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from unitymail.interfaces.spool import IStepPerformer


def performer_classes() -> Iterator[type[Any]]:
    """Every performer class of this package."""
    for found in pkgutil.iter_modules(__path__):
        module = import_module(f"{__name__}.{found.name}")
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == module.__name__ and IStepPerformer.implementedBy(value):
                yield value


def find_performers(**collaborators: Any) -> dict[type[Any], Any]:
    """A performer for each step class that has one.

    The node offers store, spool, badmail, book, usage, doorbell, journal, threads, clock and decider; each performer
    is given those that its constructor names.
    """
    performers: dict[type[Any], Any] = {}
    for kind in performer_classes():
        wanted = inspect.signature(kind).parameters
        performers[kind.performs] = kind(**{name: collaborators[name] for name in wanted})
    return performers
