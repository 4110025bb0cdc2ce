"""What is said at the doorbell: one JSON list a line. Pure; refuses to know how it travels.

``["ring", account, folder]`` needs no answer. ``["directory", usn]`` is answered ``["taken", usn]`` once the process
holds that change (or a smaller number, when it could not take it).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

MAX_LINE = 16_384


@dataclass(frozen=True, slots=True)
class Ring:
    account: str
    folder: str


@dataclass(frozen=True, slots=True)
class DirectoryChanged:
    usn: int


@dataclass(frozen=True, slots=True)
class Taken:
    usn: int


Word = Ring | DirectoryChanged | Taken


def spoken(word: Word) -> bytes:
    """The line, LF included."""
    match word:
        case Ring(account, folder):
            said: list[str | int] = ["ring", account, folder]
        case DirectoryChanged(usn):
            said = ["directory", usn]
        case Taken(usn):
            said = ["taken", usn]
    return json.dumps(said, separators=(",", ":")).encode("ascii") + b"\n"


def understood(line: bytes) -> Word | None:
    """What a line means; None for what this version does not know."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match said:
        case ["ring", str(account), str(folder)]:
            return Ring(account, folder)
        case ["directory", int(usn)]:
            return DirectoryChanged(usn)
        case ["taken", int(usn)]:
            return Taken(usn)
    return None
