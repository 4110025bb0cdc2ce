"""What a parent and its workers say to each other: one JSON list a line. Pure; refuses to know how it travels.

To the worker: ``["begin", {…}]`` first, with all it has to know; ``["cover", [berth, …]]`` for whom it accepts
connections besides itself; ``["reload"]`` and ``["stop"]``. From the worker: ``["ready"]`` once it serves,
``["beat", {name: value}]`` each second with what it reports, ``["leaving"]`` when it was told by others to stop.
Both ways: ``["ledger", …]`` (`ledger.words`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from unitymail.ledger import words as ledger

MAX_LINE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Begin:
    """`facts` as `workers.brief` writes and reads them."""

    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cover:
    """Accept for these berths, too, and for no others."""

    berths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reload:
    pass


@dataclass(frozen=True, slots=True)
class Stop:
    pass


@dataclass(frozen=True, slots=True)
class Ready:
    pass


@dataclass(frozen=True, slots=True)
class Beat:
    reports: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leaving:
    pass


@dataclass(frozen=True, slots=True)
class OfLedger:
    word: ledger.Word


Word = Begin | Cover | Reload | Stop | Ready | Beat | Leaving | OfLedger
_BARE: dict[type, str] = {Reload: "reload", Stop: "stop", Ready: "ready", Leaving: "leaving"}
_OF_NAME = {name: kind for kind, name in _BARE.items()}


def spoken(word: Word) -> bytes:
    """The line, LF included."""
    match word:
        case Begin(facts):
            said: list[Any] = ["begin", facts]
        case Cover(berths):
            said = ["cover", list(berths)]
        case Beat(reports):
            said = ["beat", reports]
        case OfLedger(about):
            said = ["ledger", *ledger.spoken(about)]
        case _:
            said = [_BARE[type(word)]]
    return json.dumps(said, separators=(",", ":")).encode("ascii") + b"\n"


def understood(line: bytes) -> Word | None:
    """What a line means; None for what is no word."""
    try:
        return _understood(json.loads(line))
    except (ValueError, TypeError, IndexError, OverflowError, RecursionError):
        return None


def _understood(said: Any) -> Word | None:
    match said:
        case ["begin", dict(facts)]:
            return Begin(facts)
        case ["cover", [*berths]]:
            return Cover(tuple(int(berth) for berth in berths))
        case ["beat", dict(reports)]:
            return Beat(reports)
        case ["ledger", *rest]:
            about = ledger.understood(rest)
            return OfLedger(about) if about is not None else None
        case [str(name)] if name in _OF_NAME:
            word: Word = _OF_NAME[name]()
            return word
    return None
