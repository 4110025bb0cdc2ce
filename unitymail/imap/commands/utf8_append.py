"""APPEND of a message with UTF-8 in its header (RFC 6855, 4): `UTF8 (~{n})`, alone or as a part of CATENATE.

RFC 9755 has dropped this form, but clients of RFC 6855 must use it. What comes in the plain form is never refused for
octets above 127, whether UTF8=ACCEPT is enabled or not: those who move a mailbox here would lose old messages.
"""

from __future__ import annotations

from unitymail.imap.arriving import literal
from unitymail.imap.registry import No
from unitymail.imap.session import Session
from unitymail.imap.upload import Uploads
from unitymail.imap.wire.lexer import BadSyntax, Reader


async def utf8(session: Session, reader: Reader, uploads: Uploads) -> Reader:
    reader.expect(b"(")
    if not session.utf8:
        raise No("ENABLE UTF8=ACCEPT comes first", b"CANNOT")
    if reader.peek() != b"{" or not reader.is_binary():
        raise BadSyntax("Expected a literal like ~{20}")
    reader = await literal(session, reader, uploads)
    reader.expect(b")")
    return reader


APPEND_DATA = {"UTF8": utf8}
CATENATE_PARTS = {"UTF8": utf8}
