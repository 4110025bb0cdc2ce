"""The header of a message to a VPIM peer: the fields of RFC 3801 4.2, in the order of message-formats.md 5, no others.

Knows what each field is made from; refuses to know the body. All of it is 7-bit; words of others pass `mail.writing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from unitymail.mail.automatic import automatic_word
from unitymail.mail.dates import Moment, read_date
from unitymail.mail.headers import FIELD, Field, addresses, decode, readable
from unitymail.mail.lexical import unfold
from unitymail.mail.message import Importance, Sensitivity
from unitymail.mail.part import Octets
from unitymail.mail.sensitivity import FIELDS, importance_of, sensitivity_of
from unitymail.mail.vpim.selection import Selection
from unitymail.mail.writing import date, mailbox, mailboxes, message_id, one_line, token, unstructured

MOST_REFERENCES = 40
LINE = 76
LONGEST_RECEIVED = 2_000
LONGEST_WORD = 900
"""Of a line that cannot be folded: 998 octets are what mail carries."""
_READ = FIELDS | frozenset(
    b"received from date message-id in-reply-to references subject disposition-notification-to auto-submitted".split()
)
_MESSAGE_ID = re.compile(rb"<[!-;=?-~]{1,240}>")
_WORD = re.compile(r"[a-z-]{1,40}")
_Fields = dict[bytes, list[bytes]]


@dataclass(frozen=True, slots=True)
class Cover:
    """What the header says that the message does not: who writes to whom here.

    `sender`, `to` and `cc` are (display name, address). `anonymous`: nobody can be told that it was heard. `head` is
    our own header block, `arrived` Unix seconds. `location` is the peer's id: with the trace it makes the Message-ID,
    so that the same copy made again is the same message.
    """

    trace: str
    location: str
    host: str
    arrived: float
    head: bytes
    sender: tuple[str, str]
    to: tuple[tuple[str, str], ...]
    cc: tuple[tuple[str, str], ...] = ()
    anonymous: bool = False
    private: bool = False


def heading(buffer: Octets, selection: Selection, cover: Cover, boundary: bytes) -> bytes:
    """CRLF lines, the blank line left out."""
    fields = _fields(buffer, selection)
    pieces = [
        *(_received(raw) for raw in (*_ours(cover), *fields.get(b"received", ()))),
        mailboxes("From", [cover.sender]), mailboxes("To", cover.to), mailboxes("Cc", cover.cc),
        _date(fields) or b"Date: " + date(cover.arrived).encode("ascii") + b"\r\n",
        b"Message-ID: " + message_id_of(cover).encode("ascii") + b"\r\n",
        _ids("In-Reply-To", fields), _ids("References", fields), _subject(fields, selection),
        _content(boundary),
        b"Sensitivity: Private\r\n" if cover.private else b"",
        _importance(fields),
        b"Message-Context: " + (b"fax-message" if selection.is_fax else b"voice-message") + b"\r\n",
        _receipt_to(fields, cover), _auto_submitted(fields),
    ]  # fmt: skip
    return b"".join(pieces)


def inner_heading(buffer: Octets, selection: Selection, boundary: bytes) -> bytes:
    """Of a message that is forwarded (RFC 3801 4.8): who wrote it, when and about what, as it says itself."""
    fields = _fields(buffer, selection)
    authors = [(author.name, author.address) for raw in fields.get(b"from", ()) for author in addresses(raw)][:1]
    original = message_id(decode(fields[b"message-id"][0])) if b"message-id" in fields else ""
    private = sensitivity_of(fields) is Sensitivity.PRIVATE
    pieces = [
        mailboxes("From", authors), _date(fields) or b"",
        b"Message-ID: " + original.encode("ascii") + b"\r\n" if original else b"",
        _subject(fields, selection), _content(boundary), b"Sensitivity: Private\r\n" if private else b"",
        _importance(fields),
    ]  # fmt: skip
    return b"".join(pieces)


def message_id_of(cover: Cover) -> str:
    """Of the copy for one location; `trace_in` reads the trace back when a receipt or report comes for it."""
    local = ".".join(token(word, longest=80).decode("ascii") for word in (cover.trace, "vpim", cover.location))
    return f"<{local}@{token(cover.host).decode('ascii')}>"


def trace_in(identity: str, host: str) -> str:
    """The trace of the message whose converted copy has this Message-ID; "" when it is none of ours."""
    local, _, domain = identity.strip().strip("<>").rpartition("@")
    trace, vpim, _ = local.partition(".vpim.")
    return trace if vpim and domain.lower() == host.lower() else ""


def _fields(buffer: Octets, selection: Selection) -> _Fields:
    fields: _Fields = {}
    for name, raw in readable(buffer, selection.root):
        if name in _READ:
            fields.setdefault(name, []).append(raw)
    return fields


def _ours(cover: Cover) -> list[bytes]:
    """The bodies of the Received fields in our own header block."""
    found = (Field(one[1] or b"", one[0]) for one in FIELD.finditer(cover.head))
    return [one.value for one in found if one.name.lower() == b"received"]


def _received(raw: bytes) -> bytes:
    """RFC 3801 4.2.9: none is removed. Folded anew, 8-bit as `?`."""
    text = one_line(unfold(raw[:LONGEST_RECEIVED]).decode("ascii", "replace").replace("\ufffd", "?"))
    clean = "".join(c if " " <= c <= "~" else "?" for c in text)
    return b"Received: " + _folded([word[:LONGEST_WORD] for word in clean.split(" ")], len("Received: ")) + b"\r\n"


def _folded(words: Iterable[str], column: int) -> bytes:
    lines: list[str] = []
    line = ""
    for word in words:
        if line and column + len(line) + 1 + len(word) > LINE:
            lines.append(line)
            line, column = word, 8
        else:
            line = f"{line} {word}" if line else word
    return "\r\n\t".join([*lines, line]).encode("ascii")


def _date(fields: _Fields) -> bytes | None:
    """The time it was sent, in the sender's own zone; None when it does not say."""
    moment = read_date(fields[b"date"][0]) if b"date" in fields else None
    if moment is None or not 0 <= moment.seconds + moment.zone * 60 < 253_402_300_800:
        return None
    return b"Date: " + _local(moment).encode("ascii") + b"\r\n"


