"""AUTHENTICATE (RFC 3501, 6.2.2) with an initial response (RFC 4959)."""

from __future__ import annotations

from unitymail.imap import sasl
from unitymail.imap.registry import NOT_SIGNED_IN, Capability, Done, No, command
from unitymail.imap.session import Session
from unitymail.imap.sign_in import offered, require_offered, sign_in
from unitymail.imap.wire.lexer import Reader


def _offered_now(session: Session) -> bool:
    return session.account is None and offered(session)


CAPABILITIES = ("SASL-IR", *(Capability(f"AUTH={name}", _offered_now) for name in sasl.MECHANISMS))


@command("AUTHENTICATE", states=NOT_SIGNED_IN)
async def authenticate(session: Session, reader: Reader) -> Done:
    name = reader.atom().upper()
    initial = None
    if reader.take(b" "):
        initial = reader.rest()
    mechanism = sasl.MECHANISMS.get(name)
    if mechanism is None:
        raise No(f"There is no mechanism {name[:40]}", b"CANNOT")
    require_offered(session)

    async def ask(challenge: bytes) -> bytes:
        session.client.ask(sasl.encoded(challenge))
        return sasl.decoded(await session.client.line())

    who, password = await mechanism(None if initial is None else sasl.decoded(initial), ask)
    return await sign_in(session, who, password, "AUTHENTICATE")
