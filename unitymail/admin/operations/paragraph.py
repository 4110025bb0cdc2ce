"""A paragraph of a message's story, and how names and times stand in it. Refuses to know events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.step_words import named, step_words
from unitymail.interfaces.history import Event

NameOf = Callable[[str], str]
Teller = Callable[[list[Event], NameOf], "Paragraph"]
"""Events that are told together, and what ids are called → their paragraph."""
MOST_SHOWN = 20
"""Recipients told one by one; `--json` has them all."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`words` are what happened; `details` go below them, `dialogue` (what was said to a next hop) below these."""

    time: float
    words: str
    details: tuple[str, ...] = ()
    dialogue: tuple[str, ...] = ()
    bad: bool = False


def told(words: str, *details: str, dialogue: tuple[str, ...] = (), bad: bool = False) -> Paragraph:
    """A paragraph without its time."""
    return Paragraph(0.0, words, details, dialogue, bad)


def step_in_words(step: Facts, name_of: NameOf) -> str:
    """A step that its facts tell whole."""
    return step_words(named(step, name_of))


def few(names: list[str]) -> str:
    """Names with commas, as many as people read."""
    more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return ", ".join(names[:MOST_SHOWN]) + more


def moment_here(when: Any) -> str:
    """Unix seconds or an ISO time, as people here read it."""
    try:
        found = datetime.fromtimestamp(when) if isinstance(when, int | float) else datetime.fromisoformat(when)
        return found.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (TypeError, ValueError):
        return str(when)
