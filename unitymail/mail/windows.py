"""Looking through a large message piece by piece, so that little of it is in this process's memory at any moment.

Knows that the pages of a mapped file count as memory from when they are read until they are given back (they stay in
the system's cache); refuses to know what is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from mmap import MADV_DONTNEED, PAGESIZE, mmap

Octets = bytes | mmap
WINDOW = 1 << 20
SURE = 3


def search(pattern: re.Pattern[bytes], buffer: Octets, start: int, end: int) -> re.Match[bytes] | None:
    """`pattern.search(buffer, start, end)`, for patterns that match for sure once their first `SURE` octets do."""
    while end - start > WINDOW:
        stop = start + WINDOW
        found = pattern.search(buffer, start, stop)
        if found is not None:
            return found if found.end() < stop else pattern.search(buffer, found.start(), end)
        let_go(buffer, start, stop)
        start = stop - (SURE - 1)
    return pattern.search(buffer, start, end)


def find(buffer: Octets, octets: bytes, start: int, end: int) -> int:
    """`buffer.find(octets, start, end)`"""
    while end - start > WINDOW:
        stop = start + WINDOW
        found = buffer.find(octets, start, min(stop + len(octets) - 1, end))
        if found >= 0:
            return found
        let_go(buffer, start, stop)
        start = stop
    return buffer.find(octets, start, end)


def holds(buffer: Octets, octets: bytes) -> bool:
    """Whether `octets` stand anywhere in the buffer."""
    return find(buffer, octets, 0, len(buffer)) >= 0


def count(buffer: Octets, octet: bytes, start: int, end: int) -> int:
    """How often one octet stands between two offsets."""
    if isinstance(buffer, bytes):
        return buffer.count(octet, start, end)
    return sum(block.count(octet) for block in blocks(buffer, start, end))


def blocks(buffer: Octets, start: int, end: int) -> Iterator[bytes]:
    """Slices of about a megabyte, none of which ends between a CR and its LF."""
    while start < end:
        stop = min(start + WINDOW, end)
        if stop < end and buffer[stop - 1:stop + 1] == b"\r\n":
            stop += 1
        yield buffer[start:stop]
        let_go(buffer, start, stop)
        start = stop


def let_go(buffer: Octets, start: int, end: int) -> None:
    """Give the pages between two offsets of a mapped file back; who reads them again gets them again."""
    start -= start % PAGESIZE
    end -= end % PAGESIZE
    if isinstance(buffer, mmap) and start < end:
        buffer.madvise(MADV_DONTNEED, start, end - start)
