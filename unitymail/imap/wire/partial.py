"""A page of results: `501:1000`, or `-1:-100` counted from the last one (RFC 9394, 3.1 and 4).

Knows positions among results; refuses to know what was found.
"""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.imap.wire.lexer import Reader
from unitymail.imap.wire.sequence import Span


@dataclass(frozen=True, slots=True)
class Page:
    """Both ends included, as the client wrote them: positive from the first result, negative from the last."""

    begin: int
    end: int

    def span(self, count: int) -> Span:
        """The half-open span of positions among `count` results; an empty one when the page lies beyond them."""
        low, high = sorted((self.begin, self.end))
        if low < 0:
            return max(count + low, 0), max(count + high + 1, 0)
        return min(low - 1, count), min(high, count)

    def octets(self) -> bytes:
        return b"%d:%d" % (self.begin, self.end)


def page(reader: Reader) -> Page:
    """Read a range: two numbers of the same sign, neither zero nor `*`."""
    sign = -1 if reader.peek() == b"-" else 1
    begin = _end(reader, sign)
    reader.expect(b":")
    return Page(begin, _end(reader, sign))


def _end(reader: Reader, sign: int) -> int:
    if sign < 0:
        reader.expect(b"-")
    return sign * reader.number(low=1)
