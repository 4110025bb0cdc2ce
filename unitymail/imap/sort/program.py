"""The sort program of SORT (RFC 5256, 3 and 5; RFC 5957): words in, criteria out.

Knows which column of the index each criterion compares; refuses to know how.
"""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.interfaces.store import Column

COLUMNS: dict[str, Column] = {
    "ARRIVAL": "date",
    "CC": "cc",
    "DATE": "sent",
    "DISPLAYFROM": "displayfrom",
    "DISPLAYTO": "displayto",
    "FROM": "from",
    "SIZE": "size",
    "SUBJECT": "subject",
    "TO": "to",
}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One column, ascending or, with `reverse`, descending."""

    column: Column
    reverse: bool = False


Program = tuple[Criterion, ...]
"""The most important criterion first; no column twice."""


def program(reader: Reader) -> Program:
    """`(REVERSE DATE SUBJECT)`. A criterion that was named before decides nothing, and is left out."""
    reader.expect(b"(")
    found: dict[Column, Criterion] = {}
    while True:
        one = _criterion(reader)
        found.setdefault(one.column, one)
        if reader.take(b")"):
            return tuple(found.values())
        reader.space()


def _criterion(reader: Reader) -> Criterion:
    name = reader.word()
    reverse = name == "REVERSE"
    if reverse:
        reader.space()
        name = reader.word()
    if name not in COLUMNS:
        raise BadSyntax(f"SORT knows no {name[:40]}")
    return Criterion(COLUMNS[name], reverse)
