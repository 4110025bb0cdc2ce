"""Base64 as both ways of VPIM write it."""

import io
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.vpim.base64_lines import BLOCK, base64_lines, blocks_of


@given(blocks=st.lists(st.binary(max_size=300), max_size=12))
def test_lines(blocks):
    """However it comes in, base64 goes out in lines of 76, each with its line end."""
    octets = b"".join(base64_lines(blocks))
    lines = octets.split(b"\r\n")
    assert lines.pop() == b""
    assert b64decode(octets) == b"".join(blocks)
    assert all(len(line) == 76 for line in lines[:-1])
    assert all(0 < len(line) <= 76 for line in lines)


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, BLOCK - 1, BLOCK, 3 * BLOCK + 1])
def test_a_file(size):
    """Every octet of a file, a little at a time, whatever pieces it is read in."""

    class Dribble(io.BytesIO):
        def read(self, count=-1):
            assert 0 < count <= BLOCK
            return super().read(min(count, 1000))

    octets = bytes(range(256)) * (size // 256 + 1)
    assert b64decode(b"".join(base64_lines(blocks_of(Dribble(octets[:size]))))) == octets[:size]


def test_a_piece_of_a_file():
    """As many octets as asked for, from where the file is; fewer when it ends before."""
    file = io.BytesIO(b"0123456789")
    file.seek(2)
    assert b"".join(blocks_of(file, 5)) == b"23456"
    assert b"".join(blocks_of(file, 5)) == b"789"
