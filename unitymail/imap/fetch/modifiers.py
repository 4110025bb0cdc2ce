"""What a FETCH asks for as a whole: which messages, what of them, and what its modifiers make of that (RFC 4466, 2.4).

An extension adds a modifier with `FETCH_MODIFIERS = {"CHANGEDSINCE": (reader) -> Modifier}` in its command module.
Refuses to know any of them by name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from unitymail.imap.fetch.attribute import Item
from unitymail.imap.parameters import names_in
from unitymail.imap.view import View
from unitymail.imap.wire.lexer import Reader
from unitymail.imap.wire.sequence import SequenceSet, Span

if TYPE_CHECKING:
    from unitymail.imap.session import Session


@dataclass(slots=True)
class Asked:
    """The arguments of a FETCH; `modifiers` by name, as written."""

    numbers: SequenceSet
    items: tuple[Item, ...]
    by_uid: bool
    modifiers: dict[str, Modifier] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Modifier:
    """What stands behind the name is `value`.

    check: may refuse the command, which has had no effect yet. prepare: before the messages named are looked up.
    narrow: the spans of the view that are left; with `last` it comes after those of other modifiers. items: are told
    besides what was asked for.
    """

    value: Any = None
    check: Callable[[Session, Asked], None] | None = None
    prepare: Callable[[Session, Asked], Awaitable[None]] | None = None
    narrow: Callable[[View, list[Span]], list[Span]] | None = None
    last: bool = False
    items: tuple[Item, ...] = ()


def read_modifiers(reader: Reader, known: Mapping[str, Callable[[Reader], Modifier]], asked: Asked) -> None:
    """The list behind the attributes, if there is one."""
    for name in names_in(reader, known):
        asked.modifiers[name] = known[name](reader)
