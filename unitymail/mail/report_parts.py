"""The parts that all reports have (RFC 6522): words for a person, the original's header, and the body they make.

Knows their octets and encodings; refuses to know what is reported: `report` and `disposition` write the part between.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from unitymail.mail import writing

MOST_HEADER = 64 * 1024
_END_OF_HEADER = re.compile(rb"\n\r?\n")
_LINE_END = re.compile(rb"\r\n|\r|\n")


def wrapped(text: str, indent: str = "") -> str:
    """Lines of 72 characters at most, where they can be broken."""
    return textwrap.fill(
        text, 72, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def encoding_of(octets: bytes) -> bytes:
    return b"7bit" if octets.isascii() else b"8bit"


def joined(parts: Sequence[bytes], boundary: bytes) -> bytes:
    r"""The body of the multipart. Each part ends in CRLF or is ended here."""
    delimiter = b"--" + boundary
    return b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--\r\n"


def text_part(text: str) -> bytes:
    r"""Part 1: plain words, lines separated by `\n`."""
    lines = [line.encode("utf-8", "replace") for line in text.split("\n")]
    plain = text.isascii() and all(len(line) <= 78 for line in lines)
    body = b"\r\n".join(lines) + b"\r\n" if plain else writing.quoted_printable(lines)
    return (
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: " + (b"7bit" if plain else b"quoted-printable") + b"\r\n\r\n" + body
    )


def header_part(header: bytes, *, smtputf8: bool) -> bytes:
    """Part 3: no more than the header, as a global type when it is UTF-8 that SMTPUTF8 brought (RFC 6533 4)."""
    kind = b"message/global-headers" if smtputf8 and is_beyond_ascii(header) else b"text/rfc822-headers"
    lines = _LINE_END.split(header[:MOST_HEADER].rstrip(b"\r\n"))
    plain = all(line.isascii() and len(line) <= 998 and b"\0" not in line for line in lines)
    body = b"\r\n".join(lines) + b"\r\n" if plain else writing.quoted_printable(lines)
    return (
        b"Content-Type: " + kind + b"\r\n"
        b"Content-Transfer-Encoding: " + (b"7bit" if plain else b"quoted-printable") + b"\r\n\r\n" + body
    )


def header_of(content: bytes) -> bytes:
    """Up to the first empty line; b"" when the message begins with one."""
    if content.startswith((b"\r\n", b"\n")):
        return b""
    end = _END_OF_HEADER.search(content)
    return content[: end.start() + 1] if end else content


def is_beyond_ascii(octets: bytes) -> bool:
    """Whether it is UTF-8, and not all of it ASCII."""
    try:
        return not octets.isascii() and bool(octets.decode("utf-8"))
    except UnicodeDecodeError:
        return False
