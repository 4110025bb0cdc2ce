"""The words of one message as SEARCH compares them: decoded, folded, made when first asked for.

Knows each part once; refuses to know which parts there are to look into (`mail.searchable`), and what for.
"""

from __future__ import annotations

from collections.abc import Iterator

from unitymail.imap.letter import Letter
from unitymail.mail.headers import decode, fields
from unitymail.mail.searchable import enclosed_of, header_text, headers_of, texts_of
from unitymail.mail.structure import Part
from unitymail.mail.text import body_text, fold


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
        return any(needle in self._header(part) for part in headers_of(root))

    def _body_texts(self) -> Iterator[str]:
        root = self._letter.structure().root
        yield from map(self._header, enclosed_of(root))
        yield from map(self._text, texts_of(root))

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
