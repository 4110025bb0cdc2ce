"""NAMESPACE (RFC 2342): where names begin. There is one namespace, the user's own, without a prefix."""

from __future__ import annotations

from unitymail.imap.registry import Done, command
from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import Reader

CAPABILITIES = ("NAMESPACE",)


@command("NAMESPACE")
async def namespace(session: Session, reader: Reader) -> Done:
    reader.end()
    session.send(b'* NAMESPACE (("" "/")) NIL NIL\r\n')
    return Done("NAMESPACE completed")
