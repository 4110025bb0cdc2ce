"""Sequence sets against Python's own sets."""

import time
from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.wire.sequence import SequenceSet, compressed, parse

NUMBERS = st.integers(1, 60) | st.just("*")
ITEMS = st.lists(NUMBERS | st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=12)
UIDS = st.sets(st.integers(1, 60), max_size=30).map(sorted)


def spelled(items):
    return ",".join(f"{i[0]}:{i[1]}" if isinstance(i, tuple) else str(i) for i in items).encode()


def meant(items, largest):
    """RFC 3501, 9: `*` is the largest number in use, and a range has no direction."""
    chosen = set()
    for item in items:
        low, high = item if isinstance(item, tuple) else (item, item)
        low, high = (largest if end == "*" else end for end in (low, high))
        chosen.update(range(min(low, high), max(low, high) + 1))
    return chosen


@given(ITEMS, UIDS)
def test_uids_like_sets(items, uids):
    """A set of UIDs names exactly the messages that counting it out names."""
    chosen = meant(items, uids[-1] if uids else 0)
    assert list(parse(spelled(items)).of_uids(array("L", uids))) == [u for u in uids if u in chosen]


@given(ITEMS, st.integers(0, 40))
def test_sequence_numbers_like_sets(items, count):
    """A set of sequence numbers names exactly the messages that counting it out names."""
    uids = array("L", range(101, 101 + count))
    chosen = meant(items, count)
    assert list(parse(spelled(items)).of_sequence(uids)) == [100 + n for n in range(1, count + 1) if n in chosen]


@given(ITEMS, st.integers(0, 70))
def test_beyond(items, count):
    """A number above the count is noticed; `*` never is one."""
    finite = [i for i in items if "*" not in (i if isinstance(i, tuple) else (i,))]
    assert parse(spelled(items)).beyond(count) == any(n > count for n in meant(finite, 0))


@given(ITEMS)
def test_ranges_are_merged(items):
    """Ranges are kept sorted and apart, so that resolving costs what is left of them."""
    ranges = parse(spelled(items)).ranges
    assert all(low <= high for low, high in ranges)
    assert all(a[1] + 1 < b[0] for a, b in pairwise(ranges))


@given(st.binary(max_size=20) | st.text("0123456789:,*", max_size=12).map(str.encode))
def test_garbage(octets):
    """Whatever is not a set is refused with words, not with a crash."""
    try:
        parse(octets)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(
    "octets", [b"", b"0", b"1:", b":1", b"1,,2", b"01", b"4294967296", b"1:4294967296", b"1 2", b"-1", b"$,1"]
)
def test_refused(octets):
    """Zero, empty pieces, and numbers over 32 bits are refused."""
    with pytest.raises(ValueError):
        parse(octets)


def test_dollar():
    """`$` is the saved search result."""
    assert parse(b"$") == SequenceSet(dollar=True)


def test_scattered_numbers_are_no_burden():
    """64 KiB of scattered numbers against 100,000 messages take milliseconds (stock: seconds)."""
    octets = b",".join(b"%d" % n for n in range(19_998, 2, -2))[:65_000].rpartition(b",")[0]
    uids = array("L", range(1, 100_001))
    began = time.process_time()
    chosen = parse(octets).of_uids(uids)
    assert time.process_time() - began < 2
    assert len(chosen) == octets.count(b",") + 1


def test_too_long():
    """Sets are limited to 64 KiB."""
    with pytest.raises(ValueError, match="65536"):
        parse(b"1," * 40_000 + b"1")


def test_wide_range_costs_nothing():
    """A range over all 32-bit numbers is never counted out."""
    assert list(parse(b"1:4294967295").of_uids(array("L", [7, 9]))) == [7, 9]


@given(st.lists(st.integers(1, 50), max_size=30))
def test_compressed(numbers):
    """COPYUID's sets keep the order and lose nothing."""
    listed = []
    for item in filter(None, compressed(numbers).split(b",")):
        low, _, high = item.partition(b":")
        listed.extend(range(int(low), int(high or low) + 1))
    assert listed == numbers
