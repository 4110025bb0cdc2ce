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
MOST_TEXT = 8_192
"""Characters that are kept of the lines before the last: a thousand recipients may be answered at such length."""

_USUAL = 1_024
"""Octets of a few replies at once whose lines are worth remembering."""

_line = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL).fullmatch
_enhanced = re.compile(r"([245])\.([0-9]{1,3})\.([0-9]{1,3})(?: +|$)").match


class ReplyReader:
    """The octets of one connection that are no whole reply yet.

    `flaw` tells what came that is no reply, or has no end: nothing that follows it is read, or can be trusted.
    """

    __slots__ = ("_code", "_lines", "_rest", "_room", "flaw")

    def __init__(self) -> None:
        self.flaw: str | None = None
        self.clear()

    def clear(self) -> None:
        """Forget what is unfinished."""
        self._rest = b""
        self._code = b""
        self._lines: list[bytes] = []
        self._room = MOST_TEXT

    def __len__(self) -> int:
        """Octets that belong to no reply given out yet, the lines of an unfinished one not counted."""
        return len(self._rest)

    @property
    def is_between_replies(self) -> bool:
        """Whether nothing came behind the last whole reply."""
        return not (self._rest or self._lines or self.flaw)

    def read(self, octets: bytes) -> list[Reply]:
        """The replies that are whole with these octets, up to a flaw."""
        if self.flaw is not None:
            return []
        if self._rest:
            octets = self._rest + octets
        lines = octets.split(b"\n")
        self._rest = lines.pop()
        if not self._lines and len(octets) <= _USUAL:
            replies = list(map(_usual, lines))
            if all(replies):
                return replies  # type: ignore[return-value]
        return self._read(lines)

    def _read(self, lines: list[bytes]) -> list[Reply]:
        replies: list[Reply] = []
        for line in lines:
            reply = self._take(line)
            if self.flaw is not None:
                self.clear()
                return replies
            if reply is not None:
                replies.append(reply)
        if len(self._rest) > LONGEST_LINE:
            self._too_long()
        return replies

    def _too_long(self) -> None:
        self.flaw = f"a line of more than {LONGEST_LINE:,} octets"
        self._rest = b""

    def _take(self, line: bytes) -> Reply | None:
        """The reply that this line ends, if it does."""
        if len(line) > LONGEST_LINE:
            self._too_long()
            return None
        line = line.removesuffix(b"\r")
        found = _line(line)
        if not found:
            self.flaw = f"`{printable(line[:60].decode('ascii', 'replace'))}`, which is no SMTP reply"
            return None
        code, separator, text = found.groups()
        if self._lines and code != self._code:
            self.flaw = f"one reply with two codes, {self._code.decode()} and {code.decode()}"
            return None
        if separator == b"-":
            if len(self._lines) >= MOST_LINES:
                self.flaw = f"a reply of more than {MOST_LINES} lines"
            self._code = code
            self._lines.append(text[: min(LONGEST_TEXT, self._room)])
            self._room -= len(self._lines[-1])
            return None
        lines, self._lines, self._room = [*self._lines, (text or b"")[:LONGEST_TEXT]], [], MOST_TEXT
        return _reply(int(code), lines)


@lru_cache(maxsize=512)
def _usual(line: bytes) -> Reply | None:
    """The reply that a line alone is, None for another line: servers say the same over and over."""
    found = _line(line.removesuffix(b"\r"))
    return _reply(int(found[1]), [(found[3] or b"")[:LONGEST_TEXT]]) if found and found[2] != b"-" else None


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
