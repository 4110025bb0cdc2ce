"""What is said at the doorbell: one JSON list a line. Pure; refuses to know how it travels.

``["ring", account, folder]`` needs no answer; ``["rings", [account, folder], …]`` are many of them.
``["directory", usn]`` is answered ``["taken", usn]`` once the process holds that change (or a smaller number, when it
could not take it). ``["items", [[trace, when, level, hop], …]]`` says which new items wait for the courier of whom it
is told. ``["ask"]`` is answered ``["told"]`` once the process has written down how it stands (`notice`).
``["count", account]`` says that a program beside the node has changed how full that mailbox is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from unitymail.interfaces.doorbell import NewItem

_MOST_SECONDS = 1e15
MAX_LINE = 16_384
ITEMS_A_LINE = 8
LONGEST_HOP = 255
"""A longer one is not said, so that the items of a line always fit, however their hops are escaped."""


@dataclass(frozen=True, slots=True)
class Ring:
    account: str
    folder: str


@dataclass(frozen=True, slots=True)
class Rings:
    """`places` are (account, folder)."""

    places: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DirectoryChanged:
    usn: int


@dataclass(frozen=True, slots=True)
class Taken:
    usn: int


@dataclass(frozen=True, slots=True)
class NewItems:
    items: tuple[NewItem, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    pass


@dataclass(frozen=True, slots=True)
class Told:
    pass


@dataclass(frozen=True, slots=True)
class Count:
    account: str


Word = Ring | Rings | DirectoryChanged | Taken | NewItems | Ask | Told | Count


_json = json.JSONEncoder(separators=(",", ":")).encode


def lines_of(places: Iterable[tuple[str, str]]) -> bytes:
    """Rings at all these places, in as few lines as take them."""
    lines: list[str] = []
    length = MAX_LINE
    for place in places:
        one = _json(place)
        length += len(one) + 1
        if length >= MAX_LINE:
            lines.append('["rings"')
            length = len(one) + 12
        lines[-1] += f",{one}"
    return "".join(f"{line}]\n" for line in lines).encode("ascii")


def spoken(word: Word) -> bytes:
    """The line, LF included."""
    match word:
        case Ring(account, folder):
            said: list[object] = ["ring", account, folder]
        case Rings(places):
            said = ["rings", *places]
        case DirectoryChanged(usn):
            said = ["directory", usn]
        case Taken(usn):
            said = ["taken", usn]
        case NewItems(items):
            said = ["items", [item if len(item.hop) <= LONGEST_HOP else item._replace(hop="") for item in items]]
        case Ask():
            said = ["ask"]
        case Told():
            said = ["told"]
        case Count(account):
            said = ["count", account]
    return _json(said).encode("ascii") + b"\n"


def understood(line: bytes) -> Word | None:
    """What a line means; None for what this version does not know."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match said:
        case ["ring", str(account), str(folder)]:
            return Ring(account, folder)
        case ["rings", *places]:
            return Rings(tuple((one[0], one[1]) for one in places if _is_place(one)))
        case ["directory", int(usn)]:
            return DirectoryChanged(usn)
        case ["taken", int(usn)]:
            return Taken(usn)
        case ["items", [*items]]:
            return _items(items)
        case ["ask"]:
            return Ask()
        case ["told"]:
            return Told()
        case ["count", str(account)]:
            return Count(account)
    return None


def _is_place(said: object) -> bool:
    return isinstance(said, list) and len(said) == 2 and all(isinstance(name, str) for name in said)


def _items(said: list[object]) -> NewItems:
    """Those that make sense."""
    found = []
    for one in said:
        match one:
            case [str(trace), float() | int() as when, int(level), str(hop)] if abs(when) < _MOST_SECONDS:
                found.append(NewItem(trace, float(when), level, hop))
    return NewItems(tuple(found))
