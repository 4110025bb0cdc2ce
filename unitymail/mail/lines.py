"""What lines a stretch of a message holds: binary octets, 8-bit text, lines that are too long. Refuses to know why.

In blocks, with no copy of a large message; linear whatever it holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.mail.part import Octets
from unitymail.mail.windows import WINDOW, blocks, let_go

LONGEST_LINE = 998
"""RFC 5321 4.5.3.1.6, RFC 2045 2.7: without its CRLF."""


@dataclass(frozen=True, slots=True)
class Lines:
    """`bare`: a CR or LF that is not part of a line end. `long`: a line of more than LONGEST_LINE octets."""

    nul: bool = False
    bare: bool = False
    eight_bit: bool = False
    long: bool = False


def lines_of(buffer: Octets, start: int, end: int) -> Lines:
    """What stands between two offsets."""
    nul = bare = eight_bit = False
    for block in blocks(buffer, start, end):
        nul = nul or b"\0" in block
        eight_bit = eight_bit or not block.isascii()
        bare = bare or not block.count(b"\n") == block.count(b"\r") == block.count(b"\r\n")
    return Lines(nul, bare, eight_bit, has_long_line(buffer, start, end))


def has_long_line(buffer: Octets, start: int, end: int) -> bool:
    """Whether any line is too long. From line to line, as far as one may reach: few looks, whatever their length."""
    kept_from = start
    while end - start > LONGEST_LINE:
        found = buffer.rfind(b"\n", start, min(start + LONGEST_LINE + 2, end))
        if found < 0:
            return True
        start = found + 1
        if start - kept_from > WINDOW:
            let_go(buffer, kept_from, start)
            kept_from = start
    return False
