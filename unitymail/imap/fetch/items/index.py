"""INTERNALDATE, RFC822.SIZE, ENVELOPE, BODYSTRUCTURE and BODY without a section: rendered once, kept in the index."""

from __future__ import annotations

from unitymail.imap.fetch.attribute import FromIndex, Item, attribute
from unitymail.imap.fetch.nonextensible import body_of
from unitymail.imap.wire.lexer import Reader

INTERNALDATE = FromIndex(b"INTERNALDATE", "internaldate")
SIZE = FromIndex(b"RFC822.SIZE", "size")
ENVELOPE = FromIndex(b"ENVELOPE", "envelope")
BODYSTRUCTURE = FromIndex(b"BODYSTRUCTURE", "bodystructure")
BODY = FromIndex(b"BODY", "bodystructure", body_of)

_READY = {"INTERNALDATE": INTERNALDATE, "RFC822.SIZE": SIZE, "ENVELOPE": ENVELOPE, "BODYSTRUCTURE": BODYSTRUCTURE}


@attribute(*_READY)
def ready(reader: Reader, name: str) -> tuple[Item, ...]:
    return (_READY[name],)
