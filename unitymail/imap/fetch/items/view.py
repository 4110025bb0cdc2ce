"""UID and FLAGS: what the session's own view holds."""

from __future__ import annotations

from unitymail.imap.fetch.attribute import FromView, Item, attribute
from unitymail.imap.wire.lexer import Reader

UID = FromView("uid")
FLAGS = FromView("flags")


@attribute("UID")
def uid(reader: Reader, name: str) -> tuple[Item, ...]:
    return (UID,)


@attribute("FLAGS")
def flags(reader: Reader, name: str) -> tuple[Item, ...]:
    return (FLAGS,)
