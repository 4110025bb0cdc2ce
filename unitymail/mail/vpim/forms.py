"""What a part's audio is, in the codec's words: from its first octets, and from its label where these say nothing.

Knows media types and signatures; refuses to decode. Raw samples have no signature: of these the label is believed.
"""

from __future__ import annotations

from unitymail.mail.audio import audio_type, is_audio, is_playable
from unitymail.mail.part import Octets, Part
from unitymail.mail.text import first_octets

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_RAW = {
    "audio/32kadpcm": "g726", "audio/g726-32": "g726", "audio/aal2-g726-32": "g726-swapped", "audio/basic": "mu-law",
    "audio/pcmu": "mu-law", "audio/pcma": "a-law", "audio/x-alaw-basic": "a-law", "audio/g722": "g722",
    "audio/gsm": "gsm", "audio/x-gsm": "gsm", "audio/ulaw": "mu-law", "audio/mulaw": "mu-law",
    "audio/x-ulaw": "mu-law", "audio/x-mulaw": "mu-law", "audio/alaw": "a-law", "audio/x-alaw": "a-law",
}  # fmt: skip
_CONTAINED = {
    "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/vnd.wave": "wav", "audio/x-pn-wav": "wav",
    "audio/amr": "amr", "audio/amr-wb": "amr", "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/x-mpeg": "mp3",
    "audio/x-mp3": "mp3", "audio/mpeg3": "mp3", "audio/wma": "asf", "audio/x-ms-wma": "asf", "audio/mp4": "mp4",
    "audio/m4a": "mp4", "audio/x-m4a": "mp4", "audio/mp4a-latm": "mp4", "audio/aac": "aac", "audio/aacp": "aac",
    "audio/ogg": "ogg", "application/ogg": "ogg", "audio/opus": "ogg", "audio/vorbis": "ogg", "audio/speex": "ogg",
    "audio/3gpp": "3gp", "audio/3gpp2": "3gp", "audio/flac": "flac", "audio/x-flac": "flac", "audio/aiff": "aiff",
    "audio/x-aiff": "aiff",
}  # fmt: skip


def form_of(buffer: Octets, part: Part, *, swapped: bool = False) -> str | None:
    """The form (`interfaces.codec.Sound`) of a part's audio; None when it is none, or of a kind that is not known.

    `swapped`: the sender writes 32KADPCM with the first code word in the high bits.
    """
    kind = audio_type(part)
    if not kind or not (is_audio(part) or is_playable(buffer, part)):
        return None
    octets = first_octets(buffer, part)
    signed = _signature(octets)
    if signed is not None:
        return signed
    if kind == "audio/l16":
        return f"l16/{part.parameter('rate') or 8000}/{part.parameter('channels') or 1}"
    raw = _RAW.get(kind)
    if raw == "g726" and swapped:
        return "g726-swapped"
    return raw or _frames(octets) or _CONTAINED.get(kind)


def _signature(octets: bytes) -> str | None:
    """Four octets or more, which no label outweighs: senders call everything audio/wav."""
    if octets[:4] in (b"RIFF", b"RIFX", b"RF64") and octets[8:12] == b"WAVE":
        return "wav"
    if octets.startswith(b".snd"):
        return "au"
    if octets.startswith((b"#!AMR\n", b"#!AMR-WB\n")):
        return "amr"
    if octets.startswith(b"OggS"):
        return "ogg"
    if octets.startswith(b"fLaC"):
        return "flac"
    if octets[:4] == b"FORM" and octets[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if octets.startswith(_ASF):
        return "asf"
    return "mp4" if octets[4:8] == b"ftyp" else None


def _frames(octets: bytes) -> str | None:
    """MPEG audio begins with a frame: twelve set bits, and layer 0 where it is AAC. Silent mu-law looks the same.

    Or with a title; but three octets are too few to tell it from raw samples.
    """
    if octets.startswith(b"ID3"):
        return "mp3"
    if len(octets) < 2 or octets[0] != 0xFF or octets[1] >> 5 != 7:
        return None
    return "aac" if octets[1] & 0xF6 == 0xF0 else "mp3"
