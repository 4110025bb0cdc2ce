"""What several targets do to the octets they get: cut them as a network might, and look at what was written.

Refuses to know any grammar of its own but the line ends of RFC 5322.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

VECTORS = Path(__file__).parent.parent / "tests" / "vectors"


def pieces(data: bytes) -> tuple[bytes, list[bytes]]:
    """The octets behind the first few, and the same cut where the first few say: one says how many cuts there are."""
    count = data[0] % 8 if data else 0
    places, octets = data[1 : 1 + count], data[1 + count :]
    edges = sorted({0, len(octets), *(place * max(1, len(octets) // 128) % (len(octets) + 1) for place in places)})
    return octets, [octets[start:end] for start, end in pairwise(edges)]


def uncut(octets: bytes) -> bytes:
    """A seed for a target that uses `pieces`: in one piece, in two, and more are the machine's affair."""
    return b"\0" + octets


def vectors(limit: int = 16_384) -> list[bytes]:
    """The messages of tests/vectors that are small enough to be changed many times a second."""
    return [path.read_bytes() for path in sorted(VECTORS.glob("*.eml")) if path.stat().st_size <= limit]


def check_header(block: bytes, allowed: set[bytes], *, longest: int = 998) -> None:
    """A header block that we wrote: CRLF only, no NUL, no line too long or blank, and no field but those allowed."""
    assert block.endswith(b"\r\n"), block
    assert block.count(b"\r\n") == block.count(b"\r") == block.count(b"\n"), block
    assert b"\0" not in block, block
    lines = block[:-2].split(b"\r\n")
    assert all(line.strip() and len(line) <= longest for line in lines), block
    names = {line.partition(b":")[0].lower() for line in lines if line[:1] not in b" \t"}
    assert names <= allowed, names - allowed
