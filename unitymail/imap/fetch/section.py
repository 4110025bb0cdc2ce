"""Where a body section lies in a message (RFC 3501 6.4.5), and the names sections have on the wire.

Knows part numbers and header subsets; refuses to know how the octets are read or sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from unitymail.mail.headers import fields
from unitymail.mail.structure import Part, Structure, find_part

Which = Literal["", "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME"]
Range = tuple[int, int]


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
        return (0, len(buffer)) if section.which == "" else _of_message(buffer, structure().root, section)
    part = find_part(structure().root, section.numbers)
    if part is None:
        return None
    if section.which == "":
        return part.body, part.end
    if section.which == "MIME":
        return part.start, part.body
    # Behind a number HEADER and TEXT mean something for a message/rfc822 only.
    return _of_message(buffer, part.children[0], section) if part.is_message else None


def _of_message(buffer: Any, root: Part, section: Section) -> Range | bytes | None:
    if section.which == "HEADER":
        return root.start, root.body
    if section.which == "TEXT":
        return root.body, root.end
    wanted, negated = section.wanted, section.which == "HEADER.FIELDS.NOT"
    kept = [f.raw for f in fields(buffer, root.start, root.body) if (f.name.lower() in wanted) is not negated]
    return header_subset(kept)


def header_subset(kept: list[bytes]) -> bytes:
    """These raw fields with the empty line that RFC 3501 wants after every subset."""
    return b"".join([raw if raw.endswith(b"\n") else raw + b"\r\n" for raw in kept]) + b"\r\n"


def cut(start: int, end: int, partial: tuple[int, int] | None) -> Range:
    """The part of [start, end) that `<offset.length>` asks for: a short tail stays short, beyond it nothing."""
    if partial is None:
        return start, end
    first = min(start + partial[0], end)
    return first, min(first + partial[1], end)
