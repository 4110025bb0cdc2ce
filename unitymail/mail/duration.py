"""How long a recording plays, as far as its own header tells: enough for a person to know which one it was.

Knows WAV headers and Content-Duration (RFC 3803); refuses to decode audio.
"""

from __future__ import annotations

import struct

from unitymail.mail import headers
from unitymail.mail.audio import is_playable
from unitymail.mail.part import Octets, Part, leaves
from unitymail.mail.text import first_octets

LONGEST_S = 86_400
_BEGINNING = 2_048


def seconds_of(buffer: Octets, root: Part) -> float | None:
    """Of the first part that is audio; None where nothing tells."""
    for part in leaves(root):
        if is_playable(buffer, part):
            return _declared(buffer, part) or _of_wav(first_octets(buffer, part, _BEGINNING))
    return None


def _declared(buffer: Octets, part: Part) -> float | None:
    value = (headers.first(buffer, part, b"content-duration") or b"").strip()
    return _sensible(int(value)) if value.isdigit() and len(value) <= 10 else None


def _of_wav(octets: bytes) -> float | None:
    """The size of the samples by the octets of a second; writers that did not know the size wrote none, or the most."""
    if octets[:4] != b"RIFF" or octets[8:12] != b"WAVE":
        return None
    at, rate = 12, 0
    while at + 8 <= len(octets):
        name, size = octets[at : at + 4], int.from_bytes(octets[at + 4 : at + 8], "little")
        if name == b"fmt " and at + 20 <= len(octets):
            (rate,) = struct.unpack_from("<I", octets, at + 16)
        elif name == b"data":
            return _sensible(size / rate) if rate else None
        at += 8 + size + size % 2
    return None


def _sensible(seconds: float) -> float | None:
    return seconds if 0 < seconds < LONGEST_S else None


def as_clock(seconds: float) -> str:
    """`0:14`, `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def in_words(seconds: float) -> str:
    """The largest unit that fits, rounded: `2 days`, `5 hours`, `1 minute`."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size - 1:
            number = round(seconds / size)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return "a moment"
