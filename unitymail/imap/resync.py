"""What a client that comes back has missed: which of the UIDs that it knows have left (RFC 7162, 3.2.5 and 3.2.6).

Pure: UIDs and ranges of them; refuses to know sessions and stores. Everything is reckoned in ranges, so that neither
what a client claims to know nor a folder that lost nearly all of its messages costs more than its ranges.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

from unitymail.imap.wire.sequence import MAX_NUMBER, SequenceSet, Span

BLOCK = 512


def earlier(
    uids: Sequence[int], uidnext: int, remembered: Sequence[int] | None, known: SequenceSet, *, matched: int = 0
) -> list[Span]:
    """Ranges of UIDs for VANISHED (EARLIER), both ends included, ascending.

    `uids` are those of the view, which is never told of as vanished. `remembered` have left since the client was here;
    None when that is too long ago: then all of `known` that is absent counts, but for what is at most `matched`, the
    highest UID of which the client proved to know how many messages are below it.
    """
    if remembered is not None:
        return common(runs(sorted(set(remembered).difference(uids))), reach(known, uidnext))
    return [(max(low, matched + 1), high) for low, high in common(gaps(uids, uidnext), reach(known, uidnext))
            if high > matched]  # fmt: skip


def reach(known: SequenceSet, uidnext: int) -> list[Span]:
    """The ranges of a set in which `*` reaches all UIDs there ever were, and nothing reaches beyond them."""
    return [(low, min(high, uidnext - 1)) for low, high in known.finite(MAX_NUMBER) if low < uidnext]


def runs(numbers: Iterable[int]) -> list[Span]:
    """Ascending numbers as ranges."""
    found: list[Span] = []
    first = last = -1
    for number in numbers:
        if number != last + 1 or first < 0:
            if first >= 0:
                found.append((first, last))
            first = number
        last = number
    if first >= 0:
        found.append((first, last))
    return found


def gaps(uids: Sequence[int], uidnext: int) -> list[Span]:
    """The ranges of UIDs below `uidnext` that ascending `uids` lack; a block without a gap costs one comparison."""
    found: list[Span] = []
    before = 0
    for begin in range(0, len(uids), BLOCK):
        block = uids[begin : begin + BLOCK]
        if block[-1] - before != len(block):
            found += [(low + 1, high - 1) for low, high in pairwise((before, *block)) if high != low + 1]
        before = block[-1]
    if before + 1 < uidnext:
        found.append((before + 1, uidnext - 1))
    return found


def common(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What two lists of ranges, both ascending and disjoint, have in common."""
    found: list[Span] = []
    i = j = 0
    while i < len(some) and j < len(others):
        low, high = max(some[i][0], others[j][0]), min(some[i][1], others[j][1])
        if low <= high:
            found.append((low, high))
        if some[i][1] < others[j][1]:
            i += 1
        else:
            j += 1
    return found


def last_match(uids: Sequence[int], numbers: SequenceSet, known: SequenceSet) -> int:
    """The highest UID that still has the sequence number that the client remembers for it; 0 for none.

    Both sets are of the same size: the n-th number goes with the n-th UID. As messages only leave, the UID at a number
    is never lower than it was, and once one is higher, all behind it are.
    """
    found = 0
    for number, uid, length in _paired(numbers.ranges, known.ranges):
        length = min(length, len(uids) - number + 1)
        if length < 1 or uids[number - 1] != uid:
            break
        same = bisect_left(range(length), True, key=lambda n: uids[number - 1 + n] != uid + n)
        found = uid + same - 1
        if same < length:
            break
    return found


def _paired(some: Sequence[Span], others: Sequence[Span]) -> Iterable[tuple[int, int, int]]:
    """(first of one list, first of the other, how many) for stretches in which both go up by one."""
    i = j = taken = used = 0
    while i < len(some) and j < len(others):
        left, right = some[i][1] - some[i][0] + 1 - taken, others[j][1] - others[j][0] + 1 - used
        length = min(left, right)
        yield some[i][0] + taken, others[j][0] + used, length
        i, taken = (i + 1, 0) if left == length else (i, taken + length)
        j, used = (j + 1, 0) if right == length else (j, used + length)


def size(ranges: Iterable[Span]) -> int:
    """How many numbers there are."""
    return sum(high - low + 1 for low, high in ranges)


def spelled(ranges: Iterable[Span]) -> bytes:
    """As a sequence set."""
    return b",".join([b"%d" % low if low == high else b"%d:%d" % (low, high) for low, high in ranges])
