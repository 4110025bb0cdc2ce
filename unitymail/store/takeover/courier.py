"""The keywords that Courier keeps in a folder's `courierimapkeywords`. Refuses to know which messages exist.

`:list` holds the keywords, one a line, an empty line, and for each message `NAME:0 2`, the numbers of its keywords.
What changed since is in files of their own, keywords one a line: `.7.NAME`, of which the highest number counts, and
`NAME`, which counts above all.
"""

from __future__ import annotations

import os
import re

from unitymail.store.keeping import read_plain
from unitymail.store.letters import is_keyword

DIRECTORY = b"courierimapkeywords"
LIST = b":list"
_LARGEST = 16 * 1024 * 1024
_CHANGED = re.compile(rb"(?:\.(\d{1,18})\.)?([^.:].*)")


def keywords_in(directory: bytes) -> dict[bytes, frozenset[str]]:
    """Base name → keywords, for the folder in `directory`."""
    place = os.path.join(directory, DIRECTORY)
    if os.path.islink(place):
        return {}
    try:
        entries = os.listdir(place)
    except OSError:
        return {}
    found = listed(_octets(os.path.join(place, LIST)))
    for base, entry in _newest(entries).items():
        found[base] = _names(_octets(os.path.join(place, entry)).split(b"\n"))
    return {base: keywords for base, keywords in found.items() if keywords}


def listed(text: bytes) -> dict[bytes, frozenset[str]]:
    """What `:list` says; a line that is damaged says nothing."""
    head, _, rest = (b"\n" + text).partition(b"\n\n")
    names = head.split(b"\n")[1:]
    found = {}
    for line in rest.split(b"\n"):
        base, colon, numbers = line.rpartition(b":")
        if colon and base and all(number.isdigit() and len(number) < 9 for number in numbers.split()):
            chosen = [int(number) for number in numbers.split()]
            found[base] = _names([names[number] for number in chosen if number < len(names)])
    return found


def _newest(entries: list[bytes]) -> dict[bytes, bytes]:
    """Base name → the file that counts."""
    best: dict[bytes, tuple[int, bytes]] = {}
    for entry in entries:
        if found := _CHANGED.fullmatch(entry):
            rank = int(found[1]) if found[1] else 10**18
            best[found[2]] = max(best.get(found[2], (-1, b"")), (rank, entry))
    return {base: entry for base, (_, entry) in best.items()}


def _names(lines: list[bytes]) -> frozenset[str]:
    return frozenset(line.decode("ascii") for line in lines if is_keyword(line))


def _octets(path: bytes) -> bytes:
    try:
        return read_plain(path, _LARGEST)
    except OSError:
        return b""
