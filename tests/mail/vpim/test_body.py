"""The decoded body of a part, read and sought in as a file."""

import base64
import io
import mmap
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.structure import scan
from unitymail.mail.text import decoded
from unitymail.mail.vpim import body
from unitymail.mail.vpim.body import Body

CONTENT = bytes(range(256)) * 40


def part_of(encoding, raw):
    octets = b"Content-Type: audio/basic\r\nContent-Transfer-Encoding: %b\r\n\r\n" % encoding.encode() + raw
    return octets, scan(octets).root


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(body, "BLOCK", 101)


@pytest.mark.parametrize(("encoding", "raw"), [
    ("base64", base64.encodebytes(CONTENT)), ("base64", base64.b64encode(CONTENT)), ("binary", CONTENT),
    ("quoted-printable", quopri.encodestring(CONTENT)), ("7bit", b"abc" * 500), ("base64", b""), ("binary", b""),
])
def test_reads_as_the_whole(encoding, raw):
    """Reading in any pieces gives what decoding everything at once gives."""
    buffer, part = part_of(encoding, raw)
    whole = decoded(buffer, part)
    assert Body(buffer, part).readall() == whole
    assert b"".join(Body(buffer, part).blocks()) == whole
    assert Body(buffer, part).size == len(whole)
    assert io.BufferedReader(Body(buffer, part)).read() == whole


@given(pieces=st.lists(st.one_of(st.sampled_from([b"QUJD", b"RA==", b"=", b"\r\n", b"!", b"QQ"]),
                                 st.binary(max_size=9)), max_size=80))
def test_junk_in_base64(pieces):
    """Broken base64 gives the same octets piece by piece as at once."""
    buffer, part = part_of("base64", b"".join(pieces))
    before, body.BLOCK = body.BLOCK, 7
    try:
        assert Body(buffer, part).readall() == decoded(buffer, part)
    finally:
        body.BLOCK = before


@given(places=st.lists(st.integers(0, 11_000), max_size=20), encoding=st.sampled_from(["base64", "binary"]))
def test_seeks_anywhere(places, encoding):
    """A reader that jumps finds the right octets at each place."""
    buffer, part = part_of(encoding, base64.encodebytes(CONTENT) if encoding == "base64" else CONTENT)
    file = Body(buffer, part)
    for place in places:
        assert file.seek(place) == place
        octets = file.read(50)
        assert CONTENT[place:].startswith(octets)
        assert octets or place >= len(CONTENT)
        assert file.tell() == place + len(octets)
    assert file.seek(-3, io.SEEK_END) == len(CONTENT) - 3
    assert file.read(10) == CONTENT[-3:]
    assert file.seek(-1, io.SEEK_CUR) == len(CONTENT) - 1
    with pytest.raises(ValueError, match="beginning"):
        file.seek(-1)


class Counted:
    """A buffer that counts the octets read of it."""

    def __init__(self, octets):
        self.octets = octets
        self.read = 0

    def __getitem__(self, wanted):
        self.read += wanted.stop - wanted.start
        return self.octets[wanted]


def test_going_back_and_forth_over_nothing():
    """A reader that jumps over a stretch of blank lines pays for it once, not each time."""
    content = CONTENT[: len(CONTENT) // 3 * 3]
    octets, part = part_of("base64", base64.encodebytes(content) + b"\r\n" * 20_000 + base64.encodebytes(content))
    buffer = Counted(octets)
    file = Body(buffer, part)
    assert file.size == 2 * len(content)
    buffer.read = 0
    for place in (2 * len(content) - 7, 0, len(content), 10) * 10:
        file.seek(place)
        assert file.read(1)[0] == (content * 2)[place]
    assert buffer.read < 40_000


def test_a_mapped_file(tmp_path):
    """A large message is read from its file."""
    buffer, part = part_of("base64", base64.encodebytes(CONTENT))
    (tmp_path / "m").write_bytes(buffer)
    with (tmp_path / "m").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert Body(mapped, part).readall() == CONTENT
