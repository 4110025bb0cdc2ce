"""The form of a message whose body its reader may not see: the header kept, and a short text that says why.

Knows how that form is made from the octets of the whole message; refuses to know who may see what, which is policy's.

*Note: for ever.* Whoever was shown a form is shown the same octets for as long as the message has its UID, by later
versions of this program too. A text is therefore never changed: another wording is another number of `Reason`.
"""

from __future__ import annotations

import re
from enum import IntEnum

from unitymail.mail.headers import FIELD
from unitymail.mail.lexical import LONGEST_FIELD, LONGEST_HEADER
from unitymail.mail.windows import Octets, search

_BLANK_LINE = re.compile(rb"\n\r?\n")
_LEADING_BLANK = re.compile(rb"\r?\n")
_LINE_OF_A_FIELD = re.compile(rb"\n(?=[^ \t])")
_ABOUT_THE_BODY = b"content-"
_FIELDS = b"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n"


class Reason(IntEnum):
    """Why a body is withheld. Indexes hold these numbers, 0 for a message that is shown."""

    SECURE = 1
    PRIVATE = 2
    HEADERS_ONLY = 3


_WORDS = {
    Reason.SECURE: """\
The contents of this message are not shown here, because it is secure.

Your class of service does not include reading secure messages with a mail
program (IMAP). The message itself is kept in your mailbox. If you need to
read it, ask your administrator.
""",
    Reason.PRIVATE: """\
The contents of this message are not shown here, because it is private.

Your class of service does not include reading private messages with a mail
program (IMAP). The message itself is kept in your mailbox. If you need to
read it, ask your administrator.
""",
    Reason.HEADERS_ONLY: """\
The contents of this message are not shown here.

Your class of service includes only the headers of messages in a mail
program (IMAP). The message itself is kept in your mailbox. If you need to
read it, ask your administrator.
""",
}


def withheld_form(buffer: Octets, reason: Reason) -> bytes:
    """The message in `buffer` (any line ends) with a notice in place of its body, in CRLF form."""
    return with_notice(buffer, _WORDS[reason])


def with_notice(buffer: Octets, notice: str) -> bytes:
    """As `withheld_form`, with any notice (ASCII, lines of at most 76 characters).

    Every field of the header stays as it is, but for those about the body (Content-*), and what is beyond the limits of
    a header. Lines of the header that are no fields go: some writers forget the blank line before the body.
    """
    kept, has_version = [], False
    header = header_of(buffer)
    for found in FIELD.finditer(header):
        name = (found[1] or b"").lower()
        if found.start() >= LONGEST_HEADER:
            break
        if name and not name.startswith(_ABOUT_THE_BODY):
            kept.append(found[0])
            has_version = has_version or name == b"mime-version"
    if kept and not kept[-1].endswith(b"\n"):
        kept[-1] += b"\n"
    version = b"" if has_version else b"MIME-Version: 1.0\r\n"
    return _with_crlf(b"".join(kept)) + version + _FIELDS + b"\r\n" + _with_crlf(notice.encode("ascii"))


def header_of(buffer: Octets) -> bytes:
    """As much of the header as is interpreted, without the blank line after it; a field cut short is left out."""
    if _LEADING_BLANK.match(buffer):
        return b""
    most = LONGEST_HEADER + 2 * LONGEST_FIELD
    found = search(_BLANK_LINE, buffer, 0, min(len(buffer), most))
    if found is not None:
        return bytes(buffer[: found.start() + 1])
    if len(buffer) <= most:
        return bytes(buffer[:])
    block = bytes(buffer[:most])
    return block[: max((found.start() + 1 for found in _LINE_OF_A_FIELD.finditer(block)), default=0)]


def _with_crlf(octets: bytes) -> bytes:
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
