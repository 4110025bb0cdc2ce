"""CAPABILITY, NOOP and LOGOUT (RFC 3501, 6.1), and the words for what the framing itself can do."""

from __future__ import annotations

from unitymail.imap.registry import ANYWHERE, Done, command
from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import Reader

CAPABILITIES = ("IMAP4rev1", "LITERAL+")


@command("CAPABILITY", states=ANYWHERE)
async def capability(session: Session, reader: Reader) -> Done:
    reader.end()
    session.send(b"* %b\r\n" % session.capabilities())
    return Done("CAPABILITY completed")


@command("NOOP", states=ANYWHERE, polls=True)
async def noop(session: Session, reader: Reader) -> Done:
    reader.end()
    return Done("NOOP completed")


@command("LOGOUT", states=ANYWHERE)
async def logout(session: Session, reader: Reader) -> Done:
    reader.end()
    session.deselect()
    session.send(b"* BYE Until next time\r\n")
    return Done("LOGOUT completed", after=session.client.close)
