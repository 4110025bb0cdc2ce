"""Whether a TIFF is a fax as VPIM carries it: TIFF-F, black and white, in the widths and codings of fax machines.

Knows RFC 3801 4.4.4 and as much of TIFF (RFC 3302, RFC 3949) as tells it; refuses to look at a pixel.
"""

from __future__ import annotations

import struct
from typing import Protocol

WIDTHS = frozenset({1728, 2048, 2432})
CODINGS = frozenset({2, 3, 4})
"""Compression: MH without ends of line, MH or MR, MMR."""
MOST_PAGES = 2_000
MOST_ENTRIES = 500
_WIDTH, _BITS, _COMPRESSION, _STRIPS, _SAMPLES = 256, 258, 259, 273, 277
_WANTED = frozenset({_WIDTH, _BITS, _COMPRESSION, _STRIPS, _SAMPLES})
_SHORT, _LONG = 3, 4


class _Seekable(Protocol):
    def read(self, size: int = ..., /) -> bytes | None: ...
    def seek(self, offset: int, whence: int = ..., /) -> int: ...


def is_tiff_f(file: _Seekable) -> bool:
    """Whether every page is 1 bit deep, as wide as fax pages are, coded as MH, MR or MMR, and one strip."""
    header = _octets(file, 0, 8)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(header[:4])
    if order is None or len(header) < 8:
        return False
    (place,) = struct.unpack(order + "I", header[4:8])
    seen: set[int] = set()
    while place:
        if place in seen or len(seen) >= MOST_PAGES:
            return False
        seen.add(place)
        page = _page(file, order, place)
        if page is None or not _is_fax(page[0]):
            return False
        place = page[1]
    return bool(seen)


def _is_fax(tags: dict[int, tuple[int, int]]) -> bool:
    """`tags` holds (count, first value) of each."""
    return (
        tags.get(_WIDTH, (0, 0))[1] in WIDTHS
        and tags.get(_BITS, (1, 1))[1] == 1
        and tags.get(_SAMPLES, (1, 1))[1] == 1
        and tags.get(_COMPRESSION, (0, 0))[1] in CODINGS
        and tags.get(_STRIPS, (0, 0))[0] == 1
    )


def _page(file: _Seekable, order: str, place: int) -> tuple[dict[int, tuple[int, int]], int] | None:
    """The tags of one page, and where the next one's stand; None when it ends too early."""
    head = _octets(file, place, 2)
    if len(head) < 2:
        return None
    (count,) = struct.unpack(order + "H", head)
    if count > MOST_ENTRIES:
        return None
    octets = _octets(file, place + 2, count * 12 + 4)
    if len(octets) < count * 12 + 4:
        return None
    tags = {}
    for at in range(0, count * 12, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", octets, at)
        if tag in _WANTED and kind in (_SHORT, _LONG):
            (value,) = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), octets, at + 8)
            tags[tag] = (number, value)
    return tags, struct.unpack_from(order + "I", octets, count * 12)[0]


def _octets(file: _Seekable, place: int, size: int) -> bytes:
    file.seek(place)
    found = b""
    while len(found) < size:
        more = file.read(size - len(found))
        if not more:
            break
        found += more
    return found
