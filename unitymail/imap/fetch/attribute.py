"""The kinds of thing FETCH can be asked for, and the register of their names.

An item knows where its value comes from: the session's view, the index, or the message's octets. It refuses to know how
many messages are asked for and when they are sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from unitymail.imap.letter import Extent, Letter
from unitymail.imap.wire.lexer import Reader
from unitymail.interfaces.store import Column

Piece = bytes | Extent


@dataclass(frozen=True, slots=True)
class FromView:
    """A value of the session's arrays."""

    place: Literal["uid", "flags", "modseq"]

    sets_seen = False


@dataclass(frozen=True, slots=True)
class FromIndex:
    """A column of the store's rows; `convert` makes it octets where it is not ready for the wire."""

    label: bytes
    column: Column
    convert: Callable[[Any], bytes] | None = None
    sets_seen: bool = False


@runtime_checkable
class FromContent(Protocol):
    """A value that needs the message's octets."""

    @property
    def label(self) -> bytes:
        """How the answer names it."""

    @property
    def sets_seen(self) -> bool:
        """Whether asking for it marks the message as read (RFC 3501 6.4.5)."""

    def pieces(self, letter: Letter) -> list[Piece]:
        """`NAME value` as octets and as stretches of the message too long to copy."""


Item = FromView | FromIndex | FromContent
Parser = Callable[[Reader, str], tuple[Item, ...]]

ATTRIBUTES: dict[str, Parser] = {}


def attribute(*names: str) -> Callable[[Parser], Parser]:
    """Register what reads the rest of an attribute after its name (upper case)."""

    def register(parser: Parser) -> Parser:
        ATTRIBUTES.update(dict.fromkeys(names, parser))
        return parser

    return register
