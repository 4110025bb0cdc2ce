"""Content-Transfer-Encoding taken off piece by piece (RFC 2045 6), so that a large body is never in memory as a whole.

Knows base64 and quoted-printable, as leniently as `transfer` does; refuses to know where the octets come from. A
decoder's whole state is its `rest`: what it has been fed and could not decode yet. So decoding can be taken up again at
any place whose `rest` was noted.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp
from typing import Protocol

from unitymail.mail.transfer import from_base64, only_base64

PLAIN = ("7bit", "8bit", "binary")
_PADDING = re.compile(rb"=++")
_SPACE_BEFORE_END = re.compile(rb"=[ \t]++(?=\r?\n|\Z)")
_LONGEST_REST = 4_096


class Decoder(Protocol):
    rest: bytes

    def feed(self, octets: bytes) -> bytes:
        """What can be decoded now."""

    def end(self) -> bytes:
        """What is left, with nothing more to come."""


class Base64:
    """Padding in the middle ends one piece and begins the next; a broken last quantum is cut."""

    def __init__(self, rest: bytes = b"") -> None:
        self.rest = rest

    def feed(self, octets: bytes) -> bytes:
        joined = self.rest + octets.translate(None, b"\r\n")
        whole = len(joined) - len(joined) % 4
        try:
            # What is well-formed: an exception at the first octet that does not belong there, padding included.
            decoded = a2b_base64(joined[:whole], strict_mode=True) if b"=" not in joined else None
        except Error:
            decoded = None
        if decoded is None or only_base64(joined[whole:]) != joined[whole:]:
            return self._leniently(octets)
        self.rest = joined[whole:]
        return decoded

    def _leniently(self, octets: bytes) -> bytes:
        *ended, last = _PADDING.split(self.rest + only_base64(octets))
        whole = len(last) - len(last) % 4
        self.rest = last[whole:]
        return b"".join([*map(from_base64, ended), from_base64(last[:whole])])

    def end(self) -> bytes:
        rest, self.rest = self.rest, b""
        return from_base64(rest)


class QuotedPrintable:
    """Line by line. White space that a relay put after a soft line break is forgiven."""

    def __init__(self, rest: bytes = b"") -> None:
        self.rest = rest

    def feed(self, octets: bytes) -> bytes:
        waiting = self.rest + octets
        cut = waiting.rfind(b"\n") + 1
        if len(waiting) - cut > _LONGEST_REST:
            cut = _between_characters(waiting)
        self.rest = waiting[cut:]
        return _from_lines(waiting[:cut])

    def end(self) -> bytes:
        rest, self.rest = self.rest, b""
        return _from_lines(rest)


def _between_characters(line: bytes) -> int:
    """Where a line too long to wait for its end can be cut: before what may be an unfinished `=XX` or soft break."""
    bare = line.rstrip(b" \t\r")
    escape = bare.rfind(b"=", len(bare) - 2)
    cut = escape if escape >= 0 else len(bare)
    return cut if len(line) - cut <= _LONGEST_REST else len(line)


def _from_lines(octets: bytes) -> bytes:
    if b"= " in octets or b"=\t" in octets:
        octets = _SPACE_BEFORE_END.sub(b"=", octets)
    return a2b_qp(octets)


class Plain:
    """No encoding."""

    def __init__(self, rest: bytes = b"") -> None:
        self.rest = b""

    def feed(self, octets: bytes) -> bytes:
        return octets

    def end(self) -> bytes:
        return b""


_DECODERS: dict[str, type[Base64] | type[QuotedPrintable] | type[Plain]] = {
    "base64": Base64, "quoted-printable": QuotedPrintable, **dict.fromkeys(PLAIN, Plain),
}  # fmt: skip


def decoder(encoding: str, rest: bytes = b"") -> Decoder | None:
    """For an encoding in lower case, going on from `rest`; None for one that nobody here knows."""
    made = _DECODERS.get(encoding)
    return None if made is None else made(rest)
