"""TIFF-F told from other TIFF."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sound import VECTORS
from unitymail.mail.vpim.fax import MOST_ENTRIES, MOST_PAGES, is_tiff_f

FAX = (VECTORS / "audio" / "fax_2p_profile_s.tif").read_bytes()


def tiff(*pages, order="<"):
    """A TIFF with these tags, {tag: (type, count, value)}, on each page."""
    octets = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    for number, tags in enumerate(pages):
        octets += struct.pack(order + "H", len(tags))
        for tag, (kind, count, value) in tags.items():
            packed = struct.pack(order + ("H2x" if kind == 3 else "I"), value)
            octets += struct.pack(order + "HHI", tag, kind, count) + packed
        last = number == len(pages) - 1
        octets += struct.pack(order + "I", 0 if last else len(octets) + 4)
    return octets


GOOD = {256: (3, 1, 1728), 257: (4, 1, 1100), 258: (3, 1, 1), 259: (3, 1, 3), 273: (4, 1, 500), 277: (3, 1, 1)}


def judged(octets):
    return is_tiff_f(io.BytesIO(octets))


@pytest.mark.parametrize("octets", [
    FAX, tiff(GOOD), tiff(GOOD, GOOD, order=">"), tiff(GOOD | {259: (3, 1, 4)}), tiff(GOOD | {256: (4, 1, 2432)}),
    tiff({tag: value for tag, value in GOOD.items() if tag not in (258, 277)}),
])
def test_fax(octets):
    """Black and white pages of a fax width, one strip each, in a coding of fax machines."""
    assert judged(octets)


@pytest.mark.parametrize("octets", [
    b"", b"II*\0", b"RIFF....", tiff(GOOD | {258: (3, 1, 8)}), tiff(GOOD | {256: (3, 1, 1700)}),
    tiff(GOOD | {259: (3, 1, 5)}), tiff(GOOD | {273: (4, 12, 500)}), tiff(GOOD | {277: (3, 3, 3)}), tiff({}),
    tiff(GOOD, GOOD | {259: (3, 1, 1)}), b"II*\0\0\0\0\0", FAX[:200], tiff(GOOD)[:20],
])
def test_no_fax(octets):
    """Pictures, other widths, several strips, colour, uncompressed pages, broken files."""
    assert not judged(octets)


def test_pages_in_a_circle():
    """A file whose last page leads back to the first ends the look, as does one of too many pages."""
    circle = bytearray(tiff(GOOD))
    circle[-4:] = struct.pack("<I", 8)
    assert not judged(bytes(circle))
    assert not judged(tiff(*[GOOD] * (MOST_PAGES + 1)))


def test_more_tags_than_a_page_has():
    """A page that claims to have hundreds of tags is no fax, and is not read."""
    many = GOOD | dict.fromkeys(range(40000, 40000 + MOST_ENTRIES), (3, 1, 0))
    assert not judged(tiff(many))


@given(octets=st.binary(max_size=300), at=st.integers(0, 200))
def test_damage(octets, at):
    """Whatever the octets are, there is an answer."""
    assert judged(FAX[:at] + octets + FAX[at + len(octets) :]) in (True, False)
