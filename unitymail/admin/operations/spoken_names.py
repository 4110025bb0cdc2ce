"""Spoken names: a recording in any form becomes what the directory keeps, 32KADPCM of at most 20 s."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

from unitymail.interfaces.codec import CannotDecode, ICodec, Sound, TooLong
from unitymail.interfaces.directory import Refused
from unitymail.mail.part import Part
from unitymail.mail.vpim.forms import form_of

LONGEST_S = 20
OCTETS_PER_S = 4_000
_RAW = {"726": "32kadpcm", "gsm": "gsm", "g722": "g722", "ul": "pcmu", "al": "pcma"}
"""File name endings of samples that have no signature → media subtype."""


def spoken_name(codec: ICodec, file: BinaryIO, name: str) -> bytes:
    """The recording in `file` (called `name`) as it is kept. Raises Refused. Takes a moment of CPU."""
    form = _form(file, name)
    if form is None:
        raise Refused(f"{name} is no audio that is known; give a WAV, AU, MP3, M4A, Ogg, WMA or AMR file.")
    out = BytesIO()
    try:
        seconds = codec.convert([Sound(file, form)], "g726", out, most_seconds=LONGEST_S)
    except TooLong as error:
        raise Refused(f"{name} lasts longer than {LONGEST_S} s; cut it, about 5 s are usual.") from error
    except CannotDecode as error:
        raise Refused(f"{name} cannot be decoded as audio; record it anew, as WAV for instance.") from error
    if not seconds:
        raise Refused(f"{name} holds no sound; record it anew.")
    return out.getvalue()


def _form(file: BinaryIO, name: str) -> str | None:
    octets = file.read(512)
    file.seek(0)
    ending = name.rpartition(".")[2].lower()
    return form_of(octets, Part(0, 0, len(octets), "audio", _RAW.get(ending, "x-unknown"), (), "binary"))


def seconds_of(audio: bytes) -> float | None:
    """How long a kept recording lasts; None for none."""
    return round(len(audio) / OCTETS_PER_S, 1) if audio else None
