"""The first words of a message, for a list of messages to show (RFC 8970): plain text, one line, bounded.

Knows what a person would read first, and what to say of messages without text: how long a voice message plays, what a
fax or an attachment is called. Refuses to know folders, and who may read the message.
"""

from __future__ import annotations

import re

from unitymail.mail.attachments import is_readable
from unitymail.mail.audio import TELEPHONE, audio_type, is_playable, is_tiff
from unitymail.mail.charsets import codec, to_text
from unitymail.mail.duration import as_clock, seconds_of
from unitymail.mail.headers import decode, first
from unitymail.mail.html import words_of
from unitymail.mail.part import Octets, Part, leaves
from unitymail.mail.structure import Structure
from unitymail.mail.text import first_octets

LONGEST = 200
"""Characters. RFC 8970 3.2: 200 is what clients expect, 256 the most."""
_MOST_RAW = 131_072
"""Octets looked at of one part, still encoded: some style sheets are long."""
_ENOUGH = 20 * LONGEST
"""Characters looked at besides white space: some are not seen."""
_MOST_LEAVES = 20
_SEALED = frozenset({
    "application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted", "multipart/encrypted",
})  # fmt: skip
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffc]+")
_GAP = re.compile(r"[\s\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064]+")
"""White space, and characters that nobody sees, which newsletters use for padding."""
_SIGNATURE = "-- "


def preview(buffer: Octets, structure: Structure) -> str:
    """At most `LONGEST` characters; "" when there is nothing to say, and for what is encrypted."""
    if structure.root.media_type in _SEALED:
        return ""
    parts = leaves(structure.root)[:_MOST_LEAVES]
    label = _recording(buffer, structure.root, parts)
    words = _words(buffer, parts)
    if not label and not words:
        label = _enclosure(buffer, parts)
    return _shortened(" ".join(filter(None, [label, words])))


def _words(buffer: Octets, parts: list[Part]) -> str:
    """What the first part with any text says; what it quotes counts only where nobody says anything else."""
    texts = [part for part in parts if is_readable(part)]
    for quoted in (False, True):
        for part in texts:
            source = _beginning(buffer, part)
            if part.subtype == "html":
                text = words_of(source, quoted=quoted, most=_ENOUGH)
            else:
                text = _own_lines(source, quoted=quoted)
            if words := _one_line(text):
                return words
    return ""


def _beginning(buffer: Octets, part: Part) -> str:
    octets = first_octets(buffer, part, _MOST_RAW)
    charset = part.parameter("charset") or ""
    if part.size > _MOST_RAW:
        # A character may be cut in two: without its half the rest is what it says it is.
        for cut in range(6):
            try:
                return octets[: len(octets) - cut].decode(codec(charset) or "utf-8")
            except (UnicodeError, ValueError):
                continue
    return to_text(octets, charset)


def _own_lines(source: str, *, quoted: bool) -> str:
    """Up to the signature, without quoted lines (`> …`) and the line that says whose words they are."""
    kept: list[str] = []
    for line in source.splitlines():
        if line == _SIGNATURE:
            break
        if quoted or not line.startswith(">"):
            kept.append(line)
            continue
        while kept and not kept[-1].strip():
            kept.pop()
        if kept and kept[-1].rstrip().endswith(":"):
            kept.pop()
    return "\n".join(kept)


def _one_line(text: str) -> str:
    line = " ".join(text.split())[:_ENOUGH]
    return _CONTROLS.sub("", line) if line.isascii() else _GAP.sub(_gap, _CONTROLS.sub("", line)).strip()


def _gap(found: re.Match[str]) -> str:
    """One space; where there is none at all, what joins the characters of a name or an emoji stays."""
    return " " if any(map(str.isspace, found[0])) else found[0][:1]


def _shortened(text: str) -> str:
    """Cut between words where one ends not far from the limit. Always text that UTF-8 can carry."""
    if len(text) > LONGEST:
        cut = text[: LONGEST + 1]
        space = cut.rfind(" ", LONGEST - 30)
        text = cut[:space] if space > 0 else cut[:LONGEST]
    return text.encode("utf-8", "replace").decode("utf-8").rstrip()


def _recording(buffer: Octets, root: Part, parts: list[Part]) -> str:
    """`Voice message (0:14)` or `Fax`, for what a telephone system sent; "" for others."""
    kind = (first(buffer, root, b"message-context") or b"").strip().lower()
    spoken = kind.startswith(b"voice")
    if any((spoken or audio_type(part) in TELEPHONE) and is_playable(buffer, part) for part in parts):
        return _timed("Voice message", buffer, root)
    return "Fax" if kind.startswith(b"fax") and any(map(is_tiff, parts)) else ""


def _timed(name: str, buffer: Octets, root: Part) -> str:
    seconds = seconds_of(buffer, root)
    return f"{name} ({as_clock(seconds)})" if seconds else name


def _enclosure(buffer: Octets, parts: list[Part]) -> str:
    """What a message without any text is: a recording, a fax, somebody else's message, a file."""
    for part in parts:
        if part.media_type in _SEALED:
            return ""
        if is_playable(buffer, part):
            return _timed("Recording", buffer, part)
        if part.is_message:
            subject = _one_line(decode(first(buffer, part.children[0], b"subject") or b""))
            return f"Enclosed message: {subject}" if subject else "Enclosed message"
        if is_tiff(part):
            return "Fax"
        if name := _one_line(part.filename):
            return f"Attachment: {name}"
    return ""
