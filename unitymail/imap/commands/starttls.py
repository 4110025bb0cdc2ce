"""STARTTLS (RFC 3501, 6.2.1): on this port, before signing in, once."""

from __future__ import annotations

from unitymail.imap.registry import NOT_SIGNED_IN, Bad, Capability, Done, command
from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import Reader


def offered(session: Session) -> bool:
    return session.account is None and session.door.tls is not None and not session.client.tls


CAPABILITIES = (Capability("STARTTLS", offered),)


@command("STARTTLS", states=NOT_SIGNED_IN)
async def starttls(session: Session, reader: Reader) -> Done:
    reader.end()
    if session.client.tls:
        raise Bad("TLS is on already")
    if not offered(session):
        raise Bad("There is no TLS here")
    return Done("Begin TLS negotiation now", after=session.client.start_tls)
