"""Pages of results, from either end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.imap.wire.partial import Page, page

ENDS = st.integers(1, 40)


@pytest.mark.parametrize(("text", "count", "span"), [
    ("1:500", 764, (0, 500)),
    ("501:1000", 764, (500, 764)),
    ("500:400", 764, (399, 500)),
    ("24000:24500", 764, (764, 764)),
    ("-1:-100", 764, (664, 764)),
    ("-100:-1", 764, (664, 764)),
    ("-700:-800", 764, (0, 65)),
    ("-800:-900", 764, (0, 0)),
    ("1:1", 0, (0, 0)),
    ("-1:-1", 0, (0, 0)),
])
def test_spans(text, count, span):
    """A page names positions among the results, and is as short as they are (RFC 9394, 3.1)."""
    assert page(Reader([text.encode()])).span(count) == span


@given(ENDS, ENDS, st.integers(0, 50), st.booleans())
def test_span_is_what_the_numbers_say(begin, end, count, from_the_end):
    """The span holds exactly the positions that the numbers count to."""
    sign = -1 if from_the_end else 1
    low, high = Page(sign * begin, sign * end).span(count)
    wanted = set(range(min(begin, end), max(begin, end) + 1))
    assert set(range(low, high)) == {at for at in range(count) if (count - at if from_the_end else at + 1) in wanted}


@given(ENDS, ENDS, st.sampled_from(["", "-"]))
def test_spelled_as_given(begin, end, sign):
    """The answer repeats the range as the client wrote it."""
    text = f"{sign}{begin}:{sign}{end}".encode()
    assert page(Reader([text])).octets() == text


@pytest.mark.parametrize("text", [
    "", "1", "1:", ":1", "0:1", "1:0", "-1:1", "1:-1", "-0:-1", "1:*", "*:1", "--1:-2", "a:b", "4294967296:1",
])
def test_bad(text):
    """Zero, `*`, one number alone and different signs are refused."""
    with pytest.raises(BadSyntax):
        page(Reader([text.encode()])).span(1)
