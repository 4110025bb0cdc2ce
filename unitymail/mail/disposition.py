"""The message disposition notification (RFC 8098): whether one may be sent on its own, and how it looks.

Knows the header of the message and who may be told without asking the user; refuses to know when a message counts as
read, and how the notification is sent (null sender, NOTIFY=NEVER: the courier's). Only headers come back, never what
was said: the sender has that, and private and secure messages may not leave a second time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from unitymail.mail import writing
from unitymail.mail.address import key_of
from unitymail.mail.automatic import automatic_word
from unitymail.mail.boundary import boundary_for
from unitymail.mail.dates import read_date
from unitymail.mail.headers import FIELD, addresses, decode
from unitymail.mail.message import Category
from unitymail.mail.report_parts import encoding_of, header_of, header_part, joined, text_part, wrapped
from unitymail.mail.trace import read_trace_field

Kind = Literal["displayed", "deleted", "expired"]
"""message-formats.md 9: played or opened; deleted unheard; too old before anybody heard it."""

ANSWERED_HERE = (Category.VOICE.value, Category.FAX.value)
"""Categories whose receipts the node sends; for e-mail the client does (decisions.md, Signing in)."""
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999: no date that can be written is later."""
_PATH = re.compile(rb"[ \t]*<([^<>]+)>[ \t]*")
_OURS = frozenset({b"return-path", b"x-unitymail-trace"})
_TYPED = re.compile(r"[A-Za-z0-9.+-]+ ?;.*[^ ].*")
_REQUIRED = re.compile(rb"=[ \t]*required", re.IGNORECASE)
_NOUNS = {"voice": "voice message", "fax": "fax message"}
_DONE = {
    ("voice", "displayed"): "was played", ("voice", "deleted"): "was deleted without being played",
    ("fax", "displayed"): "was opened", ("fax", "deleted"): "was deleted without being opened",
    ("voice", "expired"): "was removed, for it had become too old without being played,",
    ("fax", "expired"): "was removed, for it had become too old without being opened,",
}  # fmt: skip
_TITLES = {
    ("voice", "displayed"): "Played", ("voice", "deleted"): "Not played", ("fax", "displayed"): "Read",
    ("fax", "deleted"): "Not read", ("voice", "expired"): "Not played", ("fax", "expired"): "Not read",
}  # fmt: skip


