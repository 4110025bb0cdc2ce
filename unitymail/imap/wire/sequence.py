"""Sequence sets (RFC 3501 `sequence-set`, RFC 5182 `$`): sorted ranges, resolved by bisection, never iterated.

Knows numbers only; refuses to know messages. The stock MessageSet sorts again at every addition: 15 kB of scattered
numbers held the reactor for most of a second.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import sub

MAX_OCTETS = 65_536
MAX_NUMBER = 2**32 - 1
_NUMBER = rb"(?:[1-9][0-9]{0,9}+|\*)"
_RANGE = _NUMBER + b"(?::" + _NUMBER + b")?"
_SET = re.compile(_RANGE + b"(?:," + _RANGE + b")*+")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """`ranges`: disjoint (low, high) pairs, ascending, both ends included, nothing that touches kept apart.

    `star` is the lowest number that a range up to `*` begins with: 0 when there is no `*`, `MAX_NUMBER + 1` for a lone
    `*`. `dollar` stands for the saved search result; then the rest is empty.
    """

    ranges: tuple[Span, ...] = ()
    star: int = 0
    dollar: bool = False

    def finite(self, largest: int) -> list[Span]:
        """The ranges with `*` standing for `largest`, the largest number in use (0: nothing is, and `*` is nothing)."""
        if not self.star or largest < 1:
            return list(self.ranges)
        start = min(self.star, largest)
        return _merged([*self.ranges, (start, largest)])

    def spans_of_numbers(self, count: int) -> list[Span]:
        """Half-open index spans, ascending, of the message sequence numbers up to `count`."""
        return [(low - 1, min(high, count)) for low, high in self.finite(count) if low <= count]

    def spans_of_uids(self, uids: Sequence[int]) -> list[Span]:
        """Half-open index spans of those `uids` (ascending) that the set names."""
        count = len(uids)
        spans = []
        end = 0
        for low, high in self.finite(uids[-1] if count else 0):
            begin = bisect_left(uids, low, end)
            if begin == count:
                break
            end = bisect_right(uids, high, begin) if low < high else begin + (uids[begin] == low)
            if begin < end:
                spans.append((begin, end))
        return spans

    def of_sequence(self, uids: array[int]) -> array[int]:
        """The UIDs at the message sequence numbers that the set names; `uids[0]` has number 1."""
        return gathered(uids, self.spans_of_numbers(len(uids)))

    def of_uids(self, uids: array[int]) -> array[int]:
        """Those of `uids` that the set names."""
        return gathered(uids, self.spans_of_uids(uids))

    def beyond(self, count: int) -> bool:
        """Whether a number above `count` is named outright (RFC 3501, 9: such a sequence number is an error)."""
        return bool(self.ranges) and self.ranges[-1][1] > count

    def __contains__(self, number: int) -> bool:
        """For a number that is in use below the largest; `*` itself needs `finite`."""
        at = bisect_right(self.ranges, (number, MAX_NUMBER + 1)) - 1
        inside = at >= 0 and self.ranges[at][0] <= number <= self.ranges[at][1]
        return inside or bool(self.star and number >= self.star)


def parse(octets: bytes) -> SequenceSet:
    """The set that `octets` spell; raises ValueError with words for the client."""
    if octets == b"$":
        return SequenceSet(dollar=True)
    if octets.isdigit() and len(octets) < 10 and not octets.startswith(b"0"):
        # One message, as in most commands: with nine digits no number is too large.
        one = int(octets)
        return SequenceSet(((one, one),))
    if len(octets) > MAX_OCTETS:
        raise ValueError("Sequence set is longer than 65536 octets")
    if _SET.fullmatch(octets) is None:
        raise ValueError("Malformed sequence set")
    items, star = octets.split(b","), 0
    if b":" in octets or b"*" in octets:
        ranges, star = _ranges(items)
        merged = _merged(ranges)
    else:
        merged = _apart(sorted(map(int, items)))
    if (merged and merged[-1][1] > MAX_NUMBER) or star > MAX_NUMBER + 1:
        raise ValueError("A number is above 4294967295")
    return SequenceSet(tuple(merged), star)


def _ranges(items: list[bytes]) -> tuple[list[Span], int]:
    """(ranges as they come, the lowest number that one up to `*` begins with)."""
    star = 0
    ranges = []
    for item in items:
        if item.isdigit():
            one = int(item)
            ranges.append((one, one))
        elif b"*" in item:
            ends = [int(end) for end in item.split(b":") if end != b"*"]
            start = ends[0] if ends else MAX_NUMBER + 1
            star = min(star, start) if star else start
        else:
            one, other = map(int, item.split(b":"))
            ranges.append((one, other) if one <= other else (other, one))
    return ranges, star


def _apart(numbers: list[int]) -> list[Span]:
    """Ranges of ascending single numbers: as they are when none touches the next one."""
    ranges = list(zip(numbers, numbers, strict=True))
    is_apart = min(map(sub, numbers[1:], numbers), default=2) > 1
    return ranges if is_apart else _merged(ranges)


def _merged(ranges: list[Span]) -> list[Span]:
    ranges.sort()
    merged: list[Span] = []
    begin = end = -1
    for low, high in ranges:
        if low > end + 1:
            if end >= 0:
                merged.append((begin, end))
            begin, end = low, high
        elif high > end:
            end = high
    if end >= 0:
        merged.append((begin, end))
    return merged


def gathered(numbers: array[int], spans: list[Span]) -> array[int]:
    """The elements in the half-open `spans`, copied block by block."""
    if len(spans) == 1:
        return numbers[spans[0][0] : spans[0][1]]
    chosen = array(numbers.typecode)
    for begin, end in spans:
        chosen.extend(numbers[begin:end])
    return chosen


def compressed(numbers: Iterable[int]) -> bytes:
    """`numbers` as a set in the order given, runs joined: (3, 4, 5, 9) is `3:5,9` (for COPYUID, order counts)."""
    pieces = []
    first = last = 0
    for number in numbers:
        if first and number == last + 1:
            last = number
            continue
        if first:
            pieces.append(b"%d" % first if first == last else b"%d:%d" % (first, last))
        first = last = number
    if first:
        pieces.append(b"%d" % first if first == last else b"%d:%d" % (first, last))
    return b",".join(pieces)
