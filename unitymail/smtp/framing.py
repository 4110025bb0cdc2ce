"""Where lines and messages end in what an SMTP client sends. Refuses to know what a line means, or where it came from.

Octets in, by `feed`; lines, message octets or counted octets out, by `line`, `data` and `chunk`, whichever the caller
expects next. How the network cut the octets never changes what comes out.

*Note: the seam.* A message ends with CRLF.CRLF, and the CRLF of the DATA command counts as its first (RFC 5321
4.1.1.4). So DATA begins as if that CRLF were still to come, and a block never ends within what may be the beginning of
CRLF.CRLF: at most four octets are held back. That one invariant removes every other boundary case: there is no line
too long for it, a CR is never parted from its LF, and a dot to be removed is always seen with the CRLF before it.

*Note: chunks.* The octets of BDAT are counted, so nothing in them is looked for, and nothing behind them is touched.
Where a client cuts a message into chunks means nothing either: `Pieces` puts them together such that what is said of
blocks of DATA holds of them too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CRLF = b"\r\n"
ENDLESS = 65_536
"""Octets after which an over-long line is given up, ended or not."""

_dot_after_crlf = re.compile(rb"\r\n\.").search
_end_of_data = re.compile(rb"\r\n\.\r\n").search
_line_ends = re.compile(rb"\r\n|\r|\n")


class LineTooLong(Exception):
    """Raised once per line. The rest of the line is passed over, unless it is `endless`: then nothing follows."""

    def __init__(self, *, endless: bool) -> None:
        super().__init__(endless)
        self.endless = endless


@dataclass(slots=True)
class Flaws:
    """What a message had that RFC 5321 2.3.8 and 4.1.1.4 forbid."""

    bare: bool = False
    nul: bool = False

    def look_at(self, octets: bytes) -> None:
        """The next octets of the message, in which no CR is parted from its LF."""
        if not self.bare:
            # What is left of a bare CR or LF stays, whatever it comes to stand beside.
            rest = octets.replace(CRLF, b"")
            self.bare = b"\n" in rest or b"\r" in rest
        if not self.nul:
            self.nul = b"\0" in octets


class Framer:
    """The octets of one connection that wait for their turn."""

    __slots__ = ("_buffer", "_counted", "_lead", "_passed", "_start", "flaws")

    def __init__(self) -> None:
        self._buffer = b""
        self._start = 0
        self._passed = 0
        self._lead = 0
        self._counted = 0
        self.flaws = Flaws()

    def __len__(self) -> int:
        """Octets that wait."""
        return len(self._buffer) - self._start

    def feed(self, octets: bytes) -> None:
        """Take what the network brought."""
        if self._start < len(self._buffer):
            octets = self._buffer[self._start :] + octets
        self._buffer = octets
        self._start = 0

    def clear(self) -> None:
        """Forget everything (RFC 3207 4.2: nothing said before TLS may be believed after it)."""
        self._buffer = b""
        self._start = self._passed = self._lead = self._counted = 0

    def line(self, limit: int) -> bytes | None:
        """The next line without its CRLF, or None when it has not ended yet. Raises LineTooLong above `limit`."""
        start = self._start
        end = self._buffer.find(CRLF, start)
        if self._passed or (end if end >= 0 else self._last_of_line()) - start > limit:
            return self._pass_over(end, limit)
        if end < 0:
            return None
        self._start = end + 2
        return self._buffer[start:end]

    def _last_of_line(self) -> int:
        """Where a line that has not ended stops being certain: its last octet may be the CR of an end to come."""
        return len(self._buffer) - (self._buffer[-1:] == b"\r")

    def _pass_over(self, end: int, limit: int) -> bytes | None:
        """Say once that the line is too long, drop it as it comes, and give the line after it."""
        first = not self._passed
        stop = end if end >= 0 else self._last_of_line()
        self._passed += stop - self._start
        self._start = stop
        if first:
            raise LineTooLong(endless=False)
        if self._passed > ENDLESS:
            raise LineTooLong(endless=True)
        if end < 0:
            return None
        self._passed = 0
        self._start = end + 2
        return self.line(limit)

    def begin_data(self) -> None:
        """What follows is a message (see Note: the seam)."""
        if self._buffer[max(0, self._start - 2) : self._start] == CRLF:
            self._start -= 2
        else:
            self._buffer = CRLF + self._buffer[self._start :]
            self._start = 0
        self._lead = 2
        self.flaws = Flaws()

    def data(self) -> tuple[bytes, bool]:
        """(octets with the transparency dots removed, whether the message ends here). Empty and False: feed more.

        `flaws` tells of all octets so far. Each pair of CR and LF is within one block.
        """
        buffer, start, lead = self._buffer, self._start, self._lead
        dot = _dot_after_crlf(buffer, start)
        end = _end_of_data(buffer, dot.start()) if dot else None
        if end:
            stop, self._start = end.start() + 2, end.end()
        else:
            self._start = stop = self._safe_end()
        if stop == start:
            return b"", False
        self._lead = 0
        if dot and dot.start() < stop - 2:
            octets = buffer[start:stop].replace(CRLF + b".", CRLF)[lead:]
        else:
            octets = buffer[start + lead : stop]
        self.flaws.look_at(octets)
        return octets, end is not None

    def begin_chunk(self, octets: int) -> None:
        """What follows is so many octets, whatever they are."""
        self._counted = octets

    def chunk(self) -> tuple[bytes, bool]:
        """(octets, whether the chunk ends here); nothing is held back. Empty and False: feed more."""
        start = self._start
        self._start = stop = min(start + self._counted, len(self._buffer))
        self._counted -= stop - start
        return self._buffer[start:stop], not self._counted

    def _safe_end(self) -> int:
        """Where the end that may be the beginning of CRLF.CRLF starts; the length when it is none."""
        size = len(self._buffer)
        for held in range(min(4, size - self._start), 0, -1):
            if self._buffer.endswith(b"\r\n.\r"[:held]):
                return size - held
        return size


class Pieces:
    """A message that was cut anywhere, into pieces that never part a CR from its LF; `flaws` tells of all so far.

    `size` counts what came in, the last octet too when that is a CR which waits for the octet behind it.
    """

    __slots__ = ("_last", "_waits", "flaws", "size")

    def __init__(self) -> None:
        self.flaws = Flaws()
        self.size = 0
        self._waits = b""
        self._last = b""

    def take(self, octets: bytes) -> bytes:
        """The next octets as a block; it may be empty."""
        self.size += len(octets)
        if self._waits:
            octets = self._waits + octets
        self._waits = octets[-1:] if octets.endswith(b"\r") else b""
        return self._looked_at(octets[:-1] if self._waits else octets)

    def end(self) -> bytes:
        """What ends the message: a CR that nothing followed, or the line end of a last line that has none."""
        rest, self._waits = self._looked_at(self._waits), b""
        return rest or (CRLF if self._last and not self._last.endswith(b"\n") else b"")

    def _looked_at(self, octets: bytes) -> bytes:
        if octets:
            self.flaws.look_at(octets)
            self._last = octets[-1:]
        return octets


def with_crlf(octets: bytes) -> bytes:
    """Every bare CR and LF as CRLF, for the old senders whom the access list forgives. Right for a block of `data`."""
    return _line_ends.sub(CRLF, octets)
