"""The delivery status notification: RFC 3464 in the multipart/report of RFC 6522, RFC 6533 for UTF-8 addresses.

Knows how fates look to a person and to a program; refuses to know whether a report is due (`routing.reporting`) and
how it is sent (null sender, NOTIFY=NEVER: the courier's). Built octet by octet: parsing and writing the original again
would change it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unitymail.mail import writing
from unitymail.mail.boundary import boundary_for
from unitymail.mail.envelope import Envelope
from unitymail.mail.fate import Fate
from unitymail.mail.reply import printable
from unitymail.mail.report_parts import encoding_of, header_of, header_part, is_beyond_ascii, joined, text_part
from unitymail.mail.report_words import words
from unitymail.mail.status import status_or_unknown
from unitymail.mail.structure import scan

MOST_RETURNED = 1024 * 1024
"""Larger originals come back as headers only (octets)."""
MOST_DIAGNOSED = 1024 * 1024
"""Octets of next hops' replies in one report, about: with thousands of recipients each is shorter."""
LONGEST_REPLY, SHORTEST_REPLY = 600, 60
_TOO_LONG = re.compile(rb"[^\r\n]{999}")
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")


@dataclass(frozen=True, slots=True)
class Original:
    """The message that a report is about. `content` is its octets as received, or at least its whole header block.

    `category` is the value of a `Category`; `arrived` is Unix seconds; `size` is of the whole, in octets; `seconds` is
    how long its recording plays, None where nothing tells.
    """

    trace: str
    category: str
    subject: str
    message_id: str
    arrived: float
    size: int
    secure: bool
    content: bytes
    seconds: float | None = None


def returns_all(fates: Sequence[Fate], envelope: Envelope, *, secure: bool, size: int) -> bool:
    """Whether the whole original goes back: where something failed, unless it is secure, large or RET says HDRS.

    RFC 3461 4.3: RET=FULL is about failures; who only hears of a success or delay gets the header.
    Ask it before reading a large file: when it says no, `Original.content` needs the header block only.
    """
    if secure or size > MOST_RETURNED or envelope.ret == "HDRS":
        return False
    return any(fate.action == "failed" for fate in fates)


def build_report(
    *,
    to: str,
    fates: Sequence[Fate],
    envelope: Envelope,
    original: Original,
    host: str,
    domain: str,
    trace: str,
    when: float,
    retry_until: float | None = None,
    names: Mapping[str, str] | None = None,
) -> bytes:
    """A whole report, CRLF lines, to the envelope sender `to`; `trace` is its own id, `when` Unix seconds.

    `domain` is that of our postmaster; `retry_until` belongs to delays; `names` gives display names by address.
    7-bit unless the original or an address is not: then it is labelled 8bit (and needs SMTPUTF8 for UTF-8 addresses).
    """
    utf8 = not (to.isascii() and all(fate.address.isascii() and fate.orcpt.isascii() for fate in fates))
    boundary = boundary_for(trace, original.content)
    parts = [
        text_part(words(fates, original, retry_until, names or {}, host)),
        _machine(fates, envelope, original, host, when, retry_until, utf8),
        _returned(fates, envelope, original),
    ]
    body = joined(parts, boundary)
    return _header(to, fates, original, domain, host, trace, when, boundary, body) + b"\r\n" + body


_TITLES = (("failed", "Undeliverable"), ("delayed", "Delayed"), ("relayed", "Passed on"), ("expanded", "Passed on"))


def _title(fates: Sequence[Fate]) -> str:
    actions = {fate.action for fate in fates}
    return next((title for action, title in _TITLES if action in actions), "Delivered")


def _header(
    to: str, fates: Sequence[Fate], original: Original, domain: str, host: str, trace: str, when: float,
    boundary: bytes, body: bytes,
) -> bytes:
    answered = writing.message_id(original.message_id)
    related = f"In-Reply-To: {answered}\r\nReferences: {answered}\r\n".encode("ascii") if answered else b""
    identity = writing.token(trace) + b"@" + writing.token(host)
    return (
        b"From: Postmaster <postmaster@" + writing.path(domain, utf8=True) + b">\r\n"
        b"To: <" + writing.path(to, utf8=True) + b">\r\n"
        + writing.unstructured("Subject", f"{_title(fates)}: {original.subject or 'your message'}")
        + b"Date: " + writing.date(when).encode("ascii") + b"\r\n"
        b"Message-ID: <" + identity + b">\r\n" + related +
        b"Auto-Submitted: auto-replied\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status;\r\n"
        b'\tboundary="' + boundary + b'"\r\n'
        b"Content-Transfer-Encoding: " + encoding_of(body) + b"\r\n"
    )


