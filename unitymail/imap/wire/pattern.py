"""The patterns of LIST: `*` matches anything, `%` anything within a level.

Names and patterns are compared in UTF-8: in modified UTF-7 a wildcard would have to stand for half a character. (The
octets of a wildcard or of `/` are part of no other character.) Matching takes a few steps for each octet of a name,
whatever the pattern: a regular expression would not.
"""

from __future__ import annotations

import re

_RUN = re.compile(rb"[*%]+")
_INBOX = re.compile(rb"inbox(?=$|/)", re.IGNORECASE)
_SEPARATOR = ord("/")


class Pattern:
    def __init__(self, pattern: bytes) -> None:
        joined = _RUN.sub(lambda run: b"*" if b"*" in run.group() else b"%", pattern)
        self._pattern = _INBOX.sub(b"INBOX", joined, count=1) if _INBOX.match(joined) else joined
        self._literal = len(joined) - joined.count(b"*") - joined.count(b"%")
        self._automaton: _Automaton | None = None

    def matches(self, name: bytes) -> bool:
        """Whether the pattern covers `name`; INBOX is matched whatever the case."""
        if self._pattern == b"*":
            return True
        if self._literal > len(name):
            return False
        if self._automaton is None:
            self._automaton = _Automaton(self._pattern)
        return self._automaton.covers(name) or (name == b"INBOX" and _Automaton(self._pattern.upper()).covers(name))


class _Automaton:
    """Positions in the pattern that the octets so far can have led to, as bits of one number: all of them move at once.

    No two wildcards stand side by side.
    """

    __slots__ = ("_all", "_at", "_end", "_wild")

    def __init__(self, pattern: bytes) -> None:
        self._at = {octet: _bits(pattern, bytes([octet])) for octet in set(pattern) - set(b"*%")}
        self._all = _bits(pattern, b"*")
        self._wild = self._all | _bits(pattern, b"%")
        self._end = 1 << len(pattern)

    def covers(self, name: bytes) -> bool:
        reached = self._past_wildcards(1)
        for octet in name:
            stay = self._all if octet == _SEPARATOR else self._wild
            reached = self._past_wildcards(reached & stay | (reached & self._at.get(octet, 0)) << 1)
            if not reached:
                return False
        return bool(reached & self._end)

    def _past_wildcards(self, reached: int) -> int:
        """A wildcard may also match nothing."""
        return reached | (reached & self._wild) << 1


def _bits(pattern: bytes, octet: bytes) -> int:
    """Where the octet stands in the pattern."""
    return sum(1 << at for at in range(len(pattern)) if pattern[at : at + 1] == octet)
