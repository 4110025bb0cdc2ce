"""What parent and worker say to each other is understood as it was meant, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.ledger.words import Back, Taken
from unitymail.workers.words import Beat, Begin, Cover, Leaving, OfLedger, Ready, Reload, Stop, spoken, understood

values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))
words = st.one_of(
    st.builds(Begin, st.dictionaries(st.text(), values, max_size=3)),
    st.builds(Cover, st.lists(st.integers(0, 99)).map(tuple)),
    st.sampled_from([Reload(), Stop(), Ready(), Leaving()]),
    st.builds(Beat, st.dictionaries(st.text(), values, max_size=3)),
    st.sampled_from([OfLedger(Back(3)), OfLedger(Taken(1, 2))]),
)


@given(words)
def test_there_and_back(word):
    """Every word is one line, and survives it."""
    line = spoken(word)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert understood(line[:-1]) == word


@pytest.mark.parametrize("line", [
    b"", b"[]", b"{}", b"null", b'["sing"]', b'["stop", 1]', b'["cover", ["a"]]', b'["cover", [[]]]', b'["ledger"]',
    b'["ledger", "back", "x"]', b"[" * 100_000, b"\xff", b'["beat", []]', b'["take", 1, [[1]], ""]',
    b'["ledger", "take", 1, [["smtp"]], ""]',
])
def test_what_is_no_word(line):
    """Anything else is nothing, and no error."""
    assert understood(line) is None


@given(st.binary(max_size=200))
def test_noise(line):
    """Whatever comes, `understood` gives a word or None."""
    understood(line)
