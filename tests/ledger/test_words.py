"""What is said about places is understood as it was meant, and nothing else is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.interfaces.ledger import Count
from unitymail.ledger.words import Back, Filled, Take, Taken, spoken, understood

numbers, texts = st.integers(0, 2**53), st.text(max_size=20)
words = st.one_of(
    st.builds(Take, numbers, st.lists(st.builds(Count, texts, texts, numbers), max_size=4).map(tuple), texts),
    st.builds(Taken, numbers, numbers),
    st.builds(Filled, numbers, numbers, st.dictionaries(texts, numbers, max_size=4)),
    st.builds(Back, numbers),
)


@given(words)
def test_there_and_back(word):
    """Every word survives JSON."""
    assert understood(json.loads(json.dumps(spoken(word)))) == word


@pytest.mark.parametrize("said", [[], ["take"], ["take", 1, [], 2], ["taken", "1", 2], ["back"], "back", {"a": 1}])
def test_what_is_no_word(said):
    """Anything else is nothing."""
    assert understood(said) is None
