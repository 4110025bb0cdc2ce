"""The patterns of LIST: `*` matches anything, `%` anything within a level.

Names and patterns are compared in UTF-8: in modified UTF-7 a wildcard would have to stand for half a character. (The
octets of a wildcard or of `/` are part of no other character.) Matching takes time in proportion to pattern × name,
whatever the pattern: a regular expression would not.
"""

from __future__ import annotations

import re

_RUN = re.compile(rb"[*%]+")
_INBOX = re.compile(rb"inbox(?=$|/)", re.IGNORECASE)


class Pattern:
    def __init__(self, pattern: bytes) -> None:
        joined = _RUN.sub(lambda run: b"*" if b"*" in run.group() else b"%", pattern)
        self._pattern = _INBOX.sub(b"INBOX", joined, count=1) if _INBOX.match(joined) else joined
        self._plain = b"*" not in joined and b"%" not in joined
        self._literal = len(joined) - joined.count(b"*") - joined.count(b"%")

    def matches(self, name: bytes) -> bool:
        """Whether the pattern covers `name`; INBOX is matched whatever the case."""
        if self._covers(self._pattern, name):
            return True
        return name == b"INBOX" and self._covers(self._pattern.upper(), name)

    def _covers(self, pattern: bytes, name: bytes) -> bool:
        if self._plain or pattern == b"*":
            return pattern in (name, b"*")
        if self._literal > len(name):
            return False
        return _covers(pattern, name)


def _covers(pattern: bytes, name: bytes) -> bool:
    """Positions in the pattern that the octets so far can have led to, as bits of one number."""
    reached = _past_wildcards(pattern, 1)
    for octet in name:
        following = 0
        left = reached
        while left:
            bit = left & -left
            left ^= bit
            at = bit.bit_length() - 1
            if at == len(pattern):
                continue
            wanted = pattern[at]
            if wanted == 0x2A or (wanted == 0x25 and octet != 0x2F):
                following |= bit
            elif wanted == octet and wanted != 0x25:
                following |= bit << 1
        reached = _past_wildcards(pattern, following)
        if not reached:
            return False
    return bool(reached >> len(pattern) & 1)


def _past_wildcards(pattern: bytes, reached: int) -> int:
    """A wildcard may also match nothing."""
    left = reached
    while left:
        bit = left & -left
        left ^= bit
        at = bit.bit_length() - 1
        if at < len(pattern) and pattern[at] in b"*%":
            reached |= bit << 1
            left |= bit << 1
    return reached
