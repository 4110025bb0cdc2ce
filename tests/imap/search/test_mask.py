"""Sets of messages as integers are the sets that they stand for."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.search import mask
from unitymail.imap.search.verdicts import NO, YES

SETS = st.sets(st.integers(0, 200))


def integer(indexes):
    return sum(1 << index for index in indexes)


@given(SETS)
def test_made_and_read(indexes):
    """What a set was made from is what it holds."""
    made = mask.from_indexes(indexes, 201)
    assert made == integer(indexes)
    assert mask.chosen(made, range(201)) == sorted(indexes)
    assert mask.verdicts(made, 201) == bytes(YES if at in indexes else NO for at in range(201))
    assert mask.surely(mask.verdicts(made, 201)) == made


@given(SETS)
def test_ends(indexes):
    """The first and the last are found."""
    if indexes:
        assert (mask.first(integer(indexes)), mask.last(integer(indexes))) == (min(indexes), max(indexes))
    else:
        assert mask.last(0) == -1


@given(SETS)
def test_spans(indexes):
    """Spans hold the same messages, ascending, and do not touch."""
    spans = mask.spans(integer(indexes))
    assert [at for begin, end in spans for at in range(begin, end)] == sorted(indexes)
    assert all(one[1] < other[0] for one, other in pairwise(spans))


@given(SETS, SETS)
def test_without(indexes, gone):
    """When messages leave, those behind them move up."""
    expected = {index - sum(one < index for one in gone) for index in indexes - gone}
    assert mask.without(integer(indexes), sorted(gone)) == integer(expected)
