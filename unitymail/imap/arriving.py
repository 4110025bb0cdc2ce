"""One message of APPEND or REPLACE (`append-message` of RFC 4466): flags, date, and then its octets in some form.

The plain form is a literal. An extension adds others with `APPEND_DATA = {"CATENATE": receive}`, where
`receive(session, reader, uploads)` reads what stands behind the word and gives the reader of what follows it.
"""

from __future__ import annotations

from unitymail.imap.session import Session
from unitymail.imap.upload import Uploads, empty, no_target
from unitymail.imap.wire.lexer import Reader
from unitymail.interfaces.store import IFolder, NoSuchFolder


async def receive(session: Session, reader: Reader, uploads: Uploads) -> Reader:
    """Take the message in; the reader of what the client says after it."""
    flags: list[str] = []
    date = None
    if reader.peek() == b"(":
        flags = reader.flag_list()
        reader.space()
    if reader.peek() == b'"':
        date = reader.date_time()
        reader.space()
    uploads.begin(flags, date)
    for word, form in session.door.registry.gathered("APPEND_DATA").items():
        if reader.take(word.encode("ascii") + b" "):
            reader = await form(session, reader, uploads)
            break
    else:
        reader = await literal(session, reader, uploads, may_be_empty=False)
    uploads.whole()
    return reader


async def literal(session: Session, reader: Reader, uploads: Uploads, *, may_be_empty: bool = True) -> Reader:
    """A literal of any kind; the reader of what the client says after it."""
    announced = reader.announced()
    if not announced.size and not may_be_empty:
        raise empty()
    await uploads.receive(announced)
    return await session.client.continuation()


async def target_of(session: Session, name: str) -> IFolder:
    """The folder that messages are to go to; told before the client sends any of their octets."""
    try:
        folder: IFolder = await session.run(session.account.folder, name)
    except NoSuchFolder:
        raise no_target() from None
    return folder
