"""Header fields exactly as stored (order, repeats, case, folding, 8-bit) and how to read their bodies.

Knows where fields begin and end; refuses to change an octet. Nothing raises, everything is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from unitymail.mail.encoded_words import decode
from unitymail.mail.lexical import LONGEST_FIELD, LONGEST_HEADER
from unitymail.mail.mailboxes import Mailbox, addresses, entries
from unitymail.mail.part import Octets, Part

__all__ = ["FIELD", "Field", "Mailbox", "addresses", "decode", "entries", "fields", "first", "readable"]

FIELD = re.compile(rb"(?!\r?\n)(?:([!-9;-~\x80-\xff]++)[ \t]*+:)?[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z)")
"""One field with its folding and line end; group 1 is its name, None for a line that is no field."""

_PARTED = re.compile(
    rb"((?!\r?\n)(?:([!-9;-~\x80-\xff]++)[ \t]*+:)?([^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z)))"
)
"""As `FIELD`; the groups are the whole field, its name and its body."""


class Field(NamedTuple):
    """`name` as written, b"" for a line that is no field. `raw` is the whole field: name, folding and line end."""

    name: bytes
    raw: bytes

    @property
    def value(self) -> bytes:
        """The field body as stored, behind the colon."""
        return self.raw.partition(b":")[2] if self.name else self.raw


def parted_fields(header: bytes) -> Iterable[tuple[bytes, bytes, bytes]]:
    """(the whole field, its name, its body) of each; the name of a line that is no field is b"".

    Of a header that is too long to be held twice, one after the other.
    """
    if len(header) <= LONGEST_HEADER:
        return _PARTED.findall(header)
    return ((found[1], found[2] or b"", found[3]) for found in _PARTED.finditer(header))


def fields(buffer: Octets, start: int, end: int) -> list[Field]:
    """The fields between two offsets, the blank line left out; their `raw` joined is the header's octets.

    `fields(buffer, part.start, part.body)` is a part's own header: of a message/rfc822 not that of the message inside.
    """
    return [Field(found[1] or b"", found[0]) for found in FIELD.finditer(buffer[start:end]) if found[0]]


def readable(buffer: Octets, part: Part) -> Iterator[tuple[bytes, bytes]]:
    """(name in lower case, body) of the fields that are interpreted: all but what is beyond the limits of a header."""
    end = min(part.body, part.start + LONGEST_HEADER + 2 * LONGEST_FIELD)
    for found in FIELD.finditer(buffer[part.start:end]):
        if found.start() >= LONGEST_HEADER:
            return
        if found[1] is not None:
            yield found[1].lower(), found[0].partition(b":")[2]


@lru_cache(maxsize=128)
def _named(name: bytes) -> re.Pattern[bytes]:
    return re.compile(
        rb"(?:\A|\n)(?i:" + re.escape(name) + rb")[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)"
    )


def first(buffer: Octets, part: Part, name: bytes) -> bytes | None:
    """The body, as stored, of the first field of that name (any case) in a part's header; None when there is none."""
    found = _named(name).search(buffer[part.start:part.body])
    return found[1] if found else None
