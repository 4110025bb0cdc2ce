"""Replies of an SMTP server: octets in, `Reply` values out. Refuses to know which command was answered.

However the network cut the octets, the same replies come out. Everything is bounded: a line, the lines of a reply, and
with them what is kept. What comes out is printable ASCII, so that no server can break a line of a log or a report.
"""

from __future__ import annotations

import re
from functools import lru_cache

from unitymail.mail.reply import Reply, printable

LONGEST_LINE = 4_096
"""Octets. RFC 5321 4.5.3.1.5 says 512; servers that explain themselves are seen to need more."""
MOST_LINES = 200
LONGEST_TEXT = 600
"""Characters of a line that are kept."""

_USUAL = 100
"""Octets of a line that is worth remembering."""

_line = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL).fullmatch
_enhanced = re.compile(r"([245])\.([0-9]{1,3})\.([0-9]{1,3})(?: +|$)").match


class BadReply(Exception):
    """What came is no reply, or has no end; the message says which."""


class ReplyReader:
    """The octets of one connection that are no whole reply yet."""

    __slots__ = ("_buffer", "_code", "_lines", "_start")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything (RFC 3207 4.2: nothing said before TLS may be believed after it)."""
        self._buffer = b""
        self._start = 0
        self._code = b""
        self._lines: list[bytes] = []

    def feed(self, octets: bytes) -> None:
        """Take what the network brought."""
        if self._start < len(self._buffer):
            octets = self._buffer[self._start :] + octets
        self._buffer = octets
        self._start = 0

    def __len__(self) -> int:
        """Octets that belong to no reply given out yet, the lines of an unfinished one not counted."""
        return len(self._buffer) - self._start

    def next(self) -> Reply | None:
        """The next reply, or None until more is fed. Raises BadReply: then nothing that follows can be trusted."""
        while True:
            end = self._buffer.find(b"\n", self._start)
            if (end if end >= 0 else len(self._buffer)) - self._start > LONGEST_LINE:
                raise BadReply(f"a line of more than {LONGEST_LINE:,} octets")
            if end < 0:
                return None
            line = self._buffer[self._start : end]
            self._start = end + 1
            if line.endswith(b"\r"):
                line = line[:-1]
            reply = self._take(line)
            if reply is not None:
                return reply

    def _take(self, line: bytes) -> Reply | None:
        if not self._lines and len(line) <= _USUAL:
            known = _usual(line)
            if known is not None:
                return known
        found = _line(line)
        if not found:
            raise BadReply(f"`{printable(line[:60].decode('ascii', 'replace'))}`, which is no SMTP reply")
        code, separator, text = found.groups()
        if self._lines and code != self._code:
            raise BadReply(f"one reply with two codes, {self._code.decode()} and {code.decode()}")
        if separator == b"-":
            if len(self._lines) >= MOST_LINES:
                raise BadReply(f"a reply of more than {MOST_LINES} lines")
            self._code = code
            self._lines.append(text[:LONGEST_TEXT])
            return None
        lines, self._lines = [*self._lines, (text or b"")[:LONGEST_TEXT]], []
        return _reply(int(code), lines)


@lru_cache(maxsize=512)
def _usual(line: bytes) -> Reply | None:
    """The reply that a line alone is, None for another line: servers say the same over and over."""
    found = _line(line)
    return _reply(int(found[1]), [found[3] or b""]) if found and found[2] != b"-" else None


def _reply(code: int, lines: list[bytes]) -> Reply:
    texts = [printable(line.decode("ascii", "replace")) for line in lines]
    found = _enhanced(texts[-1])
    if not found or found[1] != str(code)[0]:
        return Reply(code, "", "\n".join(texts))
    enhanced = texts[-1][: found.end()].rstrip()
    return Reply(code, enhanced, "\n".join(_without(enhanced, text) for text in texts))


def _without(enhanced: str, text: str) -> str:
    """Each line of a reply repeats the enhanced code (RFC 2034 4)."""
    if not text.startswith(enhanced):
        return text
    rest = text[len(enhanced) :]
    return rest.lstrip(" ") if not rest or rest[0] == " " else text
