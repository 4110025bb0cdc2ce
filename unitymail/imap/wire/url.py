"""IMAP URLs (RFC 5092) that name a message or a part of one: what CATENATE takes its parts from.

Knows their grammar, absolute, from the server's root, or relative to the selected mailbox; refuses to look anything up,
and URLs that give access to others' messages (URLAUTH).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from unitymail.imap.wire.sequence import MAX_NUMBER

_URL = re.compile(
    r"(?:imap://(?:(?P<user>[^@/;:]*)(?:;AUTH=[^@/;]*)?@)?(?P<host>[^/:;@]+|\[[^]/]+\])(?::\d+)?(?=/))?"
    r"(?:/(?P<mailbox>[^;?#]+?)(?:;UIDVALIDITY=(?P<uidvalidity>[1-9]\d{0,9}))?)?"
    r"(?P<relative>(?:\.?/)?);UID=(?P<uid>[1-9]\d{0,9})"
    r"(?:/?;SECTION=(?P<section>[^;?#/]+(?:/(?!;)[^;?#/]+)*))?"
    r"(?:/?;PARTIAL=(?P<offset>\d{1,18})(?:\.(?P<length>[1-9]\d{0,17}))?)?",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class BadURL(Exception):
    """The text is no URL of a message; the words say what it lacks."""


@dataclass(frozen=True, slots=True)
class MessageURL:
    """`mailbox`: decoded, "" for the selected one. `user`, `host`: "" when not said. `section`: as in BODY[section].

    `uidvalidity` is 0 when not said. `length` is None for all that there is behind `offset`.
    """

    mailbox: str
    uid: int
    uidvalidity: int = 0
    section: bytes = b""
    offset: int = 0
    length: int | None = None
    user: str = ""
    host: str = ""


def read(octets: bytes) -> MessageURL:
    """Raises BadURL."""
    try:
        text = octets.decode("ascii")
    except UnicodeDecodeError:
        raise BadURL("A URL has no 8-bit octets; write them as %xx") from None
    found = _URL.fullmatch(text)
    if found is None or _ESCAPE.search(text):
        raise BadURL("This is not the URL of a message of this server")
    if found["host"] and not found["mailbox"]:
        raise BadURL("The URL names no mailbox")
    if int(found["uid"]) > MAX_NUMBER:
        raise BadURL("No message can have that UID")
    return MessageURL(
        mailbox=_text(found["mailbox"] or ""),
        uid=int(found["uid"]),
        uidvalidity=int(found["uidvalidity"] or 0),
        section=unquote_to_bytes(found["section"] or ""),
        offset=int(found["offset"] or 0),
        length=int(found["length"]) if found["length"] else None,
        user=_text(found["user"] or ""),
        host=(found["host"] or "").lower(),
    )


def _text(encoded: str) -> str:
    try:
        return unquote_to_bytes(encoded).decode("utf-8")
    except UnicodeDecodeError:
        raise BadURL("A name in a URL is UTF-8, with %xx for what is not ASCII") from None
