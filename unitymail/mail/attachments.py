"""Which leaves of a message are its text for people to read, with the images inside it, and which are attached.

Knows `cid:` references (RFC 2392); refuses to know what attachments mean.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from unitymail.mail.lexical import unfold
from unitymail.mail.part import Octets, Part
from unitymail.mail.text import decoded

_REFERENCE = re.compile(rb"cid:([^\s\"'<>()]{1,998})", re.IGNORECASE)
_MOST_HTML = 1 << 20


def is_readable(part: Part) -> bool:
    """Text that a mail client shows as the message itself."""
    return part.type == "text" and part.subtype in ("plain", "html") and part.disposition != "attachment"


def attachments(buffer: Octets, leaves: Sequence[Part]) -> list[Part]:
    """Those of `leaves` (of one message) that are neither its text nor images shown inside it.

    A Content-ID that nothing refers to makes no body of an attachment: some voice mail systems always write one.
    """
    others = [part for part in leaves if not is_readable(part)]
    if not any(part.type == "image" and part.content_id for part in others):
        return others
    shown = {
        unquote(found.decode("latin-1"))
        for part in leaves
        if part.media_type == "text/html" and is_readable(part)
        for found in _REFERENCE.findall(decoded(buffer, part._replace(end=min(part.end, part.body + _MOST_HTML))))
    }
    return [part for part in others if part.type != "image" or _content_id(part) not in shown]


def _content_id(part: Part) -> str:
    return unfold(part.content_id or b"").strip(b"<> \t").decode("latin-1")
