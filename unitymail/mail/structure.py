"""The MIME tree of a message with octet offsets, in one pass over bytes or a map of a file (RFC 2046, 2045).

Knows boundaries, nesting and limits; refuses to decode anything, to copy the message, or to fail: whatever the octets
are, there is a tree, and `flaws` says in words what was wrong.

Note: one pass. Two searches look forward: for lines that begin as an open boundary does, and for the blank line after
a header. Each moves over every octet at most once (the header one twice), whatever the message holds; the work in
Python is per such line, not per line. A part's header is read as soon as its blank line is known, because the boundary
it declares decides which of the following lines are delimiters.

Note: delimiters. A line is one if the whole of it, `--` and trailing white space apart, equals a boundary that is
open (`MessageBoundary` is not a prefix match for `MessageBoundary2`). One of an outer multipart ends all inner ones.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import repeat
from typing import NamedTuple

from unitymail.mail import parameters, part_header, windows
from unitymail.mail.lexical import LONGEST_FIELD, LONGEST_HEADER
from unitymail.mail.parameters import MediaType
from unitymail.mail.part import Octets, Part, find_part, leaves, walk
from unitymail.mail.part_header import PartHeader

__all__ = ["Octets", "Part", "Structure", "find_part", "leaves", "scan", "walk"]

DEEPEST_MULTIPART = 50
DEEPEST_MESSAGE = 20
MOST_PARTS = 1000
LONGEST_DELIMITER = 1024
LONGEST_MARK = 70
SHORT_HEADER = 1000

_BLANK_LINE = re.compile(rb"\n\r?\n")
_LONG_FIELD = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*+\n?")
_FIRST_FIELD = re.compile(rb"[!-9;-~\x80-\xff]++[ \t]*+:")
_new_tuple = tuple.__new__
_NEVER = (1 << 62, 1 << 62)
_MESSAGE = MediaType("message", "rfc822", ())


class Structure(NamedTuple):
    """The tree under `root`. `flaws` are words for an administrator; `malformed` when there is any.

    `beyond_limits`: a limit of message-formats.md section 1 was passed, so not all of it is in the tree or was read.
    """

    root: Part
    malformed: bool
    flaws: tuple[str, ...]
    size: int
    beyond_limits: bool = False


class _Open:
    """A part whose end is not known yet."""

    __slots__ = ("body", "boundary", "children", "digest", "header", "media", "shadowed", "start", "whole")

    def __init__(self, start: int, body: int, media: MediaType, header: PartHeader) -> None:
        self.start = start
        self.body = body
        self.media = media
        self.header = header
        self.boundary: bytes | None = None
        self.shadowed: int | None = None
        self.children: list[Part] = []
        self.digest = False
        self.whole = False


def scan(buffer: Octets) -> Structure:
    """The structure of a whole message. Never raises, never takes more than linear time, never copies bodies."""
    return _Scan(buffer).run()


class _Scan:
    def __init__(self, buffer: Octets) -> None:
        self.buffer = buffer
        self.size = size = len(buffer)
        self.find = buffer.find if size <= windows.WINDOW else partial(windows.find, buffer)
        self.count = buffer.count if isinstance(buffer, bytes) else partial(windows.count, buffer)
        self.search_blank = _BLANK_LINE.search if size <= windows.WINDOW else partial(windows.search, _BLANK_LINE)
        self.flaws: list[str] = []
        self.beyond_limits = False
        self.stack: list[_Open] = []
        self.active: dict[bytes, int] = {}
        self.mark = b""
        self.multiparts = 0
        self.messages = 0
        self.parts = 0
        self.blank = (-2, -2)
        self.root: Part | None = None

    def run(self) -> Structure:
        start: int | None = 0
        while start is not None:
            start = self.part(start)
        self.close(0, self.size)
        assert self.root is not None
        flaws = tuple(dict.fromkeys(self.flaws))
        return Structure(self.root, bool(flaws), flaws, self.size, self.beyond_limits)

    def limit(self, flaw: str) -> None:
        self.flaws.append(flaw)
        self.beyond_limits = True

    def part(self, start: int) -> int | None:
        """Read the part at `start` and move on to where the next one begins; None at the end of it all."""
        self.parts += 1
        last, body = self.end_of_header(start)
        if not start:
            return self.first_part(last, body)
        if body - start <= SHORT_HEADER:
            header = part_header.read(self.buffer[start:body])
            if header.is_leaf and not self.stack[-1].digest:
                return self.leaf(start, body, header)
        return self.any_part(start, last, body)

    def first_part(self, last: int, body: int) -> int | None:
        """The message itself, which may be all there is."""
        header = part_header.read(self.buffer[:min(body, LONGEST_HEADER)])
        if header.is_leaf and body <= LONGEST_FIELD and _FIRST_FIELD.match(self.buffer, 0, body):
            lines = self.count(b"\n", body, self.size) if header.is_text else 0
            self.root = _new_tuple(Part, (0, body, self.size, *header.kind, lines, (), *header.extension))
            return None
        return self.any_part(0, last, body, header)

    def leaf(self, start: int, body: int, header: PartHeader) -> int | None:
        """A part as most are: nothing is in it, and nothing is wrong with its header."""
        event = self.delimiter(body - 1, self.size) if self.active else None
        end = self.size if event is None else max(self.before(event[0]), body)
        lines = self.count(b"\n", body, end) if header.is_text else 0
        part = _new_tuple(Part, (start, body, end, *header.kind, lines, (), *header.extension))
        self.stack[-1].children.append(part)
        return self.follow(event, end)

    def any_part(self, start: int, last: int, body: int, header: PartHeader | None = None) -> int | None:
        event = self.delimiter(start - 1, last) if self.active else None
        if event is not None:  # the header runs into a delimiter: a part without a body
            body = max(start, self.before(event[0]))
        header = header or part_header.read(self.buffer[start:min(body, start + LONGEST_HEADER)])
        self.judge(header, start, body)
        media = header.media
        if media is None:
            media = _MESSAGE if self.stack and self.stack[-1].digest else parameters.ASSUMED
        opened = _Open(start, body, media, header)
        self.stack.append(opened)
        if media.type == "message" and self.enter_message(opened):
            return body
        if event is None:
            if media.type == "multipart":
                self.enter_multipart(opened)
            event = self.delimiter(body - 1, self.size) if self.active else None
        return self.follow(event)

    def follow(self, event: tuple[int, int, int, bool] | None, end: int = 0) -> int | None:
        """Act on delimiters until one begins a part; what the first one ends does so at `end` or behind."""
        while event is not None:
            newline, after, depth, closing = event
            self.close(depth + 1, max(self.before(newline), end))
            if not closing:
                if self.parts < MOST_PARTS:
                    return after
                self.limit(f"more than {MOST_PARTS} parts")
                return None
            self.leave(self.stack[depth])
            event = self.delimiter(after - 1, self.size) if self.active else None
        return None

    def enter_message(self, opened: _Open) -> bool:
        if opened.media.subtype not in ("rfc822", "global"):
            return False
        if self.messages >= DEEPEST_MESSAGE or self.parts >= MOST_PARTS:
            self.limit(f"messages nested deeper than {DEEPEST_MESSAGE}")
            opened.media = MediaType("application", "octet-stream", ())
            return False
        self.messages += 1
        opened.whole = True
        return True

    def enter_multipart(self, opened: _Open) -> None:
        boundary = parameters.raw_value_of(opened.media.parameters, "boundary").rstrip(b" \t")
        if self.multiparts >= DEEPEST_MULTIPART:
            self.limit(f"multiparts nested deeper than {DEEPEST_MULTIPART}")
            opened.media = MediaType("application", "octet-stream", ())
        elif not boundary:
            self.flaws.append("a multipart without a boundary parameter")
            opened.media = parameters.ASSUMED
        else:
            self.multiparts += 1
            opened.boundary = boundary
            opened.digest = opened.media.subtype == "digest"
            opened.shadowed = self.active.get(boundary)
            self.active[boundary] = len(self.stack) - 1
            self.look_for_delimiters()

    def leave(self, opened: _Open) -> None:
        """Its closing delimiter was seen (or its end): its boundary is an ordinary line from here on."""
        boundary = opened.boundary
        if boundary is None:
            return
        opened.boundary = None
        opened.whole = True
        self.multiparts -= 1
        if opened.shadowed is None:
            del self.active[boundary]
        else:
            self.active[boundary] = opened.shadowed
        self.look_for_delimiters()

    def look_for_delimiters(self) -> None:
        """`mark` is how the lines begin that can be one: as the shortest boundary where all others begin with it."""
        shortest = min(self.active, key=len, default=b"")
        alike = len(self.active) < 2 or all(map(bytes.startswith, self.active, repeat(shortest)))
        self.mark = b"\n--" + (shortest[:LONGEST_MARK] if alike else b"")

    def close(self, depth: int, end: int) -> None:
        """End the parts from the innermost up to and including the one at `depth` of the stack."""
        while len(self.stack) > depth:
            opened = self.stack.pop()
            self.leave(opened)
            # The blank line after a header may be the delimiter's own line end: an empty body, one line end further.
            end = max(end, opened.body)
            part = self.finished(opened, end)
            if self.stack:
                self.stack[-1].children.append(part)
            else:
                self.root = part

    def finished(self, opened: _Open, end: int) -> Part:
        media = opened.media
        if media.type == "message" and opened.whole:
            self.messages -= 1
        elif media.type == "multipart" and not opened.children:
            self.flaws.append("a multipart whose boundary never occurs")
            media = parameters.ASSUMED
        has_lines = media.type == "text" or (opened.children and media.type == "message")
        lines = self.count(b"\n", opened.body, end) if has_lines else 0
        return Part(
            opened.start, opened.body, end, *media[:3], *opened.header.kind[3:], lines, tuple(opened.children),
            *opened.header.extension,
        )

    def end_of_header(self, start: int) -> tuple[int, int]:
        """(the line end before the blank line, where the body begins) for a header at `start`."""
        if start == 0:
            first = self.buffer[:2]
            if first[:1] == b"\n" or first == b"\r\n":
                return 0, first.index(b"\n") + 1
        if self.blank[0] < start - 1:
            found = self.search_blank(self.buffer, max(start - 1, 0), self.size)
            self.blank = found.span() if found else _NEVER
        last, body = self.blank
        return (self.size, self.size) if last >= self.size else (last, body)

    def delimiter(self, position: int, end: int) -> tuple[int, int, int, bool] | None:
        """The next delimiter of an open multipart: (its line end before, start of next line, depth, closing)."""
        active, buffer, find, mark, size = self.active, self.buffer, self.find, self.mark, self.size
        at = find(mark, max(position, 0), end)
        while at >= 0:
            stop = buffer.find(b"\n", at + 3, min(at + 4 + LONGEST_DELIMITER, end))
            if stop < 0:
                stop = min(at + 3 + LONGEST_DELIMITER, end)
            line = buffer[at + 3:stop].rstrip(b" \t\r")
            depth = active.get(line)
            closing = depth is None and line[-2:] == b"--"
            if closing:
                depth = active.get(line[:-2])
            if depth is not None and (stop >= size or buffer[stop] == 10):
                return at, min(stop + 1, size), depth, closing
            at = find(mark, stop, end)
        return None

    def before(self, newline: int) -> int:
        """Where content ends whose last line end is the delimiter's (RFC 2046 5.1.1)."""
        return newline - 1 if newline and self.buffer[newline - 1] == 13 else newline

    def judge(self, header: PartHeader, start: int, body: int) -> None:
        if body - start > LONGEST_FIELD:
            self.judge_long_header(start, body)
        self.flaws += header.flaws
        self.beyond_limits |= part_header.FILE_NAME_TOO_LONG in header.flaws
        if start == 0 and not _FIRST_FIELD.match(self.buffer, 0, body):
            self.flaws.append("no header")
        if header.media is not None and not header.media.sound:
            self.flaws.append("a Content-Type that cannot be read")

    def judge_long_header(self, start: int, body: int) -> None:
        if body - start > LONGEST_HEADER:
            self.limit(f"a header over {LONGEST_HEADER} octets")
        else:
            block = self.buffer[start:body]
            if any(len(found) > LONGEST_FIELD for found in _LONG_FIELD.findall(block)):
                self.limit(f"a header field over {LONGEST_FIELD} octets")
