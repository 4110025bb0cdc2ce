"""The form in which a VPIM message lies in a mailbox: a few words, then WAV and TIFF files that Outlook opens.

Knows message-formats.md section 6, point 7, octet by octet; refuses to know directories, and how audio became a WAV.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unitymail.mail import writing
from unitymail.mail.dates import read_date
from unitymail.mail.duration import as_clock
from unitymail.mail.headers import decode, fields, first
from unitymail.mail.message import Category, Importance, Sensitivity
from unitymail.mail.part import Octets, Part

UNKNOWN = "an unknown caller"
_KEPT = frozenset({b"received", b"in-reply-to", b"references", b"disposition-notification-to", b"auto-submitted"})
"""Fields that stay as they came (message-formats.md 6: Return-Path and Received; the others are asked for later)."""
_CLEAN = re.compile(rb"(?:[\t -~]{1,998}\r\n)+")
_SENSITIVITIES = {
    Sensitivity.PRIVATE: b"Private", Sensitivity.PERSONAL: b"Personal",
    Sensitivity.CONFIDENTIAL: b"Company-Confidential",
}
_IMPORTANCES = {Importance.HIGH: b"High", Importance.LOW: b"Low"}
_WORDS = {"voice": "voice message", "fax": "fax message"}
_FILE_NAMES = {"voice": ("VoiceMessage", ".wav"), "fax": ("FaxMessage", ".tif"), "message": ("Message", ".eml")}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who left the message: the name in the directory, else as sent; the number; the address that answers reach."""

    name: str
    number: str
    address: str

    @property
    def shown(self) -> str:
        return self.name or self.number or UNKNOWN


@dataclass(frozen=True, slots=True)
class Attached:
    """One file of the message, the `number`th of its kind. `seconds` are of its decoded samples.

    `who` is the speaker in words, `sent` (of a forwarded one) its date in words. A message travels unencoded, as it
    is: `encoding` says what that means.
    """

    kind: Literal["voice", "fax", "message"]
    number: int
    who: str = ""
    seconds: float = 0.0
    forwarded: bool = False
    sent: str = ""
    encoding: Literal["base64", "8bit", "7bit"] = "base64"

    @property
    def duration(self) -> int:
        """Whole seconds, at least one."""
        return max(1, round(self.seconds))


@dataclass(frozen=True, slots=True)
class Heading:
    """What the header says that is not taken over from the message. `when` (Unix seconds) stands in for a broken Date.

    `received` is our own Received field of the message as it came in, b"" when there is none.
    """

    category: Category
    speaker: Speaker
    to: Sequence[tuple[str, str]]
    cc: Sequence[tuple[str, str]]
    subject: str
    sensitivity: Sensitivity
    importance: Importance
    message_id: str
    when: float
    received: bytes = b""


def subject_for(category: Category, speaker: Speaker) -> str:
    """What stands for a Subject that is missing."""
    number = f" ({speaker.number})" if speaker.name and speaker.number else ""
    return f"{'Fax' if category is Category.FAX else 'Voice'} Message from {speaker.shown}{number}"


def header_of(heading: Heading, buffer: Octets, root: Part, boundary: bytes) -> bytes:
    """The whole header, the blank line included."""
    kept = [field for field in fields(buffer, root.start, root.body) if field.name.lower() in _KEPT]
    received = b"".join(_clean(field.name, field.raw) for field in kept if field.name.lower() == b"received")
    others = b"".join(_clean(field.name, field.raw) for field in kept if field.name.lower() != b"received")
    speaker, kind = heading.speaker, b"fax" if heading.category is Category.FAX else b"voice"
    return (
        heading.received + received
        + writing.mailboxes("From", [(speaker.name or speaker.number, speaker.address)], utf8=True)
        + writing.mailboxes("To", heading.to, utf8=True)
        + writing.mailboxes("Cc", heading.cc, utf8=True)
        + writing.unstructured("Subject", heading.subject)
        + _date(heading, buffer, root)
        + b"Message-ID: " + heading.message_id.encode("ascii") + b"\r\n"
        + others
        + _named(b"Sensitivity", _SENSITIVITIES.get(heading.sensitivity))
        + _named(b"Importance", _IMPORTANCES.get(heading.importance))
        + b"Message-Context: " + kind + b"-message\r\n"
        b"Content-Class: " + kind + b"\r\n"
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed;\r\n\tboundary="' + boundary + b'"\r\n\r\n'
    )


def _clean(name: bytes, raw: bytes) -> bytes:
    return raw if _CLEAN.fullmatch(raw) else writing.unstructured(name.decode("ascii"), decode(raw.partition(b":")[2]))


def _date(heading: Heading, buffer: Octets, root: Part) -> bytes:
    raw = first(buffer, root, b"date")
    field = b"Date:" + raw.rstrip(b"\r\n") + b"\r\n" if raw is not None and read_date(raw) is not None else b""
    return field if _CLEAN.fullmatch(field) else b"Date: " + writing.date(heading.when).encode("ascii") + b"\r\n"


def _named(name: bytes, value: bytes | None) -> bytes:
    return b"" if value is None else name + b": " + value + b"\r\n"


def sentence(one: Attached) -> str:
    """`Voice message from Pat Lee, 0:03.`"""
    if one.kind == "message":
        return "A message without audio or fax is attached."
    words = f"{'forwarded ' if one.forwarded else ''}{_WORDS[one.kind]} from {one.who}"
    length = f", {as_clock(one.duration)}" if one.kind == "voice" else ""
    sent = f" (sent {one.sent})" if one.sent else ""
    return f"{words[0].upper()}{words[1:]}{length}{sent}."


def text_part(attached: Sequence[Attached]) -> bytes:
    """The first part: a sentence for each file."""
    lines = [writing.one_line(sentence(one)).encode("utf-8", "replace") for one in attached]
    plain = all(line.isascii() and len(line) <= 998 for line in lines)
    body = b"\r\n".join(lines) + b"\r\n" if plain else writing.quoted_printable(lines)
    return (
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: " + (b"7bit" if plain else b"quoted-printable")
        + b"\r\n\r\n" + body + b"\r\n"
    )


def part_header(one: Attached) -> bytes:
    """The header of a file's part, the blank line included."""
    stem, ending = _FILE_NAMES[one.kind]
    name = f"{stem}({one.number}){ending}" if one.number > 1 else stem + ending
    typed = {
        "voice": f'audio/wav; name="{name}"', "fax": f'image/tiff; name="{name}"', "message": "message/rfc822",
    }[one.kind]
    return (
        f"Content-Type: {typed}\r\n"
        f"Content-Transfer-Encoding: {one.encoding}\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n'
        + (f"Content-Duration: {one.duration}\r\n" if one.kind == "voice" else "")
        + "\r\n"
    ).encode("ascii")
