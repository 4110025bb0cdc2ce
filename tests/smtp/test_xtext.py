"""xtext, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.smtp.xtext import from_xtext


def xtext(text):
    """RFC 3461 4, written another way."""
    return "".join(chr(b) if 33 <= b <= 126 and b not in b"+=" else f"+{b:02X}" for b in text.encode())


@given(st.text(min_size=1, max_size=40).filter(str.isprintable))
def test_what_is_printable_comes_back(text):
    """Whatever the script, signs and blanks included."""
    assert from_xtext(xtext(text), 1000) == text


@pytest.mark.parametrize(
    "text", ["", "a b", "a=b", "+", "+4", "+4g", "+aa", "é", "+0D+0A", "+00", "+FF", "+C3", "x" * 11]
)
def test_what_is_none(text):
    """Bad escapes, control characters, broken UTF-8, raw non-ASCII, too long."""
    assert from_xtext(text, 10) is None


@given(st.text(max_size=40))
def test_garbage_is_a_printable_line_or_nothing(text):
    """Nothing that could break a header, a reply or the journal."""
    found = from_xtext(text, 30)
    assert found is None or (found.isprintable() and found)
