"""The forms of audio that are read: which demuxer takes each, told by name, and which decoders may see the octets.

Refuses to guess: FFmpeg choosing by content would hand a text to the demuxer of playlists. A form that is not here
cannot be decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TELEPHONE_RATE = 8000


@dataclass(frozen=True, slots=True)
class Form:
    """`demuxer` is FFmpeg's name; raw samples say nothing of themselves and need `options`."""

    demuxer: str
    options: Mapping[str, str] = field(default_factory=dict)


_MONO = {"sample_rate": str(TELEPHONE_RATE), "ch_layout": "mono"}
_G726 = {"code_size": "4", "sample_rate": str(TELEPHONE_RATE)}

FORMS: Mapping[str, Form] = {
    "wav": Form("wav"),
    "au": Form("au"),
    "g726": Form("g726le", _G726),
    "g726-swapped": Form("g726", _G726),
    "mu-law": Form("mulaw", _MONO),
    "a-law": Form("alaw", _MONO),
    "l16": Form("s16be", _MONO),
    "gsm": Form("gsm"),
    "g722": Form("g722"),
    "amr": Form("amr"),
    "ogg": Form("ogg"),
    "mp3": Form("mp3"),
    "aac": Form("aac"),
    "asf": Form("asf"),
    "mp4": Form("mp4"),
    "3gp": Form("3gp"),
    "flac": Form("flac"),
    "aiff": Form("aiff"),
}

_PLAIN = (
    "pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le",
    "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_mulaw", "pcm_alaw",
)
_TELEPHONE = (
    "adpcm_ms", "adpcm_ima_wav", "adpcm_yamaha", "g722", "g726", "g726le", "gsm", "gsm_ms", "truespeech", "g723_1",
    "g729", "amrnb", "amrwb", "qcelp", "evrc",
)
_WIDE = (
    "mp3", "mp3float", "mp2", "mp2float", "aac", "aac_latm", "alac", "vorbis", "opus", "libopus", "speex", "flac",
    "wmav1", "wmav2", "wmapro", "wmavoice",
)  # fmt: skip
DECODERS = frozenset(_PLAIN + _TELEPHONE + _WIDE)
"""No video decoder is here: a film inside an attachment is not even looked at."""


def form_of(name: str) -> Form | None:
    """The form of this name; `l16/16000/2` is big-endian PCM of that rate and number of channels (RFC 3551 4.5.11)."""
    if not name.startswith("l16/"):
        return FORMS.get(name)
    rate, _, channels = name.removeprefix("l16/").partition("/")
    layout = {"": "mono", "1": "mono", "2": "stereo"}.get(channels)
    if layout is None or not (rate.isascii() and rate.isdigit() and len(rate) < 7):
        return None
    return Form("s16be", {"sample_rate": rate, "ch_layout": layout})
