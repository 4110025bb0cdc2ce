"""Orders: positions of messages as a sort program wants them, made of columns of values, or of an earlier order.

Knows values and positions only; refuses to know messages. Equal messages stay in the order of the mailbox, also when a
criterion is reversed (RFC 5256, 3). Many messages are sorted in portions: no single call holds the interpreter long.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

AT_ONCE = 5_000
Column = Sequence[Any]
Values = tuple[Any, ...]


def ordered(columns: Sequence[Column], reverses: Sequence[bool]) -> list[int]:
    """The positions 0 … n-1 in order; `columns[0]` is compared first."""
    positions = range(len(columns[0]))
    if len(positions) <= AT_ONCE:
        return _sorted(positions, columns, reverses)
    portions = _portions(columns[0])
    if reverses[0]:
        portions.reverse()
    found: list[int] = []
    for portion in portions:
        found += _sorted(portion, columns, reverses)
    return found


def _sorted(positions: Sequence[int], columns: Sequence[Column], reverses: Sequence[bool]) -> list[int]:
    found = list(positions)
    for column, reverse in zip(reversed(columns), reversed(reverses), strict=True):
        found.sort(key=column.__getitem__, reverse=reverse)
    return found


def _portions(column: Column) -> list[list[int]]:
    """The positions cut into portions, such that all values of one come before all of the next."""
    sample = sorted(column[:: max(1, len(column) // 1_000)])
    bounds = sample[:: max(1, len(sample) * AT_ONCE // len(column) // 2)]
    portions: list[list[int]] = [[] for _ in range(len(bounds) + 1)]
    for position, value in enumerate(column):
        portions[bisect_right(bounds, value)].append(position)
    return portions


def inserted(
    order: Sequence[int], fresh: Sequence[int], values_of: Callable[[int], Values], reverses: Sequence[bool]
) -> list[int]:
    """`order` with the positions `fresh` at their places; only few values are asked for."""
    found = list(order)
    for position in fresh:
        mine = values_of(position)
        low, high = 0, len(found)
        while low < high:
            middle = (low + high) // 2
            other = found[middle]
            if _precedes(values_of(other), other, mine, position, reverses):
                low = middle + 1
            else:
                high = middle
        found.insert(low, position)
    return found


def _precedes(one: Values, at: int, other: Values, other_at: int, reverses: Sequence[bool]) -> bool:
    for mine, its, reverse in zip(one, other, reverses, strict=True):
        if mine != its:
            return bool(mine < its) != reverse
    return at < other_at


def moved(order: Sequence[int], before: Sequence[int], after: Sequence[int]) -> tuple[list[int], list[int]]:
    """An order of the UIDs `before` as one of those of `after`: what is gone left out; and the positions that are new.

    Both ascend. Positions are those in `before` going in, those in `after` coming out.
    """
    count = len(before)
    if count <= len(after) and after[:count] == before:
        return list(order), list(range(count, len(after)))
    place = {uid: position for position, uid in enumerate(after)}
    places = [place.pop(uid, -1) for uid in before]
    return [there for position in order if (there := places[position]) >= 0], list(place.values())
