"""Octets as base64 (RFC 2045 6.8) while they come: both ways of VPIM write recordings and pages like this."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterable, Iterator
from typing import BinaryIO

_LINE = 57
BLOCK = 1_024 * _LINE


def base64_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines of 76 characters, each with its CRLF, some at a time."""
    rest = b""
    for block in blocks:
        rest += block
        whole = len(rest) - len(rest) % _LINE
        if whole:
            yield _lines(rest[:whole])
            rest = rest[whole:]
    if rest:
        yield _lines(rest)


def blocks_of(file: BinaryIO, size: int = 1 << 62) -> Iterator[bytes]:
    """The next `size` octets of a file, or as many as there are."""
    while size > 0 and (block := file.read(min(size, BLOCK))):
        size -= len(block)
        yield block


def _lines(octets: bytes) -> bytes:
    encoded = b2a_base64(octets, newline=False)
    return b"".join([encoded[at : at + 76] + b"\r\n" for at in range(0, len(encoded), 76)])
