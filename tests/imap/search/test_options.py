"""RETURN: what may be asked for, and what not together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.search.options import EVERYTHING, ReturnOptions, search_return_options
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.imap.wire.partial import Page


@pytest.mark.parametrize(("text", "options"), [
    ("RETURN () ", EVERYTHING),
    ("return (all) ", EVERYTHING),
    ("RETURN (MIN) ", ReturnOptions(min=True)),
    ("RETURN (MIN COUNT MAX) ", ReturnOptions(min=True, max=True, count=True)),
    ("RETURN (SAVE) ", ReturnOptions(save=True)),
    ("RETURN (CONTEXT COUNT) ", ReturnOptions(context=True, count=True)),
    ("RETURN (UPDATE PARTIAL 1:500) ", ReturnOptions(update=True, partial=Page(1, 500))),
    ("RETURN (PARTIAL -1:-100 MIN) ", ReturnOptions(partial=Page(-1, -100), min=True)),
    ("RETURN (COUNT COUNT) ", ReturnOptions(count=True)),
])
def test_options(text, options):
    """The words are read, and what follows them is left."""
    reader = Reader([text.encode() + b"UNSEEN"])
    assert search_return_options(reader) == options
    assert reader.rest() == b"UNSEEN"


def test_without():
    """A command without RETURN is answered in the old way."""
    reader = Reader([b"RETURNED"])
    assert search_return_options(reader) is None
    assert reader.rest() == b"RETURNED"


@pytest.mark.parametrize("text", [
    "RETURN ", "RETURN MIN x", "RETURN (", "RETURN (MIN", "RETURN (MIN)x", "RETURN (FOO) x", "RETURN ( MIN) x",
    "RETURN (MIN ) x", "RETURN (MIN  MAX) x", "RETURN (PARTIAL) x", "RETURN (PARTIAL 1) x",
    "RETURN (PARTIAL 1:2 ALL) x", "RETURN (ALL PARTIAL 1:2) x", "RETURN (PARTIAL 1:2 PARTIAL 3:4) x", "RETURN (MIN)",
])
def test_bad(text):
    """What cannot be read, or excludes itself, is refused."""
    with pytest.raises(BadSyntax):
        search_return_options(Reader([text.encode()]))


@pytest.mark.parametrize(("options", "silent"), [
    (ReturnOptions(save=True), True),
    (ReturnOptions(save=True, context=True), True),
    (ReturnOptions(save=True, count=True), False),
    (ReturnOptions(save=True, update=True), False),
    (EVERYTHING, False),
    (ReturnOptions(), False),
])
def test_silent(options, silent):
    """Only a result that is saved and nothing else is not told."""
    assert options.silent == silent


@given(st.lists(st.sampled_from(
    ["MIN", "MAX", "ALL", "PARTIAL", "1:2", "-1:-2", "-", ":", "*", "(", ")", " ", "SAVE", "FOO", "\x80", "0"]
), max_size=12))
def test_garbage(words):
    """Any words give options or a refusal."""
    try:
        search_return_options(Reader([("RETURN (" + "".join(words)).encode()]))
    except BadSyntax:
        pass
