"""What FETCH was asked for, arranged once so that each message costs one formatting and no decision.

Refuses to know where messages come from; `index_only` and `from_files` fill the plan in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from unitymail.imap.fetch.attribute import FromContent, FromIndex, FromView, Item
from unitymail.interfaces.store import Column

Row = tuple[Any, ...]
LINE_END = b")\r\n"
LONGEST_REMEMBERED = 500
"""Octets: what is asked for again and again is short, and one list of fields can be as long as a command."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`head` is the line's beginning, filled with (sequence, flags, uid, *columns).

    `flags` is the whole `FLAGS (...)`, `MODSEQ (...)` or both with the space behind it, or nothing. `shows_flags`: for
    every message; else only for those that the fetch itself marks \\Seen. `has_uid`: whether the template takes the
    UID. `uid_only`: the UID stands in the place of the sequence number (RFC 9586).
    """

    head: bytes
    shows_flags: bool
    shows_modseq: bool
    uid_only: bool
    has_uid: bool
    columns: tuple[Column, ...]
    converters: tuple[Callable[[Any], bytes] | None, ...]
    contents: tuple[FromContent, ...]
    sets_seen: bool

    @property
    def flags_follow(self) -> bytes:
        """What stands behind FLAGS: nothing when it is all there is."""
        return b" " if self.has_uid or self.columns or self.contents else b""

    def values(self, row: Row) -> Row:
        """A row of the store, as the template takes it."""
        if any(self.converters):
            made = (c(v) if c else v for c, v in zip(self.converters, row[1:], strict=True))
            row = (row[0], *made)
        return row if self.has_uid else row[1:]

    def heads(self, sequences: Iterable[int], flags: Iterable[bytes], rows: Sequence[Row]) -> list[bytes]:
        """The beginning of each message's line: all of it when no contents are asked for."""
        if not self.has_uid or any(self.converters):
            rows = list(map(self.values, rows))
        head = self.head
        return [head % (number, shown, *row) for number, shown, row in zip(sequences, flags, rows, strict=True)]


def planned(items: Iterable[Item], *, by_uid: bool, uid_only: bool = False) -> Plan:
    """UID FETCH answers with the UID whether it was asked for or not (RFC 3501 6.4.8), but in UIDFETCH it is there."""
    asked = tuple(items)
    labels = sum(len(item.label) for item in asked if not isinstance(item, FromView))
    return (_planned_again if labels <= LONGEST_REMEMBERED else _planned)(asked, by_uid, uid_only)


def _planned(asked: tuple[Item, ...], by_uid: bool, uid_only: bool) -> Plan:
    places = {item.place for item in asked if isinstance(item, FromView)}
    indexed = [item for item in asked if isinstance(item, FromIndex)]
    contents = tuple(item for item in asked if not isinstance(item, FromView | FromIndex))
    has_uid = (by_uid and not uid_only) or "uid" in places
    pieces = [b"UID %d"] if has_uid else []
    pieces += [_slot(item) for item in indexed]
    # Contents come behind the head; without any, the head is the whole line.
    behind = (b" " if pieces else b"") if contents else LINE_END
    head = (b"* %d UIDFETCH (%b" if uid_only else b"* %d FETCH (%b") + b" ".join(pieces) + behind
    return Plan(
        head=head,
        shows_flags="flags" in places,
        shows_modseq="modseq" in places,
        uid_only=uid_only,
        has_uid=has_uid,
        columns=tuple(item.column for item in indexed),
        converters=tuple(item.convert for item in indexed),
        contents=contents,
        sets_seen=any(item.sets_seen for item in asked),
    )


_planned_again = lru_cache(maxsize=256)(_planned)


def _slot(item: FromIndex) -> bytes:
    """`NAME %b` (`%d` for a size); the label comes from the client and may hold a `%`."""
    slot = b"%d" if item.column == "size" else b"%b"
    return item.label.replace(b"%", b"%%") + b" " + slot
