"""REPLACE and UID REPLACE (RFC 8508): a new message in place of an old one, in one step that cannot be done by half.

As APPEND in everything that is said of the new message; the old one leaves in the same transaction, \\Deleted or not.
"""

from __future__ import annotations

import re

from unitymail.imap.agreement import settled
from unitymail.imap.arriving import receive, target_of
from unitymail.imap.chosen import uids_of
from unitymail.imap.notify.wish import NEW
from unitymail.imap.registry import SELECTED, Done, No, command
from unitymail.imap.session import Session
from unitymail.imap.upload import Uploads
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.interfaces.store import NoSuchMessage

CAPABILITIES = ("REPLACE",)
_ONE = re.compile(rb"(?:[1-9][0-9]*|\*) ")


@command("REPLACE", states=SELECTED, uid=True, uploads_after=2)
async def replace(session: Session, reader: Reader, *, by_uid: bool) -> Done:
    if _ONE.match(reader.rest()) is None:
        raise BadSyntax("One message can be replaced at a time")
    uids = uids_of(session.view, reader.sequence_set(), by_uid=by_uid)
    reader.space()
    name = reader.mailbox()
    reader.space()
    folder = session.writable()
    if not uids or settled(uids, (), folder.snapshot)[1]:
        raise _gone()
    target = await target_of(session, name)
    uploads = Uploads(session)
    try:
        reader = await receive(session, reader, uploads)
        reader.end()
        uid = await uploads.replace(folder, uids[0], target)
    except NoSuchMessage:
        raise _gone() from None
    finally:
        await uploads.end()
    session.caused(NEW, target.name, (uid,))
    for changed in {folder.name, target.name}:
        session.doorbell.ring(session.account.id, changed)
    session.journal.mailbox_changed(session.account.id, folder.name, "replace", 1)
    # RFC 8508 4.3: before the EXPUNGE, so that the client knows what takes the place of what goes.
    session.send(b"* OK [APPENDUID %d %d] Replacement message ready\r\n" % (target.snapshot.uidvalidity, uid))
    await session.catch_up(expunges=True, asked=True)
    return Done("REPLACE completed", session.modseq_code())


def _gone() -> No:
    return No("The message is not there any more; nothing was appended", b"EXPUNGEISSUED")
