"""PREVIEW (RFC 8970): the first words of a message, made when first asked for and kept.

With `(LAZY)` only those that are kept already; NIL says that asking without it will get them.
"""

from __future__ import annotations

import re

from unitymail.imap.fetch.attribute import FromIndex, Item, attribute
from unitymail.imap.wire import response
from unitymail.imap.wire.lexer import Reader

_LAZY = re.compile(rb" \(LAZY(?: LAZY)*\)", re.IGNORECASE)


def _wording(preview: str | int) -> bytes:
    return response.nstring(preview.encode() if isinstance(preview, str) else None)


PREVIEW = FromIndex(b"PREVIEW", "preview", _wording)
LAZY = FromIndex(b"PREVIEW", "lazypreview", _wording)


@attribute("PREVIEW")
def preview(reader: Reader, name: str) -> tuple[Item, ...]:
    # Another list may follow: without this word it is one of FETCH's own modifiers (RFC 4466 2.4).
    lazy = _LAZY.match(reader.rest())
    if lazy is None:
        return (PREVIEW,)
    reader.take(b" ")
    reader.expect(b"(")
    reader.take(lazy.group()[2:-1])
    reader.expect(b")")
    return (LAZY,)
