"""One file for each kind of object that the directory keeps: how it is read, checked, written and deleted.

Found by discovery: every module here with a `keeper`. Note *Refuse first*: a keeper checks everything before its first
write, so that what it refuses has changed nothing, even within a longer transaction.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any


@cache
def keepers() -> dict[type[Any], Any]:
    """Kind of value → its keeper."""
    found: dict[type[Any], Any] = {}
    for module in pkgutil.iter_modules(__path__):
        keeper = getattr(import_module(f"{__name__}.{module.name}"), "keeper", None)
        if keeper is not None:
            found[keeper.value] = keeper
    return found
