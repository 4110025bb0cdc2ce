"""Whole commands out of the octets of a client, one at a time, when asked for; literals of all kinds collected.

Octets go in with `feed`, values come out with `next_command` and its sisters; None means that more octets are needed.
Where the octets were split on their way makes no difference. Knows limits and literals; refuses to know any command,
but for the few whose literals are streamed (`uploads`: name → how many arguments stand before the first such literal).

Note: *What is refused is still read.* The octets of a non-synchronising literal follow whatever we answer. They and the
rest of their command are skipped, never taken for commands; beyond `MAX_SKIPPED` octets the connection has to end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from unitymail.imap.wire.lexer import Announced, Literal, Part

MAX_TEXT = 65_536
"""Octets of one command, literals not counted."""
MAX_LITERALS = 131_072
"""Octets of all collected literals of one command."""
MOST_LITERALS = 1_000
MAX_SKIPPED = 64 * 1024 * 1024
MAX_SKIPPED_LINE = 1024 * 1024
BLOCK = 65_536

_TAG_OCTETS = rb"[^\x00-\x20(){%*\"\\+\x7f-\xff]{1,128}"
_TAG = re.compile(_TAG_OCTETS + rb"(?= |$)")
_HEAD = re.compile(b"(" + _TAG_OCTETS + rb") (?:(UID) +)?([A-Z][A-Z0-9-]*)(?: |$)", re.IGNORECASE)
_MARK = re.compile(rb"(~?)\{([0-9]+)(\+?)\}")
_ARGUMENT = rb"(?:\"(?:[^\"\\]|\\.)*+\"|[^ \"]++) "


@dataclass(frozen=True, slots=True)
class Assembled:
    """A whole command; or, when the last part is `Announced`, one whose literals the command itself streams in.

    `name` is in upper case. `parts` begin after the space that follows the name.
    """

    tag: bytes
    name: str
    by_uid: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """The client waits for `+` before it sends a literal that will be collected."""

    octets: int


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that needs no command to run. `fatal`: too much would have to be skipped, the connection must end."""

    tag: bytes
    status: bytes
    text: str
    code: bytes = b""
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Continued:
    """The text after a streamed literal; it may end in the next one."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class _Mark:
    size: int
    synchronising: bool
    binary: bool


class Assembler:
    """`upload_limit`: octets of one streamed literal, 0 for no limit."""

    def __init__(self, uploads: Mapping[str, int], *, upload_limit: int = 0) -> None:
        self._leading = {name: _leading(arguments) for name, arguments in uploads.items()}
        self.upload_limit = upload_limit
        self._buffer = bytearray()
        self._scanned = 0
        self._begin()
        self._upload: Announced | None = None
        self._upload_left = 0
        self._granted = False
        self._skip_octets = 0
        self._skip_line = False
        self._skipped = 0
        self._tail = b""

    def _begin(self) -> None:
        self._head: tuple[bytes, str, bool] | None = None
        self._parts: list[Part] = []
        self._text_octets = 0
        self._literal_octets = 0
        self._literals = 0
        self._collecting: _Mark | None = None

    def feed(self, octets: bytes) -> None:
        self._buffer += octets

    def clear(self) -> None:
        """Forget everything received (STARTTLS: what came before the handshake must not count after it)."""
        self._buffer.clear()
        self._scanned = 0
        self._begin()
        self._upload = None
        self._skip_octets = 0
        self._skip_line = False

    def rest(self) -> bytes:
        """Everything received and not yet taken, which the caller has from now on."""
        return self._cut(len(self._buffer))

    @property
    def waiting(self) -> int:
        """Octets received and not yet taken."""
        return len(self._buffer)

    # Commands

    def next_command(self) -> Assembled | Ask | Refused | None:
        """The next command, or what must be answered before it can be complete."""
        while True:
            if self._skip_octets or self._skip_line:
                outcome = self._skip()
                if outcome is not True:
                    return outcome or None
            if self._collecting is not None and not self._collect(self._collecting):
                return None
            line = self._line(MAX_TEXT - self._text_octets)
            if line is None:
                return None
            if isinstance(line, Overlong):
                return self._refuse_line(line)
            found = self._take(line)
            if found is not None:
                return found

    def _take(self, line: bytes) -> Assembled | Ask | Refused | None:
        """One more line of text; None when a non-synchronising literal follows."""
        text, mark = _split(line)
        self._text_octets += len(line)
        if self._head is None:
            head = _HEAD.match(text)
            if head is None:
                return self._refuse_head(line, mark)
            self._head = (head.group(1), head.group(3).decode("ascii").upper(), head.group(2) is not None)
            text = text[head.end() :]
        if text:
            self._parts.append(text)
        tag, name, _ = self._head
        if mark is None:
            return self._whole()
        if name in self._leading and self._leading[name].match(self._outline()):
            return self._announce(mark)
        self._literal_octets += mark.size
        self._literals += 1
        if self._literal_octets > MAX_LITERALS:
            text_of = f"Literals of one command may have {MAX_LITERALS} octets"
            return self._refuse(tag, b"BAD", text_of, b"TOOBIG", mark)
        if self._literals > MOST_LITERALS:
            return self._refuse(tag, b"BAD", f"A command may have {MOST_LITERALS} literals", b"TOOBIG", mark)
        self._collecting = mark
        return Ask(mark.size) if mark.synchronising else None

    def _whole(self) -> Assembled:
        assert self._head is not None
        found = Assembled(*self._head, tuple(self._parts))
        self._begin()
        return found

    def _outline(self) -> bytes:
        """The text so far with a mark in place of each literal."""
        return b"".join(part if isinstance(part, bytes) else b"{}" for part in self._parts)

    def _collect(self, mark: _Mark) -> bool:
        if len(self._buffer) < mark.size:
            return False
        self._parts.append(Literal(self._cut(mark.size), mark.binary))
        self._collecting = None
        return True

    # Streamed literals

    def _announce(self, mark: _Mark) -> Assembled | Refused:
        assert self._head is not None
        if refused := self._too_big(self._head[0], mark):
            return refused
        self._parts.append(self._expect(mark))
        return self._whole()

    def _too_big(self, tag: bytes, mark: _Mark) -> Refused | None:
        limit = self.upload_limit
        if mark.size <= (limit or MAX_ANNOUNCED):
            return None
        return self._refuse(tag, b"NO", f"A message may have {limit or MAX_ANNOUNCED} octets", b"TOOBIG", mark)

    def _expect(self, mark: _Mark) -> Announced:
        self._upload = Announced(mark.size, mark.synchronising, mark.binary)
        self._upload_left = mark.size
        self._granted = not mark.synchronising
        return self._upload

    def grant(self) -> bool:
        """The command wants the announced octets; whether the client waits to be told so."""
        asked, self._granted = not self._granted, True
        return asked

    def next_octets(self) -> bytes | None:
        """A block of the streamed literal; b"" once it is complete."""
        if not self._upload_left:
            return b""
        if not self._buffer:
            return None
        block = self._cut(min(len(self._buffer), self._upload_left, BLOCK))
        self._upload_left -= len(block)
        return block

    def next_continuation(self) -> Continued | Refused | None:
        """What the command says after a streamed literal; without another `Announced` at its end it is complete.

        The tag of a refusal is the running command's, which is not known here.
        """
        line = self._line(MAX_TEXT)
        if line is None:
            return None
        self._upload = None
        if isinstance(line, Overlong):
            return self._refuse_line(line)
        text, mark = _split(line)
        parts: tuple[Part, ...] = (text,) if text else ()
        if mark is None:
            return Continued(parts)
        return self._too_big(b"", mark) or Continued((*parts, self._expect(mark)))

    def abandon_upload(self) -> None:
        """The command is over. What the client still sends of it will be skipped."""
        if self._upload is not None and self._granted:
            self._skip_from(self._upload_left)
        self._upload = None
        self._upload_left = 0

    # Single lines (AUTHENTICATE, IDLE)

    def next_line(self, limit: int) -> bytes | Overlong | None:
        """A line as it is. `Overlong`: it has more than `limit` octets and will be skipped."""
        line = self._line(limit)
        if isinstance(line, Overlong):
            self._skip_line = True
            self._skipped = 0
        return line

    # Lines and skipping

    def _line(self, limit: int) -> bytes | Overlong | None:
        """The next line without its end (CRLF, or a bare LF)."""
        at = self._buffer.find(b"\n", self._scanned)
        if at < 0:
            self._scanned = len(self._buffer)
            return Overlong(bytes(self._buffer[:256])) if self._scanned > limit + 1 else None
        if at > limit + 1:
            return Overlong(bytes(self._buffer[:256]))
        line = self._cut(at + 1)
        return line[:-2] if line.endswith(b"\r\n") else line[:-1]

    def _cut(self, octets: int) -> bytes:
        taken = bytes(self._buffer[:octets])
        del self._buffer[:octets]
        self._scanned = 0
        return taken

    def _refuse_head(self, line: bytes, mark: _Mark | None) -> Refused:
        tag = _TAG.match(line)
        if tag is None:
            words = "Missing or malformed tag" if line else "Empty line"
            return self._refuse(b"*", b"BAD", words, b"", mark)
        return self._refuse(tag.group(), b"BAD", "Missing or malformed command", b"", mark)

    def _refuse(self, tag: bytes, status: bytes, text: str, code: bytes, mark: _Mark | None) -> Refused:
        """Refuse the command whose last line ended in `mark`, and skip what the client sends of it anyway."""
        self._begin()
        fatal = False
        if mark is not None and not mark.synchronising:
            fatal = mark.size > MAX_SKIPPED
            self._skip_from(mark.size)
        return Refused(tag, status, text, code, fatal)

    def _refuse_line(self, line: Overlong) -> Refused:
        begun = _TAG.match(line.beginning)
        tag = self._head[0] if self._head else begun.group() if begun else b"*"
        self._begin()
        self._skip_line = True
        self._skipped = 0
        return Refused(tag, b"BAD", f"A command may have {MAX_TEXT} octets besides its literals", b"TOOBIG")

    def _skip_from(self, octets: int) -> None:
        """Skip a literal of so many octets, and the rest of its command."""
        self._skip_octets = octets
        self._skip_line = True
        self._skipped = 0
        self._tail = b""

    def _skip(self) -> bool | Refused:
        """Whether skipping is over (False: more octets are needed)."""
        while True:
            if self._skip_octets:
                step = min(self._skip_octets, len(self._buffer))
                self._skip_octets -= step
                self._cut(step)
                if self._skip_octets:
                    return False
            at = self._buffer.find(b"\n")
            line = self._cut(len(self._buffer) if at < 0 else at + 1)
            self._skipped += len(line)
            self._tail = (self._tail + line)[-64:]
            if self._skipped > MAX_SKIPPED_LINE:
                self._skip_line = False
                return Refused(b"*", b"BAD", "Far too long a line", b"TOOBIG", fatal=True)
            if at < 0:
                return False
            _, mark = _split(self._tail.rstrip(b"\r\n"))
            self._tail = b""
            if mark is None or mark.synchronising:
                self._skip_line = False
                return True
            if mark.size > MAX_SKIPPED:
                self._skip_line = False
                return Refused(b"*", b"BAD", "Far too large a literal", b"TOOBIG", fatal=True)
            self._skip_octets = mark.size


MAX_ANNOUNCED = 2**32 - 1
"""Octets of a streamed literal where the site sets no limit: what RFC822.SIZE can hold."""


@dataclass(frozen=True, slots=True)
class Overlong:
    """A line that is too long, with how it begins."""

    beginning: bytes


def _leading(arguments: int) -> re.Pattern[bytes]:
    return re.compile(b"(?:" + _ARGUMENT + b"){%d}" % arguments, re.DOTALL)


def _split(line: bytes) -> tuple[bytes, _Mark | None]:
    """The text of a line, and the literal that it announces at its end."""
    if not line.endswith(b"}"):
        return line, None
    at = line.rfind(b"{")
    if at > 0 and line[at - 1 : at] == b"~":
        at -= 1
    found = _MARK.fullmatch(line, max(at, 0))
    if found is None:
        return line, None
    digits = found.group(2).lstrip(b"0") or b"0"
    size = int(digits) if len(digits) <= 19 else 10**19
    return line[: found.start()], _Mark(size, not found.group(3), bool(found.group(1)))
