"""Octets of any declared charset become text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.charsets import codec, to_text


@pytest.mark.parametrize(("charset", "name"), [
    ("utf-8", "utf-8"), ("UTF8", "utf-8"), ("us-ascii", "utf-8"), ("ISO-8859-1", "cp1252"), ("gb2312", "gb18030"),
    ("ks_c_5601-1987", "cp949"), ("Shift_JIS", "cp932"), ("iso-8859-8-i", "iso8859-8"), ("koi8-r", "koi8-r"),
    ("utf-8-sig", "utf-8"),
])
def test_names_that_mail_uses(charset, name):
    """Aliases are known, and supersets stand in for what senders misname."""
    assert codec(charset) == name


@pytest.mark.parametrize("charset", ["", "x-unknown", "idna", "punycode", "unicode_escape", "raw_unicode_escape",
                                     "base64", "rot13", "zlib", "hex", "undefined", "a\0b", "é", "x" * 1000, "../os",
                                     "encodings.utf_8", "mbcs"])
def test_names_that_are_no_charset(charset):
    """Python's other codecs, and names made to hurt, are no charsets."""
    assert codec(charset) is None
    assert to_text(b"caf\xc3\xa9", charset) == "café"


def test_fallbacks():
    """The declared charset, else UTF-8, else Latin-1 as Windows means it."""
    assert to_text(b"caf\xe9", "utf-8") == "café"
    assert to_text(b"\x93caf\xe9\x94", "iso-8859-1") == "“café”"
    assert to_text(b"caf\xc3\xa9", "us-ascii") == "café"
    assert to_text("日本".encode("iso-2022-jp"), "iso-2022-jp") == "日本"
    assert to_text("hé".encode("utf-16"), "utf-16") == "hé"
    assert to_text(b"\x81\x8d", "") == "\ufffd\ufffd"


@given(st.binary(), st.sampled_from(["", "utf-8", "utf-7", "utf-16", "gb18030", "iso-2022-jp", "hz", "cp1252", "big5"]))
def test_any_octets(octets, charset):
    """Any octets are some text in any charset."""
    assert isinstance(to_text(octets, charset), str)


@pytest.mark.parametrize(("octets", "text"), [
    (b"+2AA-", "\N{REPLACEMENT CHARACTER}"), (b"a+3gA-b", "a\N{REPLACEMENT CHARACTER}b"), (b"+2D3eAA-", "\U0001f600"),
])
def test_half_a_character(octets, text):
    """What UTF-7 spells as half of a surrogate pair is no character; text can always be written out again."""
    assert to_text(octets, "utf-7") == text
    assert to_text(octets + b"\xff", "utf-7").encode("utf-8")
