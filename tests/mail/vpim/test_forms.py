"""What audio is, by label and by its first octets."""

import base64

import pytest

from unitymail.codec.forms import form_of as known_to_the_codec
from unitymail.mail.structure import scan
from unitymail.mail.vpim.forms import form_of

WAV = b"RIFF\x24\0\0\0WAVEfmt "
ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


def form(kind, content, *, name="", swapped=False, encoding="base64"):
    buffer = b'Content-Type: %b; name="%b"\r\nContent-Transfer-Encoding: %b\r\n\r\n%b' % (
        kind.encode(), name.encode(), encoding.encode(), base64.encodebytes(content)
    )
    return form_of(buffer, scan(buffer).root, swapped=swapped)


@pytest.mark.parametrize(("kind", "content", "expected"), [
    ("audio/wav", WAV, "wav"), ("Audio/x-WAV", WAV, "wav"), ("audio/basic", b".snd\0", "au"),
    ("audio/basic", b"\xff\xff\xff\xff", "mu-law"), ("audio/32KADPCM", b"\xff\xfb\x90", "g726"),
    ("audio/pcma", b"\xd5", "a-law"), ("audio/x-alaw-basic", b"\xd5", "a-law"), ("audio/pcmu", b"\xff", "mu-law"),
    ("audio/gsm", b"\xd2", "gsm"), ("audio/x-gsm", WAV, "wav"), ("audio/amr", b"#!AMR\n\x04", "amr"),
    ("audio/mpeg", b"ID3\x04", "mp3"), ("audio/mp3", b"\xff\xfb\x90\x44", "mp3"), ("audio/aac", b"\xff\xf1\x50", "aac"),
    ("audio/x-whatever", b"\xff\xf1\x50", "aac"), ("application/ogg", b"OggS", "ogg"), ("audio/x-ms-wma", ASF, "asf"),
    ("audio/x-m4a", b"\0\0\0\x18ftypM4A ", "mp4"), ("audio/3gpp", b"\0\0\0\x18ftyp3gp4", "mp4"),
    ("audio/l16; rate=16000; channels=2", b"\0\1", "l16/16000/2"), ("audio/L16", b"\0\1", "l16/8000/1"),
    ("audio/x-flac", b"fLaC\0", "flac"), ("audio/x-aiff", b"FORM\0\0\0\x10AIFF", "aiff"),
    ("audio/x-mulaw", b"\xff", "mu-law"), ("audio/alaw", b"\xd5", "a-law"),
    ("audio/32KADPCM", b"ID3\x04", "g726"), ("audio/basic", b"ID3\x04", "mu-law"), ("audio/wav", b"ID3\x04", "mp3"),
    ("audio/g722", b"\xfa", "g722"), ("audio/mpeg", b"text", "mp3"), ("audio/wav", b"text", "wav"),
])
def test_label_and_octets(kind, content, expected):
    """A signature outweighs the label; raw samples are what they are called; lies come to light when decoded."""
    assert form(kind, content) == expected
    assert known_to_the_codec(expected)


@pytest.mark.parametrize(("kind", "content", "name", "expected"), [
    ("application/octet-stream", WAV, "VoiceMessage.wav", "wav"), ("application/octet-stream", b"text", "x.wav", None),
    ("application/octet-stream", WAV, "x.bin", None), ("text/plain", WAV, "x.wav", None),
    ("audio/vnd.octel.sbc", b"\0\1\2", "", None), ("audio/midi", b"MThd", "tune.mid", None),
])
def test_what_is_no_audio(kind, content, name, expected):
    """An unlabelled attachment needs name and signature; a codec nobody here knows is named None."""
    assert form(kind, content, name=name) == expected


def test_the_other_order():
    """From a peer that writes the other order, 32KADPCM is read that way; nothing else changes."""
    assert form("audio/32KADPCM", b"\x01", swapped=True) == "g726-swapped"
    assert form("audio/wav", WAV, swapped=True) == "wav"


def test_an_unknown_encoding():
    """Of a body that cannot be decoded only the signature counts."""
    assert form("audio/basic", b"\xff", encoding="x-uuencode") is None
