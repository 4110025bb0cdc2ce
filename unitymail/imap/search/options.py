"""What a client wants to hear of a result: `RETURN (MIN COUNT)` (RFC 4731, 5182, 5267, 9394).

Knows the words and which of them exclude each other; refuses to know what was found.
"""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.imap.fetch.attribute import Item
from unitymail.imap.fetch.grammar import attributes
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.imap.wire.partial import Page, page


@dataclass(frozen=True, slots=True)
class ReturnOptions:
    """`CONTEXT` is a hint of which nothing is kept: what is asked again is computed again, from arrays in memory.

    `items`: what to fetch of messages that come to be in a result that is followed (RFC 5465, 7).
    """

    min: bool = False
    max: bool = False
    count: bool = False
    all: bool = False
    save: bool = False
    partial: Page | None = None
    update: bool = False
    context: bool = False
    items: tuple[Item, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether there is to be no ESEARCH response: only SAVE is asked for (RFC 5182, 2.1)."""
        return self == ReturnOptions(save=True, context=self.context)


EVERYTHING = ReturnOptions(all=True)
OPTIONS = frozenset({"MIN", "MAX", "COUNT", "ALL", "SAVE", "UPDATE", "CONTEXT"})


def search_return_options(reader: Reader) -> ReturnOptions | None:
    """`RETURN (…) ` before the arguments of a searching command, the space behind it included; None without it."""
    if not reader.take(b"RETURN "):
        return None
    reader.expect(b"(")
    words: set[str] = set()
    pages: list[Page] = []
    items: tuple[Item, ...] = ()
    while not reader.take(b")"):
        if words:
            reader.space()
        words.add(word := _option(reader, pages))
        if word == "UPDATE":
            items = _items(reader)
    reader.space()
    if not words:
        return EVERYTHING
    if "ALL" in words and pages:
        raise BadSyntax("RETURN takes ALL or PARTIAL, not both")
    return ReturnOptions(
        min="MIN" in words,
        max="MAX" in words,
        count="COUNT" in words,
        all="ALL" in words,
        save="SAVE" in words,
        partial=pages[0] if pages else None,
        update="UPDATE" in words,
        context="CONTEXT" in words,
        items=items,
    )


def _items(reader: Reader) -> tuple[Item, ...]:
    """` (UID FLAGS)`: the space is not in the RFC's grammar, but in its example."""
    if not reader.rest().startswith((b"(", b" (")):
        return ()
    reader.take(b" ")
    return attributes(reader)


def _option(reader: Reader, pages: list[Page]) -> str:
    word = reader.word()
    if word == "PARTIAL":
        if pages:
            raise BadSyntax("RETURN takes one PARTIAL")
        reader.space()
        pages.append(page(reader))
    elif word not in OPTIONS:
        raise BadSyntax(f"RETURN knows no {word[:40]}")
    return word
