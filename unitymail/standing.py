"""What waits on the disk of a node, and what is left of it: counted by looking, from any process. Blocking.

Knows where messages lie; refuses to know any of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from unitymail.mail.trace import moment_of
from unitymail.settings.node import NodeSettings

MESSAGE = ".eml"


@dataclass(frozen=True, slots=True)
class Standing:
    """`oldest_s` is the age of the oldest message that waits, 0 for none; `free` octets by key of the table [paths]."""

    queue: int
    oldest_s: float
    shunted: int
    bad_mail: int
    free: dict[str, int]


def look(settings: NodeSettings, now: float) -> Standing:
    """`now` is Unix seconds. What cannot be looked at counts as nothing there."""
    spool = settings.path(settings.paths.spool)
    waiting = _names(os.path.join(spool, "items"))
    free = ((place, _free(settings.path(getattr(settings.paths, place)))) for place in ("accounts", "spool"))
    return Standing(
        len(waiting), _age_of_oldest(waiting, now), len(_names(os.path.join(spool, "shunted"))),
        len(_names(os.path.join(spool, "badmail"))), {place: left for place, left in free if left is not None},
    )  # fmt: skip


def _names(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.endswith(MESSAGE)]
    except OSError:
        return []


def _age_of_oldest(names: Iterable[str], now: float) -> float:
    """Trace ids sort by their moment."""
    made = (moment_of(name.removesuffix(MESSAGE)) for name in sorted(names))
    first = next((moment for moment in made if moment is not None), None)
    return max(now - first, 0.0) if first is not None else 0.0


def _free(path: str) -> int | None:
    try:
        disk = os.statvfs(path)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize
