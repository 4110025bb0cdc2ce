"""LIST patterns against a slow and obvious matcher."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.wire.pattern import Pattern


@given(st.text("ab/*%", max_size=8), st.text("ab/*%", max_size=10))
def test_like_a_regular_expression(pattern, name):
    """`*` is anything, `%` anything without a separator, the rest itself."""
    regular = "".join({"*": ".*", "%": "[^/]*"}.get(c, re.escape(c)) for c in pattern)
    assert Pattern(pattern.encode()).matches(name.encode()) == bool(re.fullmatch(regular, name, re.DOTALL))


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        (b"inbox", b"INBOX", True),
        (b"iNb%", b"INBOX", True),
        (b"inbox/%", b"INBOX/Work", True),
        (b"*", b"a/b", True),
        (b"%", b"a/b", False),
        (b"%/%", b"a/b", True),
        (b"Work", b"work", False),
        (b"inboxes", b"INBOX", False),
        (b"*rfe", "Entwürfe".encode(), True),
        ("*ü*".encode(), "Entwürfe".encode(), True),
        (b"Entw%e", "Entwürfe".encode(), True),
        ("*é".encode(), "ü".encode(), False),
        (b"\0*", b"a", False),
        (b"", b"a", False),
    ],
)
def test_what_is_covered(pattern, name, covered):
    """INBOX is case-blind, other names are not; wildcards stand for whole characters."""
    assert Pattern(pattern).matches(name) is covered


def test_no_pattern_is_a_burden():
    """A pattern made to stop a backtracking matcher takes no longer than others, for a thousand names."""
    pattern = Pattern(b"%a" * 125)
    names = [b"a" * 249 + bytes([98 + number % 20]) for number in range(1_000)]
    began = time.process_time()
    assert not any(map(pattern.matches, names))
    assert not Pattern(b"*a" * 100 + b"b").matches(b"a" * 250)
    assert time.process_time() - began < 5
