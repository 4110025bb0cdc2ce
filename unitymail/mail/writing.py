"""Writing header fields of our own around words of others: addresses, names, replies, subjects.

Knows what may stand in one line of a header and cuts, replaces or encodes the rest; refuses to know which field it is.
Everything a peer said passes through here before it enters a header that we make, so that none of it can end a line
or begin a field.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.header import Header

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PLAIN_PATH = re.compile(r"[ -;=?-~]*")
_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_.:\[\]/+-]*")
_NOT_A_TOKEN = re.compile(r"[^\w.:\[\]_/+-]")
_QUOTED = re.compile(r'(["\\])')
_ADDRESS = re.compile(
    r'(?:"(?:[^"\\]|\\.){0,128}"|[^\s"(),:;<>\[\]\\]*)@[^\s"(),:;<>\[\]\\@]*(?:\[[^\s"(),;<>\[\]\\@]*\])?'
)
_SPECIAL = re.compile(r'[\s"(),:;<>\[\]\\]')
_MESSAGE_ID = re.compile(r"<?([!-;=?-~]{1,240})>?")


def one_line(text: str) -> str:
    """`text` with every control, separator and undefined character as a space, runs of spaces as one."""
    return " ".join((text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)).split())


def path(address: str, *, utf8: bool, longest: int = 512) -> bytes:
    """An address for inside angle brackets: what cannot be shown, or would close them, becomes `?`."""
    if _PLAIN_PATH.fullmatch(address) and len(address) <= longest:
        return address.encode("ascii")
    clean = "".join("?" if not c.isprintable() or c in "<>" or not (utf8 or c.isascii()) else c for c in address)
    return cut(clean.encode("utf-8"), longest)


def token(text: str, *, utf8: bool = False, longest: int = 255) -> bytes:
    """`text` as one word of letters, digits and `.:[]_/+-`; everything else becomes `?`."""
    if _PLAIN_TOKEN.fullmatch(text) and len(text) <= longest:
        return text.encode("ascii")
    clean = _NOT_A_TOKEN.sub("?", text)
    return cut((clean if utf8 else "".join(c if c.isascii() else "?" for c in clean)).encode("utf-8"), longest)


def cut(octets: bytes, longest: int) -> bytes:
    """At most `longest` octets of UTF-8, no character halved."""
    return octets[:longest].decode("utf-8", "ignore").encode("utf-8")


def unstructured(name: str, text: str, room: int = 2000) -> bytes:
    """A whole field of free text, RFC 2047 encoded where it must be; cut to `room` octets, b"" when nothing fits."""
    words = one_line(text)
    length = min(len(words), 400)
    while True:
        charset = "us-ascii" if words.isascii() else "utf-8"
        value = Header(words[:length], charset, header_name=name, maxlinelen=76).encode(linesep="\r\n")
        field = f"{name}: {value}\r\n".encode("ascii")
        if len(field) <= room:
            return field
        if length == 0:
            return b""
        length = length * 3 // 4


def mailbox(name: str, address: str, *, utf8: bool = False) -> bytes:
    """`"Display Name" <local@domain>`, the name quoted or RFC 2047 encoded; without one only the brackets."""
    words = one_line(name)[:128]
    shown = b""
    if words.isascii():
        shown = b'"' + _QUOTED.sub(r"\\\1", words).encode("ascii") + b'" ' if words else b""
    else:
        shown = Header(words, "utf-8", maxlinelen=70).encode(linesep="\r\n").encode("ascii") + b" "
    whole = address if _ADDRESS.fullmatch(address) else _SPECIAL.sub("?", address)
    return shown + b"<" + path(whole, utf8=utf8) + b">"


def mailboxes(name: str, listed: Sequence[tuple[str, str]], *, utf8: bool = False) -> bytes:
    """A whole address field of (display name, address) pairs, one a line; b"" for none."""
    shown = b",\r\n\t".join(mailbox(*one, utf8=utf8) for one in listed)
    return name.encode("ascii") + b": " + shown + b"\r\n" if shown else b""


def message_id(text: str) -> str:
    """A Message-ID in angle brackets, "" when `text` holds none that may be written."""
    found = _MESSAGE_ID.fullmatch(text.strip())
    return f"<{found[1]}>" if found else ""


def date(when: float) -> str:
    """RFC 5322 date-time of `when` (Unix seconds), in UTC."""
    moment = datetime.fromtimestamp(when, UTC)
    day, month = DAYS[moment.weekday()], MONTHS[moment.month - 1]
    # Not strftime: its names follow the locale.
    return (
        f"{day}, {moment.day:02} {month} {moment.year:04}"
        f" {moment.hour:02}:{moment.minute:02}:{moment.second:02} +0000"
    )


def date_in_words(when: float) -> str:
    """`25 Nov 2026 13:07 UTC`."""
    moment = datetime.fromtimestamp(when, UTC)
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year} {moment:%H:%M} UTC"


def quoted_printable(lines: list[bytes]) -> bytes:
    """RFC 2045 6.7 of lines given without their ends; every line of the result ends in CRLF."""
    return b"".join(binascii.b2a_qp(line, istext=False).replace(b"\n", b"\r\n") + b"\r\n" for line in lines)
