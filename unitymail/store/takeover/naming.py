"""A folder name for every directory that another program made for one, also where it is none that we would make.

Knows how Dovecot and Courier write names: modified UTF-7 or plain UTF-8 between dots, and Dovecot's listescape
(`\\2e` for a dot within a name). Refuses to know what exists on disk.
"""

from __future__ import annotations

import re
from collections.abc import Container

from unitymail.interfaces.store import MAX_NAME_OCTETS, BadFolderName
from unitymail.store.names import MAX_LEVELS, canonical, checked, decoded_level

_ESCAPED = re.compile(r"\\(2e|2f|5c|7e)", re.IGNORECASE)
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff/]")


def name_for(directory: bytes, taken: Container[str] = ()) -> str:
    """A name that a folder can have and that none of `taken` is; `directory` begins with its dot."""
    levels = [_level(level) for level in directory[1:].split(b".")]
    if len(levels) > MAX_LEVELS:
        levels[MAX_LEVELS - 1 :] = ["_".join(levels[MAX_LEVELS - 1 :])]
    return _unlike(canonical(_fitting("/".join(levels))), taken)


def _level(octets: bytes) -> str:
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), decoded_level(text))
    return _UNFIT.sub("_", text) or "_"


def _fitting(name: str, room: int = MAX_NAME_OCTETS) -> str:
    return name.encode("utf-8")[:room].decode("utf-8", "ignore").removesuffix("/")


def _unlike(name: str, taken: Container[str]) -> str:
    """The name, or the first of `name (2)`, `name (3)`, ... that is free."""
    number, wanted = 1, name
    while wanted in taken or not _is_good(wanted):
        number += 1
        tail = f" ({number})"
        wanted = _fitting(name, MAX_NAME_OCTETS - len(tail)) + tail
    return wanted


def _is_good(name: str) -> bool:
    try:
        return checked(name) == name
    except BadFolderName:
        return False