def _local(moment: Moment) -> str:
    hours, minutes = divmod(abs(moment.zone), 60)
    sign = "-" if moment.zone < 0 else "+"
    return date(moment.seconds + moment.zone * 60).removesuffix("+0000") + f"{sign}{hours:02}{minutes:02}"


def _ids(name: str, fields: _Fields) -> bytes:
    found = [one for raw in fields.get(name.lower().encode("ascii"), ())[:1] for one in _MESSAGE_ID.findall(raw)]
    if not found:
        return b""
    # The first is where the conversation began, the last are the nearest.
    kept = found if len(found) <= MOST_REFERENCES else [found[0], *found[1 - MOST_REFERENCES :]]
    return name.encode("ascii") + b": " + b"\r\n\t".join(kept) + b"\r\n"


def _subject(fields: _Fields, selection: Selection) -> bytes:
    text = one_line(decode(fields[b"subject"][0])) if b"subject" in fields else ""
    return unstructured("Subject", text or ("Fax Message" if selection.is_fax else "Voice Message"))


def _content(boundary: bytes) -> bytes:
    return (
        b"MIME-Version: 1.0 (Voice 2.0)\r\n"
        b'Content-Type: Multipart/Voice-Message; version=2.0;\r\n\tboundary="' + boundary + b'"\r\n'
        b"Content-Transfer-Encoding: 7bit\r\n"
    )


def _importance(fields: _Fields) -> bytes:
    value = {Importance.HIGH: b"High", Importance.LOW: b"Low"}.get(importance_of(fields))
    return b"Importance: " + value + b"\r\n" if value else b""


def _receipt_to(fields: _Fields, cover: Cover) -> bytes:
    """A read receipt is asked for where the sender asked, and there is somebody to send it to."""
    if b"disposition-notification-to" not in fields or cover.anonymous or automatic_word(fields):
        return b""
    return b"Disposition-Notification-To: " + mailbox("", cover.sender[1]) + b"\r\n"


def _auto_submitted(fields: _Fields) -> bytes:
    word = automatic_word(fields)
    return b"Auto-Submitted: " + word.encode("ascii") + b"\r\n" if _WORD.fullmatch(word) else b""