def _machine(
    fates: Sequence[Fate], envelope: Envelope, original: Original, host: str, when: float,
    retry_until: float | None, utf8: bool,
) -> bytes:
    """Part 2: a group about the message, then a group per recipient (RFC 3464 2.2 and 2.3)."""
    kind = b"message/global-delivery-status" if utf8 else b"message/delivery-status"
    groups = [_about_message(envelope, original, host)]
    room = max(SHORTEST_REPLY, min(LONGEST_REPLY, MOST_DIAGNOSED // len(fates))) if fates else LONGEST_REPLY
    groups += [_about_recipient(fate, when, retry_until, room) for fate in fates]
    body = b"\r\n".join(groups)
    return (
        b"Content-Type: " + kind + b"\r\n"
        b"Content-Transfer-Encoding: " + encoding_of(body) + b"\r\n\r\n" + body
    )


def _about_message(envelope: Envelope, original: Original, host: str) -> bytes:
    envid = printable(envelope.envid or "")[:200].encode("ascii")
    return (
        b"Reporting-MTA: dns; " + writing.token(host) + b"\r\n"
        + (b"Original-Envelope-Id: " + envid + b"\r\n" if envid else b"")
        + b"Arrival-Date: " + writing.date(original.arrived).encode("ascii") + b"\r\n"
        b"X-Unitymail-Trace: " + writing.token(original.trace) + b"\r\n"
    )


def _about_recipient(fate: Fate, when: float, retry_until: float | None, room: int) -> bytes:
    """`when` is about the last attempt of what is over; of what waits nobody here knows when that was."""
    fields = []
    if fate.orcpt:
        kind, _, address = fate.orcpt.partition(";")
        fields.append(b"Original-Recipient: " + _typed(address, writing.token(kind.strip()) or b"rfc822"))
    fields.append(b"Final-Recipient: " + _typed(fate.address, b"rfc822"))
    fields.append(b"Action: " + fate.action.encode("ascii"))
    fields.append(b"Status: " + status_or_unknown(fate.status).encode("ascii"))
    if fate.remote_mta:
        fields.append(b"Remote-MTA: dns; " + writing.token(fate.remote_mta))
    if fate.diagnostic:
        fields.append(b"Diagnostic-Code: smtp; " + _folded(fate.diagnostic, room))
    if (fate.diagnostic or fate.remote_mta) and fate.action != "delayed":
        fields.append(b"Last-Attempt-Date: " + writing.date(when).encode("ascii"))
    if fate.action == "delayed" and retry_until is not None:
        fields.append(b"Will-Retry-Until: " + writing.date(retry_until).encode("ascii"))
    return b"\r\n".join(fields) + b"\r\n"


def _typed(address: str, kind: bytes) -> bytes:
    """RFC 6533 3: an address that is not ASCII has the type utf-8, as itself in message/global-delivery-status."""
    clean = writing.path(writing.one_line(address), utf8=True)
    return (kind if clean.isascii() else b"utf-8") + b"; " + clean


def _folded(reply: str, room: int) -> bytes:
    """A next hop's reply, at most `room` octets, folded where it has spaces."""
    lines = [b""]
    for word in printable(writing.one_line(reply))[:room].encode("ascii").split():
        if lines[-1] and len(lines[-1]) + len(word) > 50:
            lines.append(b"")
        lines[-1] += b" " + word if lines[-1] else word
    return b"\r\n\t".join(lines)


def _returned(fates: Sequence[Fate], envelope: Envelope, original: Original) -> bytes:
    """Part 3: the original, or its header; as global types when it used SMTPUTF8 (RFC 6533 4)."""
    content = original.content
    header = header_of(content)
    whole = returns_all(fates, envelope, secure=original.secure, size=original.size)
    if whole and len(content) == original.size and _carryable(content):
        kind = b"message/global" if envelope.smtputf8 and is_beyond_ascii(header) else b"message/rfc822"
        return (
            b"Content-Type: " + kind + b"\r\n"
            b"Content-Transfer-Encoding: " + encoding_of(content) + b"\r\n\r\n" + content
        )
    return header_part(header, smtputf8=envelope.smtputf8)


def _carryable(content: bytes) -> bool:
    """Whether it may stand in a message/rfc822 part, which cannot be encoded: no NUL, bare CR or LF, overlong line.

    Nor what is nested so deep, or has so many parts, that the sender's mail program might not survive it.
    """
    return not (_BARE.search(content) or _TOO_LONG.search(content) or scan(content).beyond_limits)
