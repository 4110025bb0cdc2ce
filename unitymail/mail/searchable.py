"""Which texts of a message SEARCH's TEXT and BODY look into (RFC 9051 6.4.4), decoded but not folded.

Knows parts and headers; refuses to know what is looked for, and whether an index or the message itself is asked: both
come here, so that they cannot answer differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from unitymail.mail.headers import decode, fields
from unitymail.mail.part import Part, walk

_FOLD = re.compile(rb"\r?\n[ \t]")


def header_text(header: bytes) -> str:
    """All fields of a header, unfolded and decoded, a line each."""
    if header.isascii() and b"=?" not in header:
        return _FOLD.sub(b" ", header).decode("ascii")
    return "\n".join(f"{f.name.decode('latin-1')}: {decode(f.value)}" for f in fields(header, 0, len(header)))


def headers_of(root: Part) -> Iterator[Part]:
    """The parts whose headers TEXT looks into: the message's own, and that of every part."""
    return walk(root)


def enclosed_of(root: Part) -> Iterator[Part]:
    """The messages inside, whose headers count as body."""
    return (part.children[0] for part in walk(root) if part.is_message)


def texts_of(root: Part) -> Iterator[Part]:
    """The parts whose bodies are text."""
    return (part for part in walk(root) if not part.children and part.type in ("text", "message"))
