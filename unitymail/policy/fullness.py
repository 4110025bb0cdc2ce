"""How full a mailbox is against the limits of its user, and when the user is to be told.

Knows the three limits and that who hovers around one of them is told once; refuses to know how octets are counted and
by whom the user is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from unitymail.people.user import Quota

SLACK = 20
"""A limit is passed again once the mailbox was below it by this part of it."""


class Level(IntEnum):
    """The highest limit that a mailbox has reached."""

    ROOM = 0
    WARNING = 1
    SEND = 2
    RECEIVE = 3


_LIMITS = {Level.WARNING: "warning", Level.SEND: "send", Level.RECEIVE: "receive"}


@dataclass(frozen=True, slots=True)
class Crossed:
    """A mailbox has reached a level that its user does not know of; `at` (Unix seconds) tells it from other times."""

    account: str
    level: Level
    octets: int
    quota: Quota
    at: int


def limit_of(level: Level, quota: Quota) -> int:
    """In octets; 0 where the user has no such limit."""
    limit: int = getattr(quota, _LIMITS[level]) if level else 0
    return limit


def level_of(octets: int, quota: Quota) -> Level:
    reached = [level for level in _LIMITS if 0 < limit_of(level, quota) <= octets]
    return max(reached, default=Level.ROOM)


def level_known(told: Level, octets: int, quota: Quota) -> Level:
    """What the user counts as knowing: falls with the mailbox, a little later than that, and never rises by itself."""
    known = [
        level for level in _LIMITS
        if level <= told and (limit := limit_of(level, quota)) and octets >= limit - limit // SLACK
    ]  # fmt: skip
    return max(known, default=Level.ROOM)
