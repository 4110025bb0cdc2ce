"""Transfer encodings taken off piece by piece: the same octets, wherever the pieces end."""

import base64
import binascii
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.gradual import decoder
from unitymail.mail.transfer import from_base64, from_quoted_printable


def decoded(encoding, pieces, *, resumed=False):
    """`resumed`: a new decoder goes on after each piece, from what the last one could not decode yet."""
    going = decoder(encoding)
    found = []
    for piece in pieces:
        if resumed:
            going = decoder(encoding, going.rest)
        found.append(going.feed(piece))
    return b"".join([*found, going.end()])


def cut(octets, places):
    edges = [0, *sorted(min(place, len(octets)) for place in places), len(octets)]
    return [octets[a:b] for a, b in pairwise(edges)]


PLACES = st.lists(st.integers(0, 400), max_size=8)


def some(alphabet):
    return st.text(alphabet=alphabet, max_size=200).map(str.encode)


BASE64ISH = st.binary(max_size=200).map(base64.encodebytes) | some("AQIDx/+= \r\n!")
QPISH = st.binary(max_size=200).map(binascii.b2a_qp) | some("a=4\t \r\nF")


@given(st.lists(BASE64ISH, max_size=3).map(b"".join), PLACES, st.booleans())
def test_base64(octets, places, resumed):
    """As decoding all of it at once, junk, padding in the middle and broken ends included."""
    assert decoded("base64", cut(octets, places), resumed=resumed) == from_base64(octets)


@given(QPISH, PLACES, st.booleans())
def test_quoted_printable(octets, places, resumed):
    """As decoding all of it at once; white space after a soft line break is forgiven."""
    forgiven = re.sub(rb"=[ \t]+(?=\r?\n|\Z)", b"=", octets)
    assert decoded("quoted-printable", cut(octets, places), resumed=resumed) == binascii.a2b_qp(forgiven)


@given(st.binary(max_size=300))
def test_what_was_encoded_comes_back(octets):
    """Any octets, through base64 and quoted-printable, in pieces of seven."""
    printable = binascii.b2a_qp(octets, istext=False)
    for encoding, encoded in (("base64", base64.encodebytes(octets)), ("quoted-printable", printable)):
        assert decoded(encoding, [encoded[at : at + 7] for at in range(0, len(encoded), 7)]) == octets


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "binary"])
def test_no_encoding(encoding):
    """Plain octets are what they are."""
    assert decoded(encoding, [b"a=\0", b"41\r\n"]) == b"a=\x0041\r\n"


def test_unknown():
    """An encoding nobody knows has no decoder."""
    assert decoder("x-uuencode") is None
    assert decoder("") is None


def test_little_is_kept_of_a_line_without_end():
    """A line of any length is decoded as it comes."""
    going = decoder("quoted-printable")
    found = []
    for piece in [b"ab=3D" * 20_001, b"=" + b" " * 20_000, b"x" * 20_000, b"= "]:
        found.append(going.feed(piece))
        assert len(going.rest) <= 4_096 + 3
    assert b"".join(found).count(b"ab=") == 20_001
    assert from_quoted_printable(b"ab=3D" * 3) == b"ab=" * 3
