"""Transfer encodings come off, whatever a relay did to them."""

import base64
from binascii import b2a_qp

from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.transfer import from_base64, from_quoted_printable, has_junk, without_encoding


def test_broken_base64():
    """Junk is dropped, a broken last quantum cut, joined pieces both decoded, nothing raises."""
    assert from_base64(b"!!aGVs *\r\nbG8=") == b"hello"
    assert from_base64(b"aGVsbG8") == b"hello"
    assert from_base64(b"aGVsbG8hA") == b"hello!"
    assert from_base64(b"aGk=aGk=") == b"hihi"
    assert from_base64(b"aGk===\r\naGk") == b"hihi"
    assert from_base64(b"=") == from_base64(b"A") == from_base64(b"\xff") == b""
    assert from_base64(b"A=" * 500_000) == b""


def test_broken_quoted_printable():
    """Soft breaks with trailing blanks join; what is no escape stays."""
    assert from_quoted_printable(b"a=20b=\r\nc= \t\r\nd=zz=") == b"a bcd=zz"
    assert from_quoted_printable(b"= " * 500_000)


def test_junk():
    """White space is no junk; anything else outside the alphabet is."""
    assert not has_junk(b"aGVs\r\n bG8=\t")
    assert has_junk(b"aGVs*bG8=")


def test_unknown_encodings_change_nothing():
    """An encoding nobody knows leaves the octets as they are."""
    assert without_encoding(b"a=20", "x-uuencode") == b"a=20"


@given(st.binary())
def test_round_trips(octets):
    """What the standard library encodes comes back, with either line end between the encoded lines."""
    encoded = b2a_qp(octets, quotetabs=True, istext=False)
    for end in (b"\n", b"\r\n"):
        assert without_encoding(base64.encodebytes(octets).replace(b"\n", end), "base64") == octets
        assert without_encoding(encoded.replace(b"\n", end), "quoted-printable") == octets


@given(st.lists(st.binary().map(lambda octets: octets.translate(None, b"\r\n"))), st.sampled_from([b"\n", b"\r\n"]))
def test_text_round_trips(lines, end):
    """The lines of a text stay its lines. (Of mixed line ends the standard library's encoder makes one kind.)"""
    text = end.join(lines)
    assert without_encoding(b2a_qp(text, quotetabs=True), "quoted-printable") == text


@given(st.binary())
def test_any_octets(octets):
    """Anything decodes to something."""
    from_base64(octets)
    from_quoted_printable(octets)
