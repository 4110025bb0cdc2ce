"""The decoded octets of a part, measured once and read from any place."""

import base64
import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imap.memory_store import MemoryContent, MemoryStore
from unitymail.imap.fetch import decoding
from unitymail.imap.fetch.decoding import DecodedPart, UnknownEncoding, draw
from unitymail.mail.structure import scan

ENCODED = {
    "base64": base64.encodebytes,
    "quoted-printable": lambda octets: binascii.b2a_qp(octets, istext=False),
    "binary": bytes,
}


def part_of(octets, encoding):
    """(the content of a message with this one part, the part)"""
    header = f"Content-Type: image/png\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
    message = header + ENCODED.get(encoding, bytes)(octets)
    return MemoryContent(MemoryStore(), message), scan(message).root


def decoded(octets, encoding):
    content, part = part_of(octets, encoding)
    return DecodedPart(content, part, draw(content.buffer, part))


@pytest.fixture(params=[3, 10, 64])
def small_blocks(request, monkeypatch):
    monkeypatch.setattr(decoding, "BLOCK", request.param)


@pytest.mark.parametrize("encoding", ENCODED)
def test_read_from_anywhere(small_blocks, encoding):
    """Any stretch, in any order, is that stretch of the octets that were encoded."""
    octets = bytes(range(256))
    one = decoded(octets, encoding)
    assert one.size == 256
    for offset, length in ((0, 10), (10, 7), (17, 100), (3, 5), (0, 256), (250, 6), (256, 0), (8, 1), (9, 1)):
        assert one.read(offset, length) == octets[offset : offset + length]


@given(st.binary(min_size=1, max_size=300), st.data(), st.sampled_from(sorted(ENCODED)), st.integers(1, 70))
def test_any_octets(octets, data, encoding, block):
    """The same for any octets, any places and any size of blocks; NUL is never overlooked."""
    before, decoding.BLOCK = decoding.BLOCK, block
    try:
        one = decoded(octets, encoding)
        assert one.size == len(octets)
        for _ in range(5):
            start = data.draw(st.integers(0, len(octets) - 1))
            end = data.draw(st.integers(start, len(octets)))
            assert one.read(start, end - start) == octets[start:end]
            if b"\0" in octets[start:end]:
                assert one.map.has_nul(start, end)
    finally:
        decoding.BLOCK = before


def test_where_nul_is():
    """Text before and after binary octets is known to have none."""
    octets = b"x" * 400_000 + b"\0" + b"y" * 400_000
    one = decoded(octets, "base64")
    assert one.map.has_nul(0, len(octets)) and one.map.has_nul(400_000, 400_001)
    assert not one.map.has_nul(0, 200_000) and not one.map.has_nul(700_000, 800_001)


def test_read_on_without_beginning_anew():
    """One stretch after the other costs one pass; a later one begins near its place."""
    octets = bytes(range(256)) * 8_000
    content, part = part_of(octets, "base64")
    one = DecodedPart(content, part, draw(content.buffer, part))
    read, asked = content.read, []
    content.read = lambda offset, length: asked.append(length) or read(offset, length)
    assert b"".join(one.read(at, 50_000) for at in range(0, len(octets), 50_000)) == octets
    assert sum(asked) == part.size
    asked.clear()
    assert one.read(1_900_000, 10) == octets[1_900_000:1_900_010]
    assert sum(asked) <= 2 * decoding.BLOCK


def test_nothing_at_all():
    """An empty part has no octets."""
    one = decoded(b"", "base64")
    assert (one.size, one.read(0, 0), one.map.has_nul(0, 0)) == (0, b"", False)


@pytest.mark.parametrize("octets", [b"", b"something"])
def test_unknown(octets):
    """An encoding nobody knows is told, also of an empty part."""
    with pytest.raises(UnknownEncoding):
        decoded(octets, "x-uuencode")
