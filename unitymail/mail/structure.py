"""The MIME tree of a message with octet offsets, in one pass over bytes or a map of a file (RFC 2046, 2045).

Knows boundaries, nesting and limits; refuses to decode anything, to copy the message, or to fail: whatever the octets
are, there is a tree, and `flaws` says in words what was wrong.

Note: one pass. Two regular expressions look forward, one for lines that begin with `--`, one for the blank line after
a header. Each moves over every octet at most once (the header one twice), whatever the message holds; the work in
Python is per such line, not per line. A part's header is read as soon as its blank line is known, because the boundary
it declares decides which of the following lines are delimiters.

Note: delimiters. A line is one if the whole of it, `--` and trailing white space apart, equals a boundary that is
open (`MessageBoundary` is not a prefix match for `MessageBoundary2`). One of an outer multipart ends all inner ones.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from unitymail.mail import parameters, windows
from unitymail.mail.lexical import LONGEST_FIELD, LONGEST_HEADER
from unitymail.mail.part import LONGEST_FILE_NAME, Octets, Part, find_part, leaves, walk

__all__ = ["Octets", "Part", "Structure", "find_part", "leaves", "scan", "walk"]

DEEPEST_MULTIPART = 50
DEEPEST_MESSAGE = 20
MOST_PARTS = 1000

_DELIMITER = re.compile(rb"\n--([^\n]{0,1024})")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_CONTENT_FIELD = re.compile(rb"content-([a-z0-9-]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)")
_LONG_FIELD = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*+\n?")
_FIRST_FIELD = re.compile(rb"[!-9;-~\x80-\xff]++[ \t]*+:")
_NEVER = (1 << 62, 1 << 62)


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

    __slots__ = ("body", "boundary", "children", "digest", "fields", "media", "shadowed", "start", "whole")

    def __init__(self, start: int, body: int, media: parameters.MediaType, fields: dict[bytes, bytes]) -> None:
        self.start = start
        self.body = body
        self.media = media
        self.fields = fields
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
        self.size = len(buffer)
        self.flaws: list[str] = []
        self.beyond_limits = False
        self.stack: list[_Open] = []
        self.active: dict[bytes, int] = {}
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
        """Open the part at `start` and move on to where the next one begins; None at the end of it all."""
        self.parts += 1
        last, body = self.end_of_header(start)
        event = self.delimiter(start - 1, last) if self.active else None
        if event is not None:  # the header runs into a delimiter: a part without a body
            body = max(start, self.before(event[0]))
        opened = self.read_header(start, body)
        self.stack.append(opened)
        if opened.media.type == "message" and self.enter_message(opened):
            return body
        if event is None:
            if opened.media.type == "multipart":
                self.enter_multipart(opened)
            event = self.delimiter(body - 1, self.size) if self.active else None
        return self.follow(event)

    def follow(self, event: tuple[int, int, int, bool] | None) -> int | None:
        """Act on delimiters until one begins a part."""
        while event is not None:
            newline, after, depth, closing = event
            self.close(depth + 1, self.before(newline))
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
            opened.media = parameters.MediaType("application", "octet-stream", ())
            return False
        self.messages += 1
        opened.whole = True
        return True

    def enter_multipart(self, opened: _Open) -> None:
        boundary = parameters.raw_value_of(opened.media.parameters, "boundary").rstrip(b" \t")
        if self.multiparts >= DEEPEST_MULTIPART:
            self.limit(f"multiparts nested deeper than {DEEPEST_MULTIPART}")
            opened.media = parameters.MediaType("application", "octet-stream", ())
        elif not boundary:
            self.flaws.append("a multipart without a boundary parameter")
            opened.media = parameters.ASSUMED
        else:
            self.multiparts += 1
            opened.boundary = boundary
            opened.digest = opened.media.subtype == "digest"
            opened.shadowed = self.active.get(boundary)
            self.active[boundary] = len(self.stack) - 1

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
        media, fields = opened.media, opened.fields
        if media.type == "message" and opened.whole:
            self.messages -= 1
        elif media.type == "multipart" and not opened.children:
            self.flaws.append("a multipart whose boundary never occurs")
            media = parameters.ASSUMED
        if media.type == "text" or (opened.children and media.type == "message"):
            lines = self.count_lines(opened.body, end)
        else:
            lines = 0
        if not fields:
            return Part(opened.start, opened.body, end, media.type, media.subtype, media.parameters, lines=lines,
                        children=tuple(opened.children))
        encoding = fields.get(b"transfer-encoding")
        disposition = fields.get(b"disposition")
        word, disposition_parameters = parameters.disposition(disposition) if disposition else ("", ())
        return Part(
            opened.start, opened.body, end, media.type, media.subtype, media.parameters,
            (parameters.word(encoding) or "7bit") if encoding else "7bit",
            word, disposition_parameters, lines, tuple(opened.children),
            fields.get(b"id"), fields.get(b"description"), fields.get(b"language"), fields.get(b"location"),
            fields.get(b"md5"),
        )

    def end_of_header(self, start: int) -> tuple[int, int]:
        """(the line end before the blank line, where the body begins) for a header at `start`."""
        if start == 0:
            first = self.buffer[:2]
            if first[:1] == b"\n" or first == b"\r\n":
                return 0, first.index(b"\n") + 1
        if self.blank[0] < start - 1:
            found = windows.search(_BLANK_LINE, self.buffer, max(start - 1, 0), self.size)
            self.blank = found.span() if found else _NEVER
        last, body = self.blank
        return (self.size, self.size) if last >= self.size else (last, body)

    def delimiter(self, position: int, end: int) -> tuple[int, int, int, bool] | None:
        """The next delimiter of an open multipart: (its line end before, start of next line, depth, closing)."""
        active = self.active
        buffer = self.buffer
        position = max(position, 0)
        while found := windows.search(_DELIMITER, buffer, position, end):
            line = found[1].rstrip(b" \t\r")
            depth = active.get(line)
            closing = False
            if depth is None and line[-2:] == b"--":
                depth = active.get(line[:-2])
                closing = True
            position = found.end()
            if depth is not None and (position >= self.size or buffer[position] == 10):
                return found.start(), min(position + 1, self.size), depth, closing
        return None

    def before(self, newline: int) -> int:
        """Where content ends whose last line end is the delimiter's (RFC 2046 5.1.1)."""
        return newline - 1 if newline and self.buffer[newline - 1] == 13 else newline

    def count_lines(self, start: int, end: int) -> int:
        return sum(block.count(b"\n") for block in windows.blocks(self.buffer, start, end))

    def read_header(self, start: int, body: int) -> _Open:
        """The Content-* fields of one header; the first of each name counts."""
        if body - start > LONGEST_FIELD:
            self.judge_long_header(start, body)
        block = self.buffer[start:min(body, start + LONGEST_HEADER)]
        fields = self.content_fields(block) if body > start else {}
        if start == 0 and not _FIRST_FIELD.match(block):
            self.flaws.append("no header")
        raw = fields.get(b"type")
        if raw is None:
            digest = bool(self.stack) and self.stack[-1].digest
            media = parameters.MediaType("message", "rfc822", ()) if digest else parameters.ASSUMED
        else:
            media = parameters.media_type(raw)
            if not media.sound:
                self.flaws.append("a Content-Type that cannot be read")
        return _Open(start, body, media, fields)

    def content_fields(self, block: bytes) -> dict[bytes, bytes]:
        low = b"\n" + block.lower()
        fields: dict[bytes, bytes] = {}
        at = low.find(b"\ncontent-")
        while at >= 0:
            found = _CONTENT_FIELD.match(low, at + 1)
            if found is not None:
                name = found[1]
                if name not in fields:
                    fields[name] = value = block[found.start(2) - 1:found.end(2) - 1]
                    if len(value) > LONGEST_FILE_NAME:
                        self.judge_file_name(name, value)
                elif name in (b"type", b"transfer-encoding"):
                    self.flaws.append(f"two Content-{name.decode('ascii').title()} fields in one header")
            at = low.find(b"\ncontent-", found.end() if found else at + 1)
        return fields

    def judge_long_header(self, start: int, body: int) -> None:
        if body - start > LONGEST_HEADER:
            self.limit(f"a header over {LONGEST_HEADER} octets")
        else:
            block = self.buffer[start:body]
            if any(len(found) > LONGEST_FIELD for found in _LONG_FIELD.findall(block)):
                self.limit(f"a header field over {LONGEST_FIELD} octets")

    def judge_file_name(self, name: bytes, value: bytes) -> None:
        if name == b"disposition":
            found = parameters.value_of(parameters.disposition(value)[1], "filename")
        elif name == b"type":
            found = parameters.value_of(parameters.media_type(value).parameters, "name")
        else:
            return
        if found and len(found) > LONGEST_FILE_NAME:
            self.limit(f"a file name over {LONGEST_FILE_NAME} characters")
