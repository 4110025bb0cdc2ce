"""Lists of parameters in parentheses."""

import pytest

from unitymail.imap.parameters import names_in
from unitymail.imap.wire.lexer import BadSyntax, Reader


def test_names_and_values():
    """Names come in upper case, one after the other, with what belongs to them left to the caller."""
    reader = Reader([b"(one 5 TWO)"])
    read = []
    for name in names_in(reader, {"ONE", "TWO"}):
        if name == "ONE":
            reader.space()
            read.append(reader.number())
        read.append(name)
    reader.end()
    assert read == [5, "ONE", "TWO"]


@pytest.mark.parametrize("text", [b"(ONE", b"ONE", b"()", b"(ONE ONE)", b"(THREE)", b"(ONE  TWO)", b"(ONE )"])
def test_bad(text):
    """Unknown, repeated and broken ones are refused."""
    with pytest.raises(BadSyntax):
        list(names_in(Reader([text]), {"ONE", "TWO"}))
