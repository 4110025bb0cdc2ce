"""Maildir file names: the part that never changes, the flags after it, sizes, and the order of arrival.

Knows how names are read and made; refuses to know the index. Names are bytes, for a file's name need not be text.

A name seen in a folder is kept as two values: `base`, which is the message's for life, and `seen`: `n` or `c` for
new/ or cur/, followed by the suffix (`:2,` and letters, or nothing).
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import count

INFO = b":2,"
NEW, CUR = b"n", b"c"
FLAG_OF = {
    ord("D"): "\\Draft",
    ord("F"): "\\Flagged",
    ord("P"): "$Forwarded",
    ord("R"): "\\Answered",
    ord("S"): "\\Seen",
    ord("T"): "\\Deleted",
}
LETTER_OF = {flag: letter for letter, flag in FLAG_OF.items()}

Letters = tuple[str, ...]
"""The keywords that `a`, `b`, ... stand for in a folder, "" where a letter means nothing: see `letters`."""
_ARRIVAL = re.compile(rb"(\d{1,15})\.(?:M(\d{1,6})(?!\d))?")
_SIZES = re.compile(rb",S=(\d{1,18})(?=,|$)(?:,W=(\d{1,18})(?=,|$))?")
_TRACE = re.compile(rb"\d{1,15}\.([0-9a-z]{20}(?:-[0-9a-z]{1,20}){0,3})\.")
_ASKS = re.compile(rb",N=1(?=,|$)")
_OWN = re.compile(rb",O=1(?=,|$)")
_UNSAFE = {ord("/"): "\\057", ord(":"): "\\072", ord(","): "\\054"}


def split(name: bytes) -> tuple[bytes, bytes]:
    """(base, suffix) of a file's name; the suffix begins with `:2,` or is empty."""
    base, info, letters = name.partition(INFO)
    return base, info + letters


@lru_cache(1024)
def flags_of(suffix: bytes, keywords: Letters = ()) -> frozenset[str]:
    """The flags that the letters of a suffix (or of a `seen`) mean; unknown letters mean nothing."""
    meaning = FLAG_OF | _meaning(keywords)
    return frozenset(meaning[letter] for letter in suffix.partition(INFO)[2] if letter in meaning)


@lru_cache(4096)
def suffix_for(flags: frozenset[str], before: bytes, keywords: Letters = ()) -> bytes:
    """The suffix for these flags; letters in `before` that mean nothing here (another program's) stay."""
    meaning = _meaning(keywords)
    lowered = {flag.lower() for flag in flags} if meaning else set()
    letters = {letter for letter, keyword in meaning.items() if keyword.lower() in lowered}
    written = {meaning[letter].lower() for letter in letters}
    letters.update(LETTER_OF[flag] for flag in flags if flag in LETTER_OF and flag.lower() not in written)
    known = FLAG_OF.keys() | meaning.keys()
    letters.update(letter for letter in before.partition(INFO)[2] if letter not in known and chr(letter).isalpha())
    return INFO + bytes(sorted(letters))


@lru_cache(256)
def _meaning(keywords: Letters) -> dict[int, str]:
    return {ord("a") + at: word for at, word in enumerate(keywords) if word}


def path_in(folder: bytes, base: bytes, seen: bytes) -> bytes:
    """Where the file of (base, seen) is, below the folder's directory."""
    return folder + (b"/new/" if seen[:1] == NEW else b"/cur/") + base + seen[1:]


def arrival(base: bytes, otherwise: int) -> tuple[int, int, bytes]:
    """The key of arrival order: the time in the name, then the name; `otherwise` where the name has no time."""
    found = _ARRIVAL.match(base)
    return (int(found[1]), int(found[2] or 0), base) if found else (otherwise, 0, base)


def sizes_in(base: bytes) -> tuple[int, int]:
    """(octets of the file, octets in CRLF form) as the name claims with `,S=` and `,W=`; -1 for what it does not."""
    found = _SIZES.search(base)
    return (int(found[1]), int(found[2] or -1)) if found else (-1, -1)


def claimed(base: bytes, octets: int) -> int | None:
    """The size in CRLF form of a file of so many octets, where its name tells it for sure."""
    size, crlf = sizes_in(base)
    return crlf if size == crlf == octets else None


def trace_of(base: bytes) -> str:
    """The trace in the name of a message that our own delivery brought; "" for other names."""
    found = _TRACE.match(base)
    return found[1].decode("ascii") if found else ""


def asks_receipt(base: bytes) -> bool:
    """Whether the name says, with `,N=1`, that the sender wants to know when the message is heard."""
    return _ASKS.search(base) is not None


def is_own(base: bytes) -> bool:
    """Whether the name says, with `,O=1`, that the user brought the message (APPEND): nothing of it is withheld."""
    return b",O=1" in base and _OWN.search(base) is not None


def listing(directory: bytes) -> list[bytes]:
    """The names of messages in new/ or cur/."""
    return [name for name in os.listdir(directory) if name[0] != 46]


class Namer:
    """Makes names that no other process and no other moment makes."""

    def __init__(self, host: str, now: Callable[[], float]) -> None:
        self._host = host.translate(_UNSAFE) or "localhost"
        self._now = now
        self._count = count(1)
        self._pid = 0
        self._token = ""

    @property
    def mark(self) -> str:
        """What the names of this process have in common: `P<pid>R<token>`, the token drawn anew after a fork."""
        pid = os.getpid()
        if pid != self._pid:
            self._pid, self._token = pid, f"P{pid}R{secrets.token_hex(4)}"
        return self._token

    def name(self, octets: int = -1, crlf: int = -1, *, own: bool = False) -> str:
        """A fresh base for a file of so many octets, which in CRLF form is so long; -1 for what is not known.

        own: see `is_own`.
        """
        return self.names([(octets, crlf, own)])[0]

    def names(self, files: Iterable[tuple[int, int, bool]]) -> list[str]:
        """As `name`, for each of (octets, crlf, own)."""
        seconds, rest = divmod(self._now(), 1)
        moment = f"{int(seconds)}.M{int(rest * 1e6):06d}{self.mark}Q"
        host, numbers = self._host, self._count
        return [
            f"{moment}{next(numbers)}.{host}{',O=1' if own else ''}"
            f"{f',S={octets}' if octets >= 0 else ''}{f',W={crlf}' if crlf >= 0 <= octets else ''}"
            for octets, crlf, own in files
        ]


_MAKER = re.compile(r"\d+\.M\d+P(\d+)R([0-9a-f]{8})Q")


def maker_is_gone(name: str, mark: str) -> bool:
    """Whether a temporary file's name was made by a process that has ended (ours is the one with `mark`)."""
    found = _MAKER.match(name)
    if found is None or f"P{found[1]}R{found[2]}" == mark:
        return False
    if int(found[1]) == os.getpid():
        return True
    try:
        os.kill(int(found[1]), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
