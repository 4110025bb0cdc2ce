"""BINARY[section]<partial>, BINARY.PEEK and BINARY.SIZE (RFC 3516): parts without their Content-Transfer-Encoding.

What encloses other parts has no encoding, so that BINARY of it, as of the whole message, is what BODY is.
"""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.imap.fetch.attribute import Item, Piece, attribute
from unitymail.imap.fetch.decoding import DecodedPart, draw
from unitymail.imap.fetch.items.body import COPIED_BELOW, Partial, partial_of, section_of
from unitymail.imap.fetch.section import cut
from unitymail.imap.letter import Extent, Letter
from unitymail.imap.wire import response
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.mail.part import Part, find_part

_Numbers = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """The decoded octets; as a literal8 when there is a NUL among them (RFC 3516 4.3)."""

    label: bytes
    numbers: _Numbers
    partial: Partial | None
    sets_seen: bool

    def pieces(self, letter: Letter) -> list[Piece]:
        """Raises UnknownEncoding."""
        part = _part(letter, self.numbers)
        if part is None:
            return [self.label + b" NIL"]
        decoded = _decoded(letter, part)
        start, end = cut(0, decoded.size, self.partial)
        if end - start < COPIED_BELOW:
            octets = decoded.read(start, end - start)
            literal = response.literal(octets)
            return [b"%b %b%b" % (self.label, b"~" if b"\0" in octets else b"", literal)]
        mark = b"~" if decoded.map.has_nul(start, end) else b""
        return [b"%b %b{%d}\r\n" % (self.label, mark, end - start), Extent(decoded, start, end - start)]


@dataclass(frozen=True, slots=True)
class BinarySize:
    """How many octets BINARY would give; 0 for a part that is not there."""

    label: bytes
    numbers: _Numbers

    sets_seen = False

    def pieces(self, letter: Letter) -> list[Piece]:
        """Raises UnknownEncoding."""
        part = _part(letter, self.numbers)
        return [b"%b %d" % (self.label, _decoded(letter, part).size if part else 0)]


def _part(letter: Letter, numbers: _Numbers) -> Part | None:
    """The part, with the encoding that counts: composite ones have none, and the whole message is one."""
    root = letter.structure().root
    if not numbers:
        return root._replace(body=root.start, encoding="binary")
    part = find_part(root, numbers)
    return part._replace(encoding="binary") if part is not None and part.children else part


def _decoded(letter: Letter, part: Part) -> DecodedPart:
    known = letter.found((part.body, part.end, part.encoding), lambda: draw(letter.buffer, part))
    return DecodedPart(letter.content, part, known)


@attribute("BINARY", "BINARY.PEEK", "BINARY.SIZE")
def binary(reader: Reader, name: str) -> tuple[Item, ...]:
    if reader.peek() != b"[":
        raise BadSyntax(f"{name} needs a section in brackets")
    section = section_of(reader)
    if section.which:
        raise BadSyntax(f"{name} takes the number of a part only")
    inside = ".".join(map(str, section.numbers)).encode("ascii")
    if name == "BINARY.SIZE":
        return (BinarySize(b"BINARY.SIZE[%b]" % inside, section.numbers),)
    partial = partial_of(reader)
    label = b"BINARY[%b]" % inside + (b"<%d>" % partial[0] if partial else b"")
    return (Binary(label, section.numbers, partial, sets_seen=name == "BINARY"),)
