"""The words of one message as SEARCH compares them: decoded, folded, made when first asked for.

Knows which parts are text; refuses to know what is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from unitymail.imap.letter import Letter
from unitymail.mail.headers import decode, fields
from unitymail.mail.structure import Part, walk
from unitymail.mail.text import body_text, fold

_FOLD = re.compile(rb"\r?\n[ \t]")


def header_text(header: bytes) -> str:
    """All fields of a header, unfolded and decoded, a line each."""
    if header.isascii() and b"=?" not in header:
        return _FOLD.sub(b" ", header).decode("ascii")
    return "\n".join(f"{f.name.decode('latin-1')}: {decode(f.value)}" for f in fields(header, 0, len(header)))


class Words:
    """Of a message that is open; each text is decoded once, whichever keys ask."""

    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        self._texts: dict[tuple[str, int], str] = {}

    def field(self, name: bytes) -> Iterator[str]:
        """The decoded, folded bodies of the fields of that name (lower case) in the message's own header."""
        root = self._letter.structure().root
        for found in fields(self._letter.buffer, root.start, root.body):
            if found.name.lower() == name:
                yield fold(decode(found.value))

    def in_body(self, needle: str) -> bool:
        """Whether a text part holds it, or the header of an enclosed message."""
        return any(needle in text for text in self._body_texts())

    def in_headers(self, needle: str) -> bool:
        """Whether the header holds it, the message's own or that of any part: names and bodies of fields."""
        root = self._letter.structure().root
        return any(needle in self._header(part) for part in walk(root))

    def _body_texts(self) -> Iterator[str]:
        for part in walk(self._letter.structure().root):
            if part.is_message:
                yield self._header(part.children[0])
            elif not part.children and part.type in ("text", "message"):
                yield self._text(part)

    def _header(self, part: Part) -> str:
        key = ("header", part.start)
        if key not in self._texts:
            self._texts[key] = fold(header_text(self._letter.buffer[part.start : part.body]))
        return self._texts[key]

    def _text(self, part: Part) -> str:
        key = ("text", part.body)
        if key not in self._texts:
            self._texts[key] = fold(body_text(self._letter.buffer, part))
        return self._texts[key]
