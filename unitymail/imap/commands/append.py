"""APPEND (RFC 3501, 6.3.11) of one message, or of several as one (MULTIAPPEND, RFC 3502): streamed to disk in blocks.

Answers what can be answered before a message is sent: no such mailbox, too big, empty. All messages are there once OK
is said; when anything is wrong with one of them, none is.
"""

from __future__ import annotations

from unitymail.imap.arriving import receive, target_of
from unitymail.imap.notify.wish import NEW
from unitymail.imap.registry import Done, command
from unitymail.imap.session import Session
from unitymail.imap.upload import Uploads
from unitymail.imap.wire.lexer import Reader
from unitymail.imap.wire.sequence import compressed

CAPABILITIES = ("MULTIAPPEND",)


@command("APPEND", uploads_after=1)
async def append(session: Session, reader: Reader) -> Done:
    name = reader.mailbox()
    reader.space()
    if name != session.appended_to:  # a client that fills a folder is not asked to wait for this each time
        session.appended_to = (await target_of(session, name)).name
    uploads = Uploads(session)
    try:
        more = True
        while more:
            reader = await receive(session, reader, uploads)
            separated = reader.take(b" ")
            reader.take(b" ")  # IMAPClient puts two before a message that has neither flags nor a date
            more = separated and not reader.at_end()
        reader.end()
        folder, uids = await uploads.into(name)
    finally:
        await uploads.end()
    session.caused(NEW, folder.name, uids)
    session.doorbell.ring(session.account.id, folder.name)
    session.journal.mailbox_changed(session.account.id, folder.name, "appended", len(uids))
    return Done("APPEND completed", b"APPENDUID %d %b" % (folder.snapshot.uidvalidity, compressed(uids)))
