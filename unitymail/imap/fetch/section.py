"""Where a body section lies in a message (RFC 3501 6.4.5), and the names sections have on the wire.

Knows part numbers and header subsets; refuses to know how the octets are read or sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from unitymail.mail.headers import fields
from unitymail.mail.structure import Structure, find_part

Which = Literal["", "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME"]
Range = tuple[int, int]
_FIRST_LINE_BLANK = re.compile(rb"\r?\n")
_BLANK_LINE = re.compile(rb"\n\r?\n")


@dataclass(frozen=True, slots=True)
class Section:
    """What stands between `[` and `]`. `names` are header field names as the client spelt them."""

    numbers: tuple[int, ...] = ()
    which: Which = ""
    names: tuple[bytes, ...] = ()

    @property
    def wanted(self) -> frozenset[bytes]:
        return frozenset(name.lower() for name in self.names)


def locate(buffer: Any, structure: Callable[[], Structure], section: Section) -> Range | bytes | None:
    """The section as (start, end) in `buffer`, as octets where it is not contiguous, or None where there is none.

    `structure` is only called when the section needs it: the whole message needs no scan.
    """
    if not section.numbers:
        return (0, len(buffer)) if section.which == "" else _of_message(buffer, 0, *whole(buffer), section)
    part = find_part(structure().root, section.numbers)
    if part is None:
        return None
    if section.which == "":
        return part.body, part.end
    if section.which == "MIME":
        return part.start, part.body
    # Behind a number HEADER and TEXT mean something for a message/rfc822 only.
    if not part.is_message:
        return None
    inner = part.children[0]
    return _of_message(buffer, inner.start, inner.body, inner.end, section)


def whole(buffer: Any) -> Range:
    """(where the body begins, where it ends) of a message, as a scan would find them, without scanning the body."""
    found = _FIRST_LINE_BLANK.match(buffer) or _BLANK_LINE.search(buffer)
    return found.end() if found else len(buffer), len(buffer)


def _of_message(buffer: Any, start: int, body: int, end: int, section: Section) -> Range | bytes:
    if section.which == "HEADER":
        return start, body
    if section.which == "TEXT":
        return body, end
    wanted, negated = section.wanted, section.which == "HEADER.FIELDS.NOT"
    return header_subset([f.raw for f in fields(buffer, start, body) if (f.name.lower() in wanted) is not negated])


def header_subset(kept: list[bytes]) -> bytes:
    """These raw fields with the empty line that RFC 3501 wants after every subset."""
    return b"".join([raw if raw.endswith(b"\n") else raw + b"\r\n" for raw in kept]) + b"\r\n"


def cut(start: int, end: int, partial: tuple[int, int] | None) -> Range:
    """The part of [start, end) that `<offset.length>` asks for: a short tail stays short, beyond it nothing."""
    if partial is None:
        return start, end
    first = min(start + partial[0], end)
    return first, min(first + partial[1], end)
