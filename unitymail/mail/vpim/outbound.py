"""A whole message to a VPIM peer, in pieces: its header, recordings and pages in base64, forwarded messages within.

Knows RFC 3801 4.3 and 4.4 as they are written; refuses to know where recordings come from: the caller has had them
made. 7-bit throughout, lines of 76, no part that VPIM does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from unitymail.mail.lexical import unfold
from unitymail.mail.part import Octets, Part
from unitymail.mail.vpim.base64_lines import base64_lines, blocks_of
from unitymail.mail.vpim.body import Body
from unitymail.mail.vpim.heading import Cover, heading, inner_heading
from unitymail.mail.vpim.selection import Selection, Voice
from unitymail.mail.writing import token

LONGEST_DURATION = (1 << 31) - 1
_LANGUAGE = re.compile(rb"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,4}")


@dataclass(frozen=True, slots=True)
class Recording:
    """Audio as it is sent: `size` octets of `file` from `start` on, which last `seconds`."""

    file: BinaryIO
    start: int
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that goes into one message. `wav`: recordings are WAV files, not 32KADPCM.

    `name` is the sender's name as the directory has it, for a message that does not bring one.
    """

    buffer: Octets
    cover: Cover
    recordings: Mapping[Voice, Recording]
    wav: bool = False
    name: Recording | None = None


def message(selection: Selection, material: Material) -> Iterator[bytes]:
    """The octets of the message, in blocks."""
    boundary = _boundary(material, 0)
    yield heading(material.buffer, selection, material.cover, boundary)
    yield from _parts(selection, material, 0)


def _boundary(material: Material, depth: int) -> bytes:
    """`=_` is in no base64; of one length at every depth, so that none is the beginning of another."""
    return b"=_vpim_%b_%02d" % (token(material.cover.trace, longest=40), depth)


def _parts(selection: Selection, material: Material, depth: int) -> Iterator[bytes]:
    delimiter = b"--" + _boundary(material, depth)
    yield b"\r\n"
    recordings = material.recordings
    name = recordings[selection.name] if selection.name is not None else (material.name if depth == 0 else None)
    if name is not None:
        yield delimiter + b"\r\n"
        yield from _voice(name, material, "Originator-Spoken-Name", "name")
    if selection.subject is not None:
        yield delimiter + b"\r\n"
        yield from _voice(recordings[selection.subject], material, "Spoken-Subject", "subject")
    if selection.message is not None:
        yield delimiter + b"\r\n"
        recording, language = recordings[selection.message], selection.message.language
        yield from _voice(recording, material, "Voice-Message", "message", language)
    for number, page in enumerate(selection.faxes):
        yield delimiter + b"\r\n"
        yield from _fax(page, material.buffer, number)
    for inner in selection.enclosed:
        yield delimiter + b"\r\n"
        yield b"Content-Type: Message/RFC822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
        yield inner_heading(material.buffer, inner, _boundary(material, depth + 1))
        yield from _parts(inner, material, depth + 1)
    yield delimiter + b"--\r\n"


def _voice(
    recording: Recording, material: Material, role: str, name: str, language: bytes | None = None
) -> Iterator[bytes]:
    kind, ending = ("Audio/WAV", "wav") if material.wav else ("Audio/32KADPCM", "726")
    known = _LANGUAGE.fullmatch(unfold(language)) if language else None
    yield (
        f"Content-Type: {kind}\r\n"
        "Content-Transfer-Encoding: Base64\r\n"
        f"Content-Disposition: inline; voice={role};\r\n\tfilename={name}.{ending}\r\n"
        f"Content-Duration: {min(max(1, round(recording.seconds)), LONGEST_DURATION)}\r\n"
    ).encode("ascii")
    if known is not None:
        yield b"Content-Language: " + known[0] + b"\r\n"
    yield b"\r\n"
    recording.file.seek(recording.start)
    yield from base64_lines(blocks_of(recording.file, recording.size))


def _fax(page: Part, buffer: Octets, number: int) -> Iterator[bytes]:
    name = "fax.tif" if not number else f"fax{number + 1}.tif"
    yield (
        "Content-Type: Image/TIFF; application=faxbw\r\n"
        "Content-Transfer-Encoding: Base64\r\n"
        f"Content-Disposition: inline; filename={name}\r\n\r\n"
    ).encode("ascii")
    yield from base64_lines(Body(buffer, page).blocks())
