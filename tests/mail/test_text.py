"""The text that SEARCH looks in."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from unitymail.mail.structure import scan, walk
from unitymail.mail.text import body_text, decoded, first_octets, fold


@pytest.mark.parametrize(("one", "other"), [
    ("Hello", "hELLO"), ("JÖRG", "jörg"), ("Ångström", "a\u030angstro\u0308m"), ("ﬁ", "fi"), ("ǆ", "Ǆ"),
    ("ＡＢＣ", "abc"), ("Σίσυφος", "ΣΊΣΥΦΟΣ"), ("①", "1"),
])
def test_what_counts_as_equal(one, other):
    """RFC 5051: case and compatibility forms do not matter."""
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("e", "é"), ("ß", "ss"), ("o", "0"), ("a", "b")])
def test_what_does_not(one, other):
    """Accents matter, and sharp s is no double s."""
    assert fold(one) != fold(other)


@given(st.text())
def test_folding_twice(text):
    """Folding is done once for good; case and normal form of the input do not matter."""
    assert fold(fold(text)) == fold(text)
    assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(("header", "body", "text"), [
    (b"", b"caf\xc3\xa9\r\n", "café\r\n"),
    (b"Content-Type: text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
    (b"Content-Type: text/plain; charset=nonsense", b"caf\xe9", "café"),
    (b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: QUOTED-PRINTABLE", b"caf=C3=A9 =\r\nx",
     "café x"),
    (b"Content-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: base64", b"0NLJ18XU*", "привет"),
    (b"Content-Transfer-Encoding: x-unknown", b"as=20is", "as=20is"),
])
def test_bodies(header, body, text):
    """Transfer encoding and charset are undone; HTML is its source."""
    octets = b"MIME-Version: 1.0\r\n" + header + b"\r\n" * (2 if header else 1) + body
    assert body_text(octets, scan(octets).root) == text


def test_the_first_octets_are_enough():
    """A format is told from a prefix: the rest of a large part is not decoded."""
    octets = b"Content-Type: audio/wav\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"UklGRiQAAABXQVZF" * 100_000
    assert len(first_octets(octets, scan(octets).root)) == 384
    assert first_octets(octets, scan(octets).root, 8) == b"RIFF$\0"


@given(garbage)
def test_garbage(octets):
    """Any part has some text."""
    for part in walk(scan(octets).root):
        assert isinstance(fold(body_text(octets, part)), str)
        decoded(octets, part)
