"""Sets of ids in SQL: as one JSON value, however many there are. Refuses to know which tables they choose from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
CHUNK = 500


def chosen() -> str:
    """What follows `id IN`; bind `str(list of int)`, which is JSON."""
    return "(SELECT value FROM json_each(?))"


def in_chunks(values: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Slices short enough to be bound one by one."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
