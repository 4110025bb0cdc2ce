"""EMAILID and THREADID (RFC 8474): what stays with a message when it is copied and moved, and with its conversation."""

from __future__ import annotations

from unitymail.imap.fetch.attribute import FromIndex, Item, attribute
from unitymail.imap.wire.lexer import Reader


def _object_id(value: str) -> bytes:
    return b"(%b)" % value.encode("ascii")


_IDS = {
    "EMAILID": FromIndex(b"EMAILID", "emailid", _object_id),
    "THREADID": FromIndex(b"THREADID", "threadid", _object_id),
}


@attribute(*_IDS)
def object_id(reader: Reader, name: str) -> tuple[Item, ...]:
    return (_IDS[name],)
