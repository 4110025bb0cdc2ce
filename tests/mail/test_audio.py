"""Audio and fax told by type, name and first octets."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from unitymail.mail.audio import audio_type, has_signature, has_tiff_signature, is_audio, is_playable, is_tiff
from unitymail.mail.structure import scan, walk

WAV = b"RIFF\x24\0\0\0WAVEfmt "
SIGNATURES = [WAV, b".snd\0\0\0\x18", b"#!AMR\n\x04", b"OggS\0\x02", b"ID3\x04", b"\xff\xfb\x90\x44", b"\xff\xf1\x50",
              bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), b"\0\0\0\x18ftypM4A "]


def part(kind, content, *, encoding="base64", name=""):
    body = base64.encodebytes(content) if encoding == "base64" else content
    octets = b"Content-Type: %b; name=\"%b\"\r\nContent-Transfer-Encoding: %b\r\n\r\n%b" % (
        kind.encode(), name.encode(), encoding.encode(), body
    )
    return octets, scan(octets).root


@pytest.mark.parametrize("content", SIGNATURES)
def test_containers(content):
    """WAV, AU, AMR, Ogg, MP3, AAC, WMA and MP4 are known by their first octets."""
    assert has_signature(content)
    assert is_playable(*part("audio/x-whatever", content))


@pytest.mark.parametrize(("kind", "content", "expected"), [
    ("audio/x-gsm", b"\xd2rest", True), ("audio/gsm", b"\x12rest", False), ("audio/gsm", b"", False),
    ("audio/x-gsm", WAV, True),
    ("Audio/32KADPCM", b"\x01", True), ("audio/32kadpcm", b"", False), ("audio/basic", b"\xff", True),
    ("audio/pcmu", b"\x7f", True), ("audio/wav", b"text", False), ("audio/wav", b"RIFF\0\0\0\0AVI ", False),
    ("audio/mpeg", b"text", False), ("application/ogg", b"OggS", True), ("text/plain", WAV, False),
])
def test_content_bears_out_the_label(kind, content, expected):
    """Raw samples need only be there, GSM has its nibble, all else its signature; other types are never audio."""
    assert is_playable(*part(kind, content)) is expected


@pytest.mark.parametrize(("name", "content", "expected"), [
    ("VoiceMessage.wav", WAV, True), ("a.WAV", WAV, True), ("a.wav", b"text", False), ("a.doc", WAV, False),
    ("a.726", b"\x01\x02", False), ("wav", WAV, True), ("", WAV, False),
])
def test_octet_stream(name, content, expected):
    """An unlabelled attachment is audio when its name says so and its octets agree."""
    assert is_playable(*part("application/octet-stream", content, name=name)) is expected


def test_encodings():
    """Any transfer encoding is looked through; one that nobody knows makes the part a mere file."""
    assert is_playable(*part("audio/wav", WAV, encoding="binary"))
    assert is_playable(*part("audio/wav", b"RIFF=24=00=00=00WAVE", encoding="quoted-printable"))
    assert not is_playable(*part("audio/wav", WAV, encoding="x-rot13"))
    assert is_playable(*part("audio/wav", WAV, encoding="x-rot13", name="a.wav"))


def test_fax():
    """TIFF of either byte order."""
    assert is_tiff(part("image/tiff", b"")[1]) and not is_tiff(part("image/png", b"")[1])
    assert has_tiff_signature(*part("image/tiff", b"II*\0rest"))
    assert has_tiff_signature(*part("image/tiff", b"MM\0*rest"))
    assert not has_tiff_signature(*part("image/tiff", b"GIF89a"))


@given(garbage)
def test_garbage(octets):
    """Any part is audio or not."""
    for each in walk(scan(octets).root):
        assert is_playable(octets, each) in (True, False)
        audio_type(each)
        is_audio(each)


@given(st.binary(max_size=20))
def test_any_signature(octets):
    """Any octets, none included, have a signature or not."""
    assert has_signature(octets) in (True, False)
