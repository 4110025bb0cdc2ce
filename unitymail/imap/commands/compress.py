"""COMPRESS=DEFLATE (RFC 4978): commands and responses are compressed, before TLS encrypts them.

After signing in: its memory is for those we know. TLS itself compresses nothing here.
"""

from __future__ import annotations

from unitymail.imap.registry import Bad, Capability, Done, No, command
from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import Reader


def offered(session: Session) -> bool:
    return session.account is not None and not session.client.outlet.squeezes


CAPABILITIES = (Capability("COMPRESS=DEFLATE", offered),)


@command("COMPRESS")
async def compress(session: Session, reader: Reader) -> Done:
    mechanism = reader.atom().upper()
    reader.end()
    if mechanism != "DEFLATE":
        raise Bad("The only compression here is DEFLATE")
    if session.client.outlet.squeezes:
        raise No("DEFLATE is active already", b"COMPRESSIONACTIVE")
    return Done("DEFLATE active", after=session.client.compress)
