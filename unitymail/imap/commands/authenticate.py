"""AUTHENTICATE (RFC 3501, 6.2.2) with an initial response (RFC 4959)."""

from __future__ import annotations

from functools import partial

from unitymail.imap.registry import NOT_SIGNED_IN, Capability, Done, No, command
from unitymail.imap.sasl import converse
from unitymail.imap.session import Session
from unitymail.imap.sign_in import offered, place_of, require_offered, sign_in
from unitymail.imap.wire.lexer import Reader
from unitymail.policy.sasl import MECHANISMS, begin, mechanisms


def _offered_now(name: str, session: Session) -> bool:
    return session.account is None and offered(session) and name in mechanisms(session.site)


CAPABILITIES = ("SASL-IR", *(Capability(f"AUTH={name}", partial(_offered_now, name)) for name in MECHANISMS))


@command("AUTHENTICATE", states=NOT_SIGNED_IN)
async def authenticate(session: Session, reader: Reader) -> Done:
    name = reader.atom().upper()
    initial = None
    if reader.take(b" "):
        initial = reader.rest()
    exchange = begin(name, session.door.login, place_of(session), session.site)
    if exchange is None:
        raise No(f"There is no mechanism {name[:40]}", b"CANNOT")
    require_offered(session)

    async def ask(challenge: bytes) -> bytes:
        session.client.ask(challenge)
        return await session.client.line()

    return await sign_in(session, converse(exchange, initial, ask), "AUTHENTICATE")
