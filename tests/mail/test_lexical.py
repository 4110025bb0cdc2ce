"""Folding, comments and quotes."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.lexical import LONGEST_FIELD, unfold, unquoted, without_comments


def test_unfolding():
    """A fold is one space, whichever white space it was made of; the ends are stripped."""
    assert unfold(b" one\r\n\ttwo\r\n   three\n four\r\n") == b"one two   three four"
    assert unfold(b" " + b"x" * 100_000) == b"x" * (LONGEST_FIELD - 1)


def test_comments_go():
    """Nested comments go, quoted parentheses stay, what is never closed swallows the rest."""
    assert without_comments(b"a (b (c) \\) d) e") == b"a  e"
    assert without_comments(b'"(kept)" (gone)') == b'"(kept)" '
    assert without_comments(b"a) b (c") == b"a b "
    assert without_comments(b"(" * 1_000_000) == b""


def test_quotes():
    """Escapes are undone; a missing end quote is forgiven."""
    assert unquoted(b'"a \\"b\\" \\\\"') == b'a "b" \\'
    assert unquoted(b'"\\\\\\"\\a\\\r\\') == b'\\"a\r\\'
    assert unquoted(b'"open') == b"open"
    assert unquoted(b"bare") == b"bare"
    assert unquoted(b'"') == b""


@given(st.binary())
def test_any_octets(octets):
    """Nothing raises, and what comes out of unfolding holds no fold."""
    without_comments(octets)
    unquoted(octets)
    assert b"\n " not in unfold(octets)
    assert b"\n" not in unfold(octets)