_DISPOSITIONS: dict[Kind, bytes] = {
    "displayed": b"manual-action/MDN-sent-automatically; displayed",
    "deleted": b"manual-action/MDN-sent-automatically; deleted",
    "expired": b"automatic-action/MDN-sent-automatically; deleted/expired",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A receipt that may be sent without asking anybody. `sent` is Unix seconds, 0.0 when the Date says nothing."""

    to: str
    category: str
    subject: str
    message_id: str
    original_recipient: str
    sent: float
    header: bytes


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose mailbox it is: the name in the directory, and the address by which the sender knows it."""

    name: str
    address: str


def asked_of(stored: bytes) -> Asked | None:
    """What the stored message's header asks for; None when no receipt may be sent on its own.

    Exactly one address, the same as the Return-Path; voice and fax only; never for what was sent automatically or
    with the null path (RFC 8098 2.1, 3834). `stored` begins with our own header block, which says the category.
    """
    header = header_of(stored)
    named: dict[bytes, list[bytes]] = {}
    for name, raw in _fields(header):
        named.setdefault(name, []).append(raw.partition(b":")[2])
    trace = read_trace_field(named.get(b"x-unitymail-trace", [b""])[0])
    path = _PATH.fullmatch(named.get(b"return-path", [b""])[0].rstrip(b"\r\n"))
    wishes = [one.address for raw in named.get(b"disposition-notification-to", ()) for one in addresses(raw)]
    if trace is None or trace.category not in ANSWERED_HERE or path is None or len(wishes) != 1:
        return None
    if key_of(wishes[0]) != key_of(path[1].decode("utf-8", "replace")):
        return None
    if automatic_word(named) or _is_demanding(named) or _is_suppressed(named):
        return None
    moment = read_date(named[b"date"][0]) if b"date" in named else None
    return Asked(
        wishes[0], trace.category, _text(named, b"subject"), writing.message_id(_text(named, b"message-id")),
        _typed(_text(named, b"original-recipient")),
        moment.seconds if moment is not None and 0 < moment.seconds <= _LAST_SECOND else 0.0, header,
    )


def _fields(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    for found in FIELD.finditer(header):
        if found[1] is not None:
            yield found[1].lower(), found[0]


def _is_demanding(named: dict[bytes, list[bytes]]) -> bool:
    """RFC 8098 2.2: an option that must be understood, and there are none that we know."""
    return any(_REQUIRED.search(raw) for raw in named.get(b"disposition-notification-options", ()))


def _is_suppressed(named: dict[bytes, list[bytes]]) -> bool:
    """Exchange's X-Auto-Response-Suppress: a list of what must not be sent back, among it RN, read notifications."""
    words = {word.strip().lower() for raw in named.get(b"x-auto-response-suppress", ()) for word in raw.split(b",")}
    return not words.isdisjoint((b"all", b"rn"))


def _text(named: dict[bytes, list[bytes]], name: bytes) -> str:
    return decode(named[name][0]).strip() if name in named else ""


def _typed(recipient: str) -> str:
    """`type; address` (RFC 8098 2.3) as far as a report may carry it; "" for anything else."""
    line = writing.one_line(recipient)[:300]
    return line if line.isascii() and _TYPED.fullmatch(line) else ""


def build_disposition(
    asked: Asked, kind: Kind, reader: Reader, *, host: str, trace: str, when: float
) -> bytes:
    """The whole notification, CRLF lines; `trace` is its own id, `when` (Unix seconds) the moment it tells of."""
    utf8 = not (asked.to.isascii() and reader.address.isascii())
    boundary = boundary_for(trace, asked.header)
    body = joined([
        text_part(_sentence(asked, kind, reader, when)), _machine(asked, kind, reader, host, utf8),
        header_part(_without_ours(asked.header), smtputf8=utf8),
    ], boundary)  # fmt: skip
    return _heading(asked, kind, reader, host, trace, when, boundary, body) + b"\r\n" + body


def _heading(
    asked: Asked, kind: Kind, reader: Reader, host: str, trace: str, when: float, boundary: bytes, body: bytes
) -> bytes:
    related = f"In-Reply-To: {asked.message_id}\r\nReferences: {asked.message_id}\r\n" if asked.message_id else ""
    title = f"{_TITLES[asked.category, kind]}: {asked.subject or 'your message'}"
    return (
        writing.mailboxes("From", [(reader.name, reader.address)], utf8=True)
        + writing.mailboxes("To", [("", asked.to)], utf8=True)
        + writing.unstructured("Subject", title)
        + b"Date: " + writing.date(when).encode("ascii") + b"\r\n"
        b"Message-ID: <" + writing.token(trace) + b"@" + writing.token(host) + b">\r\n" + related.encode("ascii")
        + b"Auto-Submitted: auto-replied\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: multipart/report; report-type=disposition-notification;\r\n"
        b'\tboundary="' + boundary + b'"\r\n'
        b"Content-Transfer-Encoding: " + encoding_of(body) + b"\r\n"
    )


def _sentence(asked: Asked, kind: Kind, reader: Reader, when: float) -> str:
    """All that a person needs."""
    subject = writing.one_line(asked.subject)[:200]
    what = f'Your {_NOUNS[asked.category]} "{subject}"' if subject else f"Your {_NOUNS[asked.category]}"
    sent = f" of {writing.date_in_words(asked.sent)}" if asked.sent else ""
    whom = f"{reader.name} ({reader.address})" if reader.name else reader.address
    done = _DONE[asked.category, kind]
    return wrapped(writing.one_line(f"{what}{sent} to {whom} {done} on {writing.date_in_words(when)}."))


def _machine(asked: Asked, kind: Kind, reader: Reader, host: str, utf8: bool) -> bytes:
    """Part 2 (RFC 8098 3.1)."""
    original = asked.original_recipient
    typed = b"utf-8" if not reader.address.isascii() else b"rfc822"
    body = (
        b"Reporting-UA: " + writing.token(host) + b"; unitymail\r\n"
        + (b"Original-Recipient: " + original.encode("ascii") + b"\r\n" if original else b"")
        + b"Final-Recipient: " + typed + b"; " + writing.path(writing.one_line(reader.address), utf8=True) + b"\r\n"
        + (b"Original-Message-ID: " + asked.message_id.encode("ascii") + b"\r\n" if asked.message_id else b"")
        + b"Disposition: " + _DISPOSITIONS[kind] + b"\r\n"
    )
    name = b"message/global-disposition-notification" if utf8 else b"message/disposition-notification"
    return (
        b"Content-Type: " + name + b"\r\n"
        b"Content-Transfer-Encoding: " + encoding_of(body) + b"\r\n\r\n" + body
    )


def _without_ours(header: bytes) -> bytes:
    """The header as it came, and when: its return path and what we found out about it are nobody else's business."""
    return b"".join(raw for name, raw in _fields(header) if name not in _OURS)
