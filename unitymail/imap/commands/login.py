"""LOGIN (RFC 3501, 6.2.3): name and password as two strings of any form."""

from __future__ import annotations

from dataclasses import replace

from unitymail.imap.registry import NOT_SIGNED_IN, Capability, Done, command
from unitymail.imap.session import Session
from unitymail.imap.sign_in import offered, place_of, require_offered, sign_in
from unitymail.imap.wire.lexer import Reader

CAPABILITIES = (Capability("LOGINDISABLED", lambda session: session.account is None and not offered(session)),)


@command("LOGIN", states=NOT_SIGNED_IN)
async def login(session: Session, reader: Reader) -> Done:
    name = reader.astring()
    reader.space()
    password = reader.astring()
    reader.end()
    require_offered(session)
    place = replace(place_of(session), mechanism="LOGIN")
    return await sign_in(session, session.door.login.sign_in(name, password, place), "LOGIN")
