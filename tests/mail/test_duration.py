"""How long a recording plays, told by its header."""

import base64
import struct
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.test_report import VECTORS
from unitymail.mail.duration import as_clock, in_words, seconds_of
from unitymail.mail.structure import scan


def seconds(octets):
    return seconds_of(octets, scan(octets).root)


def wav(size, rate=16_000, extra=b""):
    fmt = struct.pack("<HHIIHH", 1, 1, 8_000, rate, 2, 16)
    chunks = b"fmt " + struct.pack("<I", 16) + fmt + extra + b"data" + struct.pack("<I", size)
    octets = b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks + b"\0" * 64
    return b"Content-Type: audio/wav\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(octets)


INDEX = tomllib.loads((VECTORS / "index.toml").read_text(encoding="utf-8"))["message"]
LASTING = {vector["file"]: vector["audio_seconds"] for vector in INDEX if vector.get("audio_seconds")}


@pytest.mark.parametrize("name", LASTING)
def test_the_vectors(name):
    """What is said of the vectors' recordings is true; nothing is said where only decoding would tell."""
    found = seconds((VECTORS / name).read_bytes())
    assert found is None or abs(found - LASTING[name]) < 1.01
    if name.startswith("viewmail"):
        assert found is not None


@pytest.mark.parametrize(("octets", "expected"), [
    (wav(224_000), 14.0), (wav(224_000, extra=b"LIST" + struct.pack("<I", 3) + b"abc\0"), 14.0),
    (wav(0), None), (wav(0xFFFFFFFF), None), (wav(100, rate=0), None), (wav(1)[:80], None),
    (b"Content-Type: text/plain\r\n\r\nhello", None),
    (b"Content-Type: audio/32KADPCM\r\nContent-Duration: 33\r\n\r\nxxxx", 33.0),
    (b"Content-Type: audio/32KADPCM\r\nContent-Duration: 99999999999\r\n\r\nxxxx", None),
])
def test_what_headers_tell(octets, expected):
    """WAV by its chunks, others by Content-Duration; what cannot be is not said."""
    assert seconds(octets) == expected


def test_for_people():
    """Minutes and seconds of a recording; days or hours of waiting."""
    assert [as_clock(s) for s in (0.4, 14, 59.6, 61, 3_723)] == ["0:00", "0:14", "1:00", "1:01", "1:02:03"]
    assert [in_words(s) for s in (5, 60, 3_500, 3_599.5, 14_400, 172_800)] == [
        "a moment", "1 minute", "58 minutes", "1 hour", "4 hours", "2 days",
    ]


@given(st.binary(max_size=300))
def test_any_octets(junk):
    """Nothing raises."""
    found = seconds(wav(100)[:120] + base64.encodebytes(junk))
    assert found is None or found > 0
