"""Readable text from encoded headers."""

import email.header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from unitymail.mail.encoded_words import decode


@pytest.mark.parametrize(("raw", "text"), [
    (b" plain \r\n", "plain"),
    (b"=?utf-8?Q?Sprachnachricht_von_J=C3=B6rg_=E2=80=94?=\r\n =?utf-8?B?IMOEbmRlcnVuZw==?=",
     "Sprachnachricht von Jörg — Änderung"),
    (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
    (b"=?utf-8?q?a?= b =?iso-8859-1?q?=E9?=", "a b é"),
    (b"=?utf-8?q?a?=   =?iso-8859-1?q?=E9?=", "aé"),
    (b"=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"),
    (b"=?utf-8*en?q?x?=", "x"),
    (b"Re: =?UTF-8?B?w6k", "Re: =?UTF-8?B?w6k"),
    (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
    (b"(=?utf-8?q?a?=)x=?utf-8?q?b?=y", "(a)xby"),
    (b"=?utf-8?q?Outlook leaves blanks?=", "Outlook leaves blanks"),
    (b"=?no-such-charset?q?=C3=A9?=", "é"),
    (b"=?idna?q?xn--a?=", "xn--a"),
    (b"=?us-ascii?q?=C3=A9?=", "é"),
    (b"=?gb2312?b?xOO6ww==?=", "你好"),
    (b"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"),
    (b"=?utf-8?b?w6*k=!?=", "é"),
    (b"=?utf-8?q?a=0D=0Ab=00?=", "a  b"),
    (b"Gru\xc3\x9f", "Gruß"),
    (b"R\xe9union", "Réunion"),
    (b"a\r\n\tb", "a b"),
])
def test_decoding(raw, text):
    """Encoded words, raw UTF-8, raw Latin-1, broken ones left readable; never a line end."""
    assert decode(raw) == text


def test_charset_of_the_body_is_a_guess():
    """8-bit that is not UTF-8 is read by the charset the body has, when the caller knows it."""
    assert decode("привет".encode("koi8-r"), "koi8-r") == "привет"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=80))
def test_what_others_encode(text):
    """What the standard library encodes, folded as it likes, comes back."""
    encoded = email.header.Header(text, "utf-8", maxlinelen=75).encode(linesep="\r\n")
    assert decode(encoded.encode("ascii")).strip() == text.strip()


@given(garbage)
def test_garbage(octets):
    """Anything decodes to text on one line."""
    text = decode(octets)
    assert not set(text) & set("\r\n\0")


@pytest.mark.parametrize("piece", [b"=?", b"=?a?q?", b"=?utf-8?q?a?= ", b"=?a?q??=", b"?=", b" ", b"=?utf-8?b?A?="])
def test_floods_end_soon(piece):
    """A megabyte of beginnings, ends and blanks is read in one pass."""
    decode(piece * (1_000_000 // len(piece)))
