"""Messages as an mbox file has them: LF ends, `From ` lines, status fields for flags.

Knows the format (the standard library finds the messages in it); refuses to know folders.
"""

from __future__ import annotations

import mailbox
import re
from collections.abc import Set
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from unitymail.store.content import converted

STATUS = {"A": "\\Answered", "F": "\\Flagged", "D": "\\Deleted", "T": "\\Draft", "R": "\\Seen"}
"""Letters of the `Status` and `X-Status` fields."""
_FROM = re.compile(rb"^>*From ", re.MULTILINE)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_STATUS_FIELD = re.compile(rb"^(?:X-)?Status:.*\n", re.MULTILINE | re.IGNORECASE)


def octets_of(box: mailbox.mbox, number: str) -> bytes:
    """The message without what the format added: status fields and quoting."""
    header, blank, body = box.get_bytes(number).replace(b"\r\n", b"\n").partition(b"\n\n")
    header = _STATUS_FIELD.sub(b"", header + b"\n").removesuffix(b"\n")
    return converted(header + blank + _QUOTED_FROM.sub(rb"\1", body))


def facts_of(box: mailbox.mbox, number: str) -> tuple[frozenset[str], float | None]:
    """Its flags and its date: that of the `From ` line, else the header's."""
    message = box[number]
    flags = frozenset(STATUS[letter] for letter in message.get_flags() if letter in STATUS)
    stamp = message.get_from().partition(" ")[2].strip()
    for read in (lambda: datetime.strptime(stamp, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC),
                 lambda: parsedate_to_datetime(str(message["Date"]))):  # fmt: skip
        try:
            return flags, read().timestamp()
        except (ValueError, TypeError, OverflowError):
            continue
    return flags, None


def written(octets: bytes, flags: Set[str], date: float) -> bytes:
    """The message with what the format adds."""
    stamp = datetime.fromtimestamp(date, UTC).strftime("%a %b %e %H:%M:%S %Y")
    letters = {flag: letter for letter, flag in STATUS.items()}
    status = "".join(sorted(letters[flag] for flag in flags if flag in letters))
    lines = f"From MAILER-DAEMON {stamp}\nStatus: {'R' * ('R' in status)}O\nX-Status: {status.replace('R', '')}\n"
    body = _FROM.sub(rb">\g<0>", octets.replace(b"\r\n", b"\n"))
    return lines.encode("ascii") + body + (b"\n" if body.endswith(b"\n") else b"\n\n")
