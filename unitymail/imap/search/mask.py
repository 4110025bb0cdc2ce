"""Sets of messages as integers: bit i is the message at index i. Made and read by C-level calls only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import TypeVar

from unitymail.imap.search.verdicts import UNSURE, YES, Verdicts

T = TypeVar("T")
_SURELY = bytes(0x31 if verdict == YES else 0x30 for verdict in range(256))
_POSSIBLY = bytes(0x31 if verdict in (YES, UNSURE) else 0x30 for verdict in range(256))


def everything(count: int) -> int:
    return (1 << count) - 1


def surely(verdicts: Verdicts) -> int:
    return int(verdicts.translate(_SURELY)[::-1], 2) if verdicts else 0


def possibly(verdicts: Verdicts) -> int:
    return int(verdicts.translate(_POSSIBLY)[::-1], 2) if verdicts else 0


def chosen(mask: int, values: Iterable[T]) -> list[T]:
    """Those of `values` (one a message, in the order of the view) whose bit is set."""
    return list(compress(values, _octets(mask)))


def from_indexes(indexes: Iterable[int], count: int) -> int:
    octets = bytearray(count)
    for index in indexes:
        octets[index] = YES
    return surely(octets)


def verdicts(mask: int, count: int) -> Verdicts:
    """YES for each of `count` messages that is in the set, NO for the others."""
    return _octets(mask)[:count].ljust(count, b"\0")


def first(mask: int) -> int:
    """The lowest index in a set that is not empty."""
    return (mask & -mask).bit_length() - 1


def last(mask: int) -> int:
    """The highest index; -1 for the empty set."""
    return mask.bit_length() - 1


def spans(mask: int) -> list[tuple[int, int]]:
    """The set as half-open spans of indexes, ascending."""
    edges = mask ^ mask << 1
    ends = chosen(edges, range(edges.bit_length()))
    return list(zip(ends[::2], ends[1::2], strict=True))


def without(mask: int, gone: Sequence[int]) -> int:
    """The set after the messages at the indexes `gone` have left, and those behind them have moved up."""
    octets = bytearray(_octets(mask))
    stay = bytearray([YES]) * len(octets)
    for index in gone:
        if index < len(octets):
            stay[index] = 0
    return surely(bytes(compress(octets, stay)))


def _octets(mask: int) -> bytes:
    """An octet a message, up to the highest in the set: 1 where the bit is set, else 0."""
    return bin(mask)[:1:-1].encode("ascii").translate(_DIGITS)


_DIGITS = bytes(octet - 0x30 if octet in b"01" else 0 for octet in range(256))
