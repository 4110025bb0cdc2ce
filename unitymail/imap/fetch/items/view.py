"""UID, FLAGS and MODSEQ (RFC 7162, 3.1.4.2): what the session's own view holds."""

from __future__ import annotations

from unitymail.imap.fetch.attribute import FromView, Item, attribute
from unitymail.imap.wire.lexer import Reader

UID = FromView("uid")
FLAGS = FromView("flags")
MODSEQ = FromView("modseq")


@attribute("UID")
def uid(reader: Reader, name: str) -> tuple[Item, ...]:
    return (UID,)


@attribute("MODSEQ")
def modseq(reader: Reader, name: str) -> tuple[Item, ...]:
    return (MODSEQ,)


@attribute("FLAGS")
def flags(reader: Reader, name: str) -> tuple[Item, ...]:
    return (FLAGS,)
