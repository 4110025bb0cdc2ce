"""What a client wants to hear of a result: `RETURN (MIN COUNT)` (RFC 4731, 5182, 5267, 9394).

Knows the words and which of them exclude each other; refuses to know what was found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.imap.wire.partial import Page, page


@dataclass(frozen=True, slots=True)
class ReturnOptions:
    """`CONTEXT` is a hint of which nothing is kept: what is asked again is computed again, from arrays in memory."""

    min: bool = False
    max: bool = False
    count: bool = False
    all: bool = False
    save: bool = False
    partial: Page | None = None
    update: bool = False
    context: bool = False

    @property
    def silent(self) -> bool:
        """Whether there is to be no ESEARCH response: only SAVE is asked for (RFC 5182, 2.1)."""
        return self == ReturnOptions(save=True, context=self.context)


EVERYTHING = ReturnOptions(all=True)


def search_return_options(reader: Reader) -> ReturnOptions | None:
    """`RETURN (…) ` before the arguments of a searching command, the space behind it included; None without it."""
    if not reader.take(b"RETURN "):
        return None
    reader.expect(b"(")
    if reader.take(b")"):
        found = EVERYTHING
    else:
        found = _with_one(ReturnOptions(), reader)
        while not reader.take(b")"):
            reader.space()
            found = _with_one(found, reader)
    reader.space()
    return found


def _with_one(known: ReturnOptions, reader: Reader) -> ReturnOptions:
    word = reader.word().lower()
    if word == "partial":
        reader.space()
        if known.partial is not None:
            raise BadSyntax("RETURN takes one PARTIAL")
        known = replace(known, partial=page(reader))
    elif word in ("min", "max", "count", "all", "save", "update", "context"):
        known = replace(known, **{word: True})
    else:
        raise BadSyntax(f"RETURN knows no {word.upper()[:40]}")
    if known.all and known.partial is not None:
        raise BadSyntax("RETURN takes ALL or PARTIAL, not both")
    return known
