"""The criteria of SORT."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.sort.program import COLUMNS, Criterion, program
from unitymail.imap.wire.lexer import BadSyntax, Reader


def read(text):
    reader = Reader([text])
    found = program(reader)
    reader.end()
    return found


def test_every_criterion():
    """All of RFC 5256 and RFC 5957, in any letter case, each reversible."""
    for name, column in COLUMNS.items():
        assert read(f"({name})".encode()) == (Criterion(column),)
        assert read(f"(reverse {name.lower()})".encode()) == (Criterion(column, True),)
    assert len(COLUMNS) == 9


def test_several():
    """They count in the order written; one named again decides nothing."""
    assert read(b"(SUBJECT REVERSE DATE)") == (Criterion("subject"), Criterion("sent", True))
    assert read(b"(DATE SUBJECT REVERSE DATE DATE)") == (Criterion("sent"), Criterion("subject"))
    assert len(read(b"(" + b" ".join([b"TO", b"FROM"] * 5_000) + b")")) == 2


@pytest.mark.parametrize("text", [
    b"()", b"(", b"DATE", b"(DATE", b"(DATE ", b"(DATE  FROM)", b"(REVERSE)", b"(REVERSE REVERSE DATE)", b"(REVERSE",
    b"(SPEED)", b"( DATE)", b"(DATE )", b'("DATE")', b"(DATE,FROM)", b"",
])
def test_bad(text):
    """What is no sort program is BAD."""
    with pytest.raises(BadSyntax):
        read(text)


@given(st.binary(max_size=40))
def test_garbage(octets):
    """Any octets are a program or a syntax error."""
    try:
        assert read(b"(" + octets)
    except BadSyntax:
        pass
