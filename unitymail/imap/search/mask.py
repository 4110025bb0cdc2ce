"""Sets of messages as integers: bit i is the message at index i. Made and read by C-level calls only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import TypeVar

from unitymail.imap.search.leaf import UNSURE, YES, Verdicts

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
    return list(compress(values, bin(mask)[:1:-1].encode("ascii").replace(b"0", b"\0")))


def from_indexes(indexes: Sequence[int], count: int) -> int:
    octets = bytearray(count)
    for index in indexes:
        octets[index] = YES
    return surely(octets)
