"""The decoded octets of a part (RFC 3516), as something to measure, cut and stream, whatever its size.

A large part is gone through once, which tells its size, where NUL octets are, and places from which decoding can be
taken up again. Whoever keeps such a map need not begin anew when a client asks for one piece after the other. Refuses
to know FETCH's grammar.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zope.interface import implementer

from unitymail.interfaces.store import IContent
from unitymail.mail.gradual import Decoder, decoder
from unitymail.mail.part import Part
from unitymail.mail.windows import let_go

BLOCK = 131_072
"""Encoded octets decoded at once."""


class UnknownEncoding(Exception):
    """Nobody here knows the part's Content-Transfer-Encoding."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block begins: decoded, and in the message; `rest` as its decoder had it. `nul`: the block has NUL."""

    decoded: int
    encoded: int
    rest: bytes
    nul: bool


@dataclass(frozen=True, slots=True)
class Map:
    """`places` ascend; `size` is that of all that is decoded."""

    places: tuple[Place, ...]
    size: int

    def has_nul(self, start: int, end: int) -> bool:
        """Whether any block that reaches into [start, end) has NUL: never false when there is one."""
        first = self._index(start)
        return any(place.nul for place in self.places[first : self._index(max(end - 1, start)) + 1])

    def before(self, offset: int) -> Place:
        """The last place at or before this decoded offset."""
        return self.places[self._index(offset)]

    def _index(self, offset: int) -> int:
        return max(bisect_right(self.places, offset, key=lambda place: place.decoded) - 1, 0)


def draw(buffer: Any, part: Part) -> Map:
    """Look through the whole part, a block at a time. Raises UnknownEncoding."""
    places: list[Place] = []
    size = 0
    going = _decoder(part, b"")
    for start in range(part.body, part.end, BLOCK):
        stop = min(start + BLOCK, part.end)
        rest = going.rest
        octets = going.feed(buffer[start:stop])
        if stop == part.end:
            octets += going.end()
        let_go(buffer, start, stop)
        places.append(Place(size, start, rest, b"\0" in octets))
        size += len(octets)
    return Map(tuple(places), size)


def _decoder(part: Part, rest: bytes) -> Decoder:
    made = decoder(part.encoding, rest)
    if made is None:
        raise UnknownEncoding(part.encoding)
    return made


@implementer(IContent)
class DecodedPart:
    """`buffer` is that of the message around it; who opened that closes it. Reads one after the other are cheap."""

    def __init__(self, content: IContent, part: Part, map: Map) -> None:
        self._content, self._part = content, part
        self.buffer = content.buffer
        self.map = map
        self.size = map.size
        self._at = -1
        self._held = b""
        self._blocks: Iterator[bytes] = iter(())

    def read(self, offset: int, length: int) -> bytes:
        """Decoded octets, from the disk: call it in a thread. Raises OSError when the disk cannot give them."""
        if not length:
            return b""
        if offset != self._at:
            place = self.map.before(offset)
            self._blocks = self._from(place)
            self._held = b""
            self._skip(offset - place.decoded)
        pieces = [self._held]
        missing = length - len(self._held)
        while missing > 0 and (block := next(self._blocks, None)) is not None:
            pieces.append(block)
            missing -= len(block)
        octets = b"".join(pieces)
        self._held = octets[length:]
        self._at = offset + length
        return octets[:length]

    def _skip(self, octets: int) -> None:
        while octets > len(self._held):
            octets -= len(self._held)
            self._held = next(self._blocks)
        self._held = self._held[octets:]

    def _from(self, place: Place) -> Iterator[bytes]:
        going = _decoder(self._part, place.rest)
        for start in range(place.encoded, self._part.end, BLOCK):
            stop = min(start + BLOCK, self._part.end)
            octets = going.feed(self._content.read(start, stop - start))
            yield octets + going.end() if stop == self._part.end else octets

    def close(self) -> None:
        """The message's content is closed by who opened it."""
