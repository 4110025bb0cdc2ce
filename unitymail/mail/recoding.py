"""A message for those who take no binary octets, or no 8-bit ones: what of it must be written in base64.

Knows what may be changed in a message and what else that changes; refuses to change anything: the plan says what to
copy, what to encode, and which headers to write instead. `written` follows it.

*Note: what changes.* A body that cannot pass becomes base64, of its octets as they are, so that whoever decodes it has
each of them; and the Content-Transfer-Encoding of its part says so. The same field of a part, or of what encloses it,
that promises more than there is left is put right (RFC 2045 6.4: no encoding but 7bit, 8bit and binary around others).
All other octets stay.

*Note: what must not.* What is signed or encrypted is opaque (RFC 1847 2.1). What is encoded already would be encoded
twice. Header fields, delimiters and what stands around parts have no encoding. Where such octets cannot pass, nothing
can be planned, and the hindrance says why.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from unitymail.mail import parameters
from unitymail.mail.headers import fields, first
from unitymail.mail.lexical import LONGEST_HEADER
from unitymail.mail.lines import Lines, lines_of
from unitymail.mail.part import Octets, Part
from unitymail.mail.structure import Structure

BLOCK = 57 * 1024
"""Octets that are encoded at once: whole lines of base64, of 57 octets each."""
SEALED = ("signed", "encrypted")
_ROOM = 57
_PLAIN = ("7bit", "8bit", "binary")


class Hindrance(Enum):
    """Why a message cannot be written without such octets."""

    NUL = "a NUL octet where no encoding can hide it"
    BARE = "a CR or LF alone where no encoding can hide it"
    EIGHT_BIT = "8-bit octets where no encoding can hide them"
    SEALED = "octets that are signed or encrypted, and cannot pass"
    MALFORMED = "a part that cannot pass, and whose header cannot be rewritten"


@dataclass(frozen=True, slots=True)
class Kept:
    """The octets from `start` to `end` as they are."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Coded:
    """The octets from `start` to `end` in base64, the last line without its end."""

    start: int
    end: int


Piece = Kept | Coded | bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """`pieces` in order make the message, of `size` octets; its last line has an end. `eight_bit`: some are left."""

    pieces: tuple[Piece, ...]
    size: int
    eight_bit: bool


def plan(buffer: Octets, structure: Structure, *, eight_bit: bool) -> Plan | Hindrance:
    """The message without binary octets: no NUL, no bare CR or LF, no body with long lines but in base64.

    Without `eight_bit` there will be no 8-bit octets either; then lines may be as long as they are. The structure is
    that of the whole buffer.
    """
    planner = _Planner(buffer, eight_bit)
    try:
        left = planner.part(structure.root, is_message=True)
    except _Hindered as hindered:
        return hindered.hindrance
    pieces = [piece for piece in planner.pieces if _size(piece)]
    if pieces and not _ends_line(buffer, pieces[-1]):
        pieces.append(b"\r\n")
    return Plan(tuple(pieces), sum(map(_size, pieces)), left)


def written(made: Plan, read: Callable[[int, int], bytes]) -> Iterator[bytes]:
    """The message as planned, in blocks; `read` gives the octets of the old one between two offsets."""
    for piece in made.pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        for start in range(piece.start, piece.end, BLOCK):
            stop = min(start + BLOCK, piece.end)
            octets = read(start, stop)
            yield octets if isinstance(piece, Kept) else _coded(octets, ended=stop < piece.end)


def _coded(octets: bytes, *, ended: bool) -> bytes:
    line = binascii.b2a_base64
    coded = [line(octets[at : at + _ROOM], newline=False) for at in range(0, len(octets), _ROOM)]
    return b"\r\n".join([*coded, b""] if ended else coded)


