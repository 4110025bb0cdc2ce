"""BODY[section]<partial>, BODY.PEEK and the old RFC822 names for the same: octets exactly as they are stored."""

from __future__ import annotations

import re
from dataclasses import dataclass

from unitymail.imap.fetch.attribute import FromIndex, Item, Piece, attribute
from unitymail.imap.fetch.items.index import BODY
from unitymail.imap.fetch.section import Section, cut, locate
from unitymail.imap.kept import picker, subset
from unitymail.imap.letter import Extent, Letter
from unitymail.imap.wire import response
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.mail.summary import KEPT_FIELDS

COPIED_BELOW = 65_536
MOST_OFFSET = 2**63 - 1
Partial = tuple[int, int]

_SECTION = re.compile(
    rb"((?:[1-9][0-9]{0,9}(?:\.[1-9][0-9]{0,9})*)?)(\.?)"
    rb"(HEADER\.FIELDS\.NOT|HEADER\.FIELDS|HEADER|TEXT|MIME|)(?=[\] ])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Body:
    """Octets of a section; `label` is how the answer names it."""

    label: bytes
    section: Section
    partial: Partial | None = None
    sets_seen: bool = False

    def pieces(self, letter: Letter) -> list[Piece]:
        found = locate(letter.buffer, letter.structure, self.section)
        if found is None:
            return [self.label + b" NIL"]
        if isinstance(found, bytes):
            start, end = cut(0, len(found), self.partial)
            return [b"%b %b" % (self.label, response.literal(found[start:end]))]
        start, end = cut(*found, self.partial)
        if end - start < COPIED_BELOW:
            return [b"%b %b" % (self.label, response.literal(letter.buffer[start:end]))]
        return [b"%b {%d}\r\n" % (self.label, end - start), Extent(letter.content, start, end - start)]


@dataclass(frozen=True, slots=True)
class Subset:
    """HEADER.FIELDS of names whose fields the index keeps: out of the kept fields, without the file."""

    wanted: frozenset[bytes]
    partial: Partial | None = None

    def __call__(self, kept: bytes) -> bytes:
        octets = subset(kept, picker(self.wanted))
        start, end = cut(0, len(octets), self.partial)
        return response.literal(octets[start:end])


@attribute("RFC822", "RFC822.HEADER", "RFC822.TEXT")
def rfc822(reader: Reader, name: str) -> tuple[Item, ...]:
    which = name.removeprefix("RFC822").removeprefix(".")
    section = Section(which=which)  # type: ignore[arg-type]
    return (Body(name.encode("ascii"), section, sets_seen=which != "HEADER"),)


@attribute("BODY", "BODY.PEEK")
def body(reader: Reader, name: str) -> tuple[Item, ...]:
    if reader.peek() != b"[":
        if name == "BODY":
            return (BODY,)
        raise BadSyntax("BODY.PEEK needs a section in brackets")
    section = section_of(reader)
    partial = partial_of(reader)
    label = _label(section, partial)
    sets_seen = name == "BODY"
    if section.which == "HEADER.FIELDS" and not section.numbers and section.wanted <= KEPT_FIELDS:
        return (FromIndex(label, "fields", Subset(section.wanted, partial), sets_seen),)
    return (Body(label, section, partial, sets_seen),)


def section_of(reader: Reader) -> Section:
    """`[1.2.HEADER.FIELDS (DATE FROM)]`"""
    reader.expect(b"[")
    found = _SECTION.match(reader.rest())
    if found is None:
        raise BadSyntax("There is no such body section")
    digits, dot, word = found.groups()
    which = word.decode("ascii").upper()
    if bool(dot) is not bool(digits and which) or (which == "MIME" and not digits):
        raise BadSyntax("There is no such body section")
    if found.group():
        reader.take(found.group())
    names = _names(reader) if "FIELDS" in which else ()
    reader.expect(b"]")
    numbers = tuple(map(int, digits.split(b"."))) if digits else ()
    return Section(numbers, which, names)  # type: ignore[arg-type]


def _names(reader: Reader) -> tuple[bytes, ...]:
    reader.space()
    reader.expect(b"(")
    names = [reader.astring()]
    while reader.take(b" "):
        names.append(reader.astring())
    reader.expect(b")")
    return tuple(names)


def partial_of(reader: Reader) -> Partial | None:
    """`<0.1024>`, or nothing."""
    if not reader.take(b"<"):
        return None
    start = reader.number(high=MOST_OFFSET)
    reader.expect(b".")
    length = reader.number(low=1, high=MOST_OFFSET)
    reader.expect(b">")
    return start, length


def _label(section: Section, partial: Partial | None) -> bytes:
    """How the answer names it: never PEEK, names as the client spelt them, the offset without the length."""
    inside = ".".join([*map(str, section.numbers), *filter(None, [section.which])]).encode("ascii")
    if section.names:
        inside += b" (" + b" ".join(map(response.astring, section.names)) + b")"
    return b"BODY[%b]" % inside + (b"<%d>" % partial[0] if partial else b"")
