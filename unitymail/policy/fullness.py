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


_LIMITS = ((Level.RECEIVE, "receive"), (Level.SEND, "send"), (Level.WARNING, "warning"))
"""The highest first, with what the quota calls it: octets, 0 where the user has no such limit."""


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
    return next((getattr(quota, name) for known, name in _LIMITS if known is level), 0)


def level_of(octets: int, quota: Quota) -> Level:
    for level, limit in _LIMITS:
        if 0 < getattr(quota, limit) <= octets:
            return level
    return Level.ROOM


def level_known(told: Level, octets: int, quota: Quota) -> Level:
    """What the user counts as knowing: falls with the mailbox, a little later than that, and never rises by itself."""
    for level, name in _LIMITS:
        if level <= told and (limit := getattr(quota, name)) and octets >= limit - limit // SLACK:
            return level
    return Level.ROOM
