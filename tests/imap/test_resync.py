"""What has left while a client was away, in ranges: the same as going through every number."""

import time
from array import array

from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.resync import common, earlier, gaps, last_match, reach, runs, size, spelled
from unitymail.imap.wire.sequence import parse

NUMBERS = st.sets(st.integers(1, 60))
SETS = st.lists(st.tuples(st.integers(1, 70), st.integers(1, 70)), min_size=1, max_size=5).map(
    lambda pairs: parse(b",".join(b"%d:%d" % pair for pair in pairs))
)


def spread(ranges):
    return {number for low, high in ranges for number in range(low, high + 1)}


def is_tidy(ranges):
    return all(low <= high for low, high in ranges) and all(
        ranges[n][1] < ranges[n + 1][0] for n in range(len(ranges) - 1)
    )


@given(NUMBERS)
def test_runs_and_gaps(uids):
    """Numbers and what lies between them, as ranges that touch nowhere."""
    ordered = sorted(uids)
    assert spread(runs(ordered)) == uids and is_tidy(runs(ordered))
    missing = gaps(array("I", ordered), 65)
    assert spread(missing) == set(range(1, 65)) - uids and is_tidy(missing)


@given(NUMBERS, NUMBERS)
def test_common(some, others):
    """What two lists of ranges share."""
    shared = common(runs(sorted(some)), runs(sorted(others)))
    assert spread(shared) == some & others and is_tidy(shared)


@given(NUMBERS, NUMBERS, SETS)
def test_remembered(uids, gone, known):
    """Of what is remembered as gone, that which the client knows; never a message that it has in view."""
    assert spread(earlier(array("I", sorted(uids)), 61, sorted(gone), known)) == (gone - uids) & spread(known.ranges)


@given(NUMBERS, SETS, st.integers(0, 60))
def test_forgotten(uids, known, matched):
    """Too long ago to be remembered: all that is absent, as far as the client knows it and has not proved it."""
    found = earlier(array("I", sorted(uids)), 61, None, known, matched=matched)
    assert spread(found) == {u for u in spread(known.ranges) if matched < u < 61} - uids and is_tidy(found)


def test_star_reaches_all_there_ever_was():
    """`1:*` includes what was above the last message that is left, and nothing that never was."""
    assert spread(earlier(array("I", [2]), 6, [3, 5], parse(b"1:*"))) == {3, 5}
    assert reach(parse(b"3:*"), 6) == [(3, 5)] and reach(parse(b"9:*"), 6) == []
    assert reach(parse(b"1:4294967295"), 6) == [(1, 5)]


@given(NUMBERS, st.sets(st.integers(1, 60)), st.data())
def test_last_match(before, gone, data):
    """The highest UID whose number is still right, however the client groups what it sends."""
    old = sorted(before)
    now = [uid for uid in old if uid not in gone]
    chosen = sorted(data.draw(st.sets(st.integers(1, len(old))))) if old else []
    if not chosen:
        return
    numbers = parse(b",".join(b"%d" % n for n in chosen))
    uids = parse(b",".join(b"%d" % old[n - 1] for n in chosen))
    right = [old[n - 1] for n in chosen if n <= len(now) and now[n - 1] == old[n - 1]]
    assert last_match(array("I", now), numbers, uids) == max(right, default=0)


def test_absurd_claims_cost_nothing():
    """Neither four thousand million UIDs nor a folder with a hundred thousand gaps takes long."""
    uids = array("I", range(2, 200_002, 2))
    began = time.process_time()
    assert size(earlier(uids, 200_002, None, parse(b"1:4294967295"))) == 100_001
    assert last_match(uids, parse(b"1:4294967295"), parse(b"1:4294967295")) == 0
    assert last_match(array("I", range(1, 100_001)), parse(b"1:4294967295"), parse(b"1:4294967295")) == 100_000
    assert gaps(array("I", range(1, 1_000_001)), 1_000_001) == []
    assert time.process_time() - began < 2


def test_spelled():
    """As a sequence set."""
    assert spelled([(1, 3), (5, 5)]) == b"1:3,5"
