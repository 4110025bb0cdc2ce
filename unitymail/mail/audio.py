"""Audio and fax formats by declared type, file name and first octets (message-formats.md section 2, "Sets").

Knows how to tell a format; refuses to decode any: that is the codec's.
"""

from __future__ import annotations

from unitymail.mail.part import Octets, Part
from unitymail.mail.text import first_octets

TELEPHONE = frozenset({
    "audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/x-pn-wav", "audio/basic", "audio/gsm",
    "audio/x-gsm", "audio/32kadpcm", "audio/amr", "audio/x-alaw-basic", "audio/pcmu", "audio/pcma", "audio/g722",
    "audio/l16",
})
"""What telephone systems and voice recorders send: voice even without a hint.

All other audio (MP3, WMA, AAC, Ogg, …) may as well be music, and is voice only with a hint or a mark.
"""

_RAW_SAMPLES = frozenset(
    f"audio/{name}" for name in ("32kadpcm", "basic", "pcmu", "pcma", "x-alaw-basic", "g722", "l16")
)
_GSM = frozenset({"audio/gsm", "audio/x-gsm"})
_BY_EXTENSION = {
    "wav": "audio/wav", "au": "audio/basic", "snd": "audio/basic", "gsm": "audio/gsm", "amr": "audio/amr",
    "726": "audio/32kadpcm", "mp3": "audio/mpeg", "wma": "audio/wma", "m4a": "audio/mp4", "mp4": "audio/mp4",
    "aac": "audio/aac", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/opus", "3gp": "audio/3gpp",
}
_ENCODINGS = frozenset({"7bit", "8bit", "binary", "base64", "quoted-printable"})
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_TIFF_TYPES = frozenset({"image/tiff", "image/tiff-fx", "image/x-tiff"})


def is_audio(part: Part) -> bool:
    """Declared as audio, whatever its octets are."""
    return part.type == "audio" or part.media_type == "application/ogg"


def audio_type(part: Part) -> str:
    """The declared audio type, or what the file name says of an application/octet-stream; "" for neither."""
    if is_audio(part) and part.encoding in _ENCODINGS:
        return part.media_type
    if part.media_type == "application/octet-stream" or is_audio(part):
        return _BY_EXTENSION.get(part.filename.rpartition(".")[2].lower(), "")
    return ""


def voice_role(part: Part) -> str:
    """The parameter `voice` of Content-Disposition (RFC 3801 4.3.2) in lower case; "" when there is none."""
    return next((value.strip().lower() for name, value in part.disposition_parameters if name == "voice"), "")


def is_playable(buffer: Octets, part: Part) -> bool:
    """Audio whose first octets bear out what it is called; raw samples have no signature and need only be there."""
    kind = audio_type(part)
    if not kind:
        return False
    octets = first_octets(buffer, part)
    if has_signature(octets):
        return True
    if not is_audio(part) or part.encoding not in _ENCODINGS:
        return False
    if kind in _GSM:
        return octets[:1] != b"" and octets[0] >> 4 == 0xD
    return kind in _RAW_SAMPLES and bool(octets)


def has_signature(octets: bytes) -> bool:
    """Whether they begin as WAV, AU, AMR, Ogg, MP3, ASF (WMA) or MP4 files do."""
    if octets[:4] in (b"RIFF", b"RIFX", b"RF64"):
        return octets[8:12] == b"WAVE"
    return (
        octets.startswith((b".snd", b"#!AMR\n", b"#!AMR-WB\n", b"OggS", b"ID3", _ASF))
        or octets[4:8] == b"ftyp"
        or (len(octets) > 1 and octets[0] == 0xFF and octets[1] >> 5 == 7)
    )


def is_tiff(part: Part) -> bool:
    """Declared as TIFF."""
    return part.media_type in _TIFF_TYPES


def has_tiff_signature(buffer: Octets, part: Part) -> bool:
    return first_octets(buffer, part, 64).startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))
