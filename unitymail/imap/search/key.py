"""The register of search keys, and what a key's own grammar may use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unitymail.imap.registry import No
from unitymail.imap.wire.lexer import MAX_NESTING, BadSyntax, Reader
from unitymail.mail.text import fold

MOST_KEYS = 250
CHARSETS = {"US-ASCII": "utf-8", "ASCII": "utf-8", "UTF-8": "utf-8"}
"""What we can read, and as what: UTF-8 says the same as US-ASCII, and more when a client forgets to say so."""


class Arguments:
    """The arguments of SEARCH behind its charset. Keys read theirs through it."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._count = 0
        self._depth = 0

    def text(self) -> str:
        """The next string, folded for comparison. What is not text cannot be found, and is no error."""
        self.reader.space()
        return fold(self.reader.astring().decode("utf-8", "surrogateescape"))

    def enter(self) -> None:
        """Count one more key, one level deeper."""
        self._count += 1
        self._depth += 1
        if self._count > MOST_KEYS:
            raise No(f"More than {MOST_KEYS} search keys", b"LIMIT")
        if self._depth > MAX_NESTING:
            raise BadSyntax(f"Search keys nested deeper than {MAX_NESTING}")

    def leave(self) -> None:
        self._depth -= 1


Parser = Callable[[Arguments, str], Any]
KEYS: dict[str, Parser] = {}


def key(*names: str) -> Callable[[Parser], Parser]:
    """Register what reads the rest of a key after its name (upper case)."""

    def register(parser: Parser) -> Parser:
        KEYS.update(dict.fromkeys(names, parser))
        return parser

    return register