def _size(piece: Piece) -> int:
    if isinstance(piece, bytes):
        return len(piece)
    size = piece.end - piece.start
    if isinstance(piece, Kept) or not size:
        return size
    return -(-size // 3) * 4 + (-(-size // _ROOM) - 1) * 2


def _ends_line(buffer: Octets, last: Piece) -> bool:
    if isinstance(last, bytes):
        return last.endswith(b"\r\n")
    return isinstance(last, Kept) and buffer[last.end - 2 : last.end] == b"\r\n"


class _Hindered(Exception):
    def __init__(self, hindrance: Hindrance) -> None:
        super().__init__(hindrance.value)
        self.hindrance = hindrance


class _Planner:
    """Part by part, in the order of the octets. `part` tells whether 8-bit octets are left in what it planned."""

    def __init__(self, buffer: Octets, eight_bit: bool) -> None:
        self.pieces: list[Piece] = []
        self._buffer = buffer
        self._eight_bit = eight_bit

    def part(self, part: Part, *, is_message: bool = False) -> bool:
        header = len(self.pieces)
        around = self._around(part.start, part.body)
        if part.is_multipart and part.subtype in SEALED:
            left = self._sealed(part)
        elif part.children:
            left = self._children(part)
        else:
            return self._leaf(part, is_message) or around
        if self._promises_too_much(part, left):
            self.pieces[header] = self._header(part, "8bit" if left else "7bit", is_message)
        return left or around

    def _promises_too_much(self, part: Part, left: bool) -> bool:
        return part.encoding == "binary" or (part.encoding == "8bit" and not left and not self._eight_bit)

    def _children(self, part: Part) -> bool:
        left, at = False, part.body
        for child in part.children:
            left |= self._around(at, child.start)
            left |= self.part(child, is_message=part.is_message)
            at = child.end
        return self._around(at, part.end) or left

    def _around(self, start: int, end: int) -> bool:
        """Headers, delimiters, and what stands around parts: it passes as it is or not at all."""
        return self._keep(start, end, lines_of(self._buffer, start, end))

    def _keep(self, start: int, end: int, lines: Lines, *, sealed: bool = False) -> bool:
        if lines.nul or lines.bare:
            raise _Hindered(Hindrance.SEALED if sealed else Hindrance.NUL if lines.nul else Hindrance.BARE)
        if lines.eight_bit and not self._eight_bit:
            raise _Hindered(Hindrance.SEALED if sealed else Hindrance.EIGHT_BIT)
        self.pieces.append(Kept(start, end))
        return lines.eight_bit

    def _sealed(self, part: Part) -> bool:
        return self._keep(part.body, part.end, lines_of(self._buffer, part.body, part.end), sealed=True)

    def _leaf(self, part: Part, is_message: bool) -> bool:
        """Its header is the newest piece."""
        lines = lines_of(self._buffer, part.body, part.end)
        if part.encoding not in _PLAIN:
            return self._keep(part.body, part.end, lines)
        if self._must_be_coded(part, lines):
            self.pieces[-1] = self._header(part, "base64", is_message)
            self.pieces.append(Coded(part.body, part.end))
            return False
        if self._promises_too_much(part, lines.eight_bit):
            self.pieces[-1] = self._header(part, "8bit" if lines.eight_bit else "7bit", is_message)
        return self._keep(part.body, part.end, lines)

    def _must_be_coded(self, part: Part, lines: Lines) -> bool:
        if lines.nul or lines.bare:
            return True
        if not self._eight_bit:
            return lines.eight_bit
        return lines.long or (lines.eight_bit and part.encoding == "binary" and part.type != "text")

    def _header(self, part: Part, label: str, is_message: bool) -> bytes:
        """The part's header with another encoding in it."""
        if part.body - part.start > LONGEST_HEADER or (label == "base64" and self._is_composite(part)):
            raise _Hindered(Hindrance.MALFORMED)
        encoding = b"Content-Transfer-Encoding: " + label.encode("ascii") + b"\r\n"
        kept: list[bytes] = []
        versioned = not is_message
        for field in fields(self._buffer, part.start, part.body):
            name = field.name.lower()
            versioned = versioned or name == b"mime-version"
            if name != b"content-transfer-encoding":
                kept.append(field.raw if field.raw.endswith(b"\n") else field.raw + b"\r\n")
            elif encoding:
                kept.append(encoding)
                encoding = b""
        if not versioned:
            kept.append(b"MIME-Version: 1.0\r\n")
        kept.append(encoding)
        return b"".join(kept) + b"\r\n"

    def _is_composite(self, part: Part) -> bool:
        """Whether its header says that it holds other parts, though none were found."""
        raw = first(self._buffer, part, b"content-type")
        media = parameters.media_type(raw) if raw is not None else parameters.ASSUMED
        return media.type == "multipart" or (media.type == "message" and media.subtype in ("rfc822", "global"))
