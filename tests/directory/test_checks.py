"""What fields may hold: no field can break a line, leave its directory or look like an option."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.directory import checks
from unitymail.interfaces.directory import Refused

GOOD_ALIASES = ["robin", "robin.smith", "o'neil", "a_b-c", "Zoë", "李雷", "x!y#z$%^&`~", "a" * 64, "1041"]
BAD_ALIASES = [
    "", "  ", "robin@x", "a b", "a,b", "../etc", "a/b", "a\\b", ".", "..", ".a", "a.", "a..b", "a" * 65, "-rf", "a\nb",
    "a\r\nBcc: x", "a\0b", "a\x7fb", 'a"b', "a<b>", "a;b", "a|b", "a*b", "a+b", "a\u2028b", "a\u202eb", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("alias", GOOD_ALIASES)
def test_an_alias_may_be(alias):
    """Names that people use, in any script, are taken as they are."""
    assert checks.alias(alias) == alias


@pytest.mark.parametrize("alias", BAD_ALIASES, ids=ascii)
def test_an_alias_may_not_be(alias):
    """What could not stand before an @, or could pass for a path, an option or a second header line, is refused."""
    with pytest.raises(Refused) as refused:
        checks.alias(alias)
    assert str(refused.value).isprintable()


@given(st.text(max_size=80))
def test_no_alias_breaks_a_line_or_leaves_a_directory(text):
    """Whatever is typed, an accepted alias has no control character, space, slash or @, and no dot at its ends."""
    try:
        alias = checks.alias(text)
    except Refused:
        return
    assert not any(unicodedata.category(c)[0] in "CZ" or c in '/\\@<>,;:"*+' for c in alias)
    assert alias not in (".", "..") and not alias.startswith((".", "-"))


@given(st.text(max_size=80))
def test_no_line_of_text_injects_a_header(text):
    """Whatever is typed, an accepted name is one line without control characters."""
    try:
        line = checks.line("display name", text)
    except Refused:
        return
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in line)


def test_no_name_turns_text_around():
    """Invisible direction marks could make a list lie; the joiners that some scripts need are kept."""
    for mark in "\u202e\u2066\u200b\ufeff":
        with pytest.raises(Refused):
            checks.line("display name", f"Robin{mark}Smith")
    assert checks.line("display name", "می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize("address", ["a@b", "a.b+tag@example.com", "Zoë@exämple.de", "x@10-20.example", "o'n@x.y"])
def test_an_address_may_be(address):
    """Ordinary and international addresses are taken."""
    assert checks.address("proxy address", address) == address


@pytest.mark.parametrize(
    "address",
    ["", "a", "@b", "a@", "a b@c", "a@b c", "<a@b>", "a@b\r\nX: y", "a@b,c@d", ".a@b", "a..b@c", "a@-b.c", "a@b..c",
     "a@" + "b" * 64, "a" * 321 + "@b", "a@[127.0.0.1", "a@b_"],
    ids=ascii,
)  # fmt: skip
def test_an_address_may_not_be(address):
    """What is no plain address, or holds more than one, is refused."""
    with pytest.raises(Refused):
        checks.address("proxy address", address)


def test_two_spellings_of_one_name_are_one():
    """A decomposed accent becomes the composed one."""
    assert checks.alias("Zoe\u0308") == "Zoë"


@pytest.mark.parametrize("number", ["1041", "+49-30", "*88#", "12.3", ""])
def test_an_extension_may_be(number):
    """Digits and what phones have beside them."""
    assert checks.extension(number) == number


@pytest.mark.parametrize("number", ["10 41", "1" * 41, "1@2", "1\n2", "é"])
def test_an_extension_may_not_be(number):
    """What cannot be dialled is refused."""
    with pytest.raises(Refused):
        checks.extension(number)
