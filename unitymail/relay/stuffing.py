"""How a message goes over the wire: CRLF at the end of each line, and dots made transparent (RFC 5321 4.5.2).

Octets in, octets out, in blocks of any size: where a block ends never matters, since what the end of a block leaves
open (a CR whose LF may follow, a line that may begin with a dot) is remembered. Refuses to know where octets come from.

*Note: no smuggling.* A bare CR or LF that another system takes for the end of a line turns what follows into commands.
Ours are all CRLF before they are stored; files that others wrote may not be. So every bare one goes out as CRLF.
"""

from __future__ import annotations

CRLF = b"\r\n"


class Lines:
    """Text as whole CRLF lines, for BDAT."""

    __slots__ = ("_at_line_start", "_cr")

    def __init__(self) -> None:
        self._cr = False
        self._at_line_start = True

    def block(self, octets: bytes) -> bytes:
        """The next octets of the message, ready for the wire."""
        if self._cr:
            octets = b"\r" + octets
        self._cr = octets.endswith(b"\r")
        if self._cr:
            octets = octets[:-1]
        if not octets:
            return octets
        if not octets.count(CRLF) == octets.count(b"\n") == octets.count(b"\r"):
            octets = octets.replace(CRLF, b"\n").replace(b"\r", b"\n").replace(b"\n", CRLF)
        octets = self._transparent(octets)
        self._at_line_start = octets.endswith(CRLF)
        return octets

    def _transparent(self, octets: bytes) -> bytes:
        return octets

    def end(self) -> bytes:
        """What follows the last block."""
        return b"" if self._at_line_start and not self._cr else CRLF


class DottedLines(Lines):
    """Text with transparent dots and the final one, for DATA."""

    __slots__ = ()

    def _transparent(self, octets: bytes) -> bytes:
        if b"\n." in octets:
            octets = octets.replace(b"\r\n.", b"\r\n..")
        return b"." + octets if self._at_line_start and octets.startswith(b".") else octets

    def end(self) -> bytes:
        return b".\r\n" if self._at_line_start and not self._cr else b"\r\n.\r\n"
