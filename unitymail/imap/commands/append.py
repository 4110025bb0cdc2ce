"""APPEND (RFC 3501, 6.3.11): a message from the client, streamed to disk in blocks, never held in memory.

Answers what can be answered before the message is sent: no such mailbox, too big, empty.
"""

from __future__ import annotations

from unitymail.imap.registry import Done, No, command
from unitymail.imap.session import Session
from unitymail.imap.upload import Upload
from unitymail.imap.wire.lexer import Reader
from unitymail.interfaces.errors import DISK_FULL
from unitymail.interfaces.store import IFolder, NoSuchFolder


@command("APPEND", uploads_after=1)
async def append(session: Session, reader: Reader) -> Done:
    name = reader.mailbox()
    reader.space()
    flags: list[str] = []
    date = None
    if reader.peek() == b"(":
        flags = reader.flag_list()
        reader.space()
    if reader.peek() == b'"':
        date = reader.date_time()
        reader.space()
    announced = reader.announced()
    reader.end()
    folder = await _target(session, name)
    if announced.size == 0:
        raise No("An empty message cannot be kept", b"CANNOT")
    if session.door.free() <= announced.size:
        raise No(DISK_FULL.text, b"UNAVAILABLE")
    upload = Upload(session)
    try:
        await upload.receive(announced)
        (await session.client.continuation()).end()
        uid = await upload.into(folder, flags, date)
    finally:
        await upload.end()
    session.doorbell.ring(session.account.id, folder.name)
    session.journal.mailbox_changed(session.account.id, folder.name, "appended", 1)
    return Done("APPEND completed", b"APPENDUID %d %d" % (folder.snapshot.uidvalidity, uid))


async def _target(session: Session, name: str) -> IFolder:
    try:
        folder: IFolder = await session.run(session.account.folder, name)
    except NoSuchFolder:
        raise No("There is no such mailbox", b"TRYCREATE") from None
    return folder
