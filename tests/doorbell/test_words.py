"""What is said at the doorbell survives the wire, and garbage is not understood."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.doorbell.words import DirectoryChanged, Ring, Taken, spoken, understood

WORDS = st.one_of(
    st.builds(Ring, st.text(), st.text()), st.builds(DirectoryChanged, st.integers(0)), st.builds(Taken, st.integers(0))
)


@given(WORDS)
def test_said_is_heard(word):
    """Whatever a folder is called, line breaks included, one word is one line."""
    line = spoken(word)
    assert line.count(b"\n") == 1
    assert understood(line[:-1]) == word


@given(st.binary())
def test_garbage_is_nothing(line):
    """Octets that mean nothing are no error."""
    understood(line)


def test_what_a_later_version_says_is_left_alone():
    """Unknown words, other shapes and deep nesting are not understood."""
    for line in (b"[]", b'["ring"]', b'["ring",1,2]', b'["new","word"]', b'{"a":1}', b"[" * 5000, b'["directory","x"]'):
        assert understood(line) is None
