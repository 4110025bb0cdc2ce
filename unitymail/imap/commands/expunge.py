r"""EXPUNGE (RFC 3501 6.4.3) and UID EXPUNGE (RFC 4315): messages marked \Deleted leave."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING

from unitymail.imap.chosen import named_uids
from unitymail.imap.registry import SELECTED, Done, command
from unitymail.imap.wire.lexer import Reader
from unitymail.interfaces.store import IFolder

if TYPE_CHECKING:
    from unitymail.imap.session import Session

CAPABILITIES = ("UIDPLUS",)


@command("EXPUNGE", states=SELECTED, uid=True, by_number=False)
async def expunge(session: Session, reader: Reader, *, by_uid: bool) -> Done:
    """With UID, only of the messages named; the UIDs named need not be there.

    A client that counts changes hears at the end up to which it knows all (RFC 7162, 3.2.7), never of one it was not
    told of; CLOSE, which tells of nothing, says no such thing (3.2.8).
    """
    uids = await named_uids(session, reader.sequence_set(), by_uid=True) if by_uid else None
    reader.end()
    session.writable()
    await expunge_marked(session, uids)
    await session.catch_up(expunges=True, asked=True)
    return Done("EXPUNGE completed", session.modseq_code())


async def expunge_marked(session: Session, uids: array[int] | None = None) -> None:
    """Of these UIDs or of all, and tell whoever listens; not the client itself."""
    folder = session.folder
    gone = await session.labour(_expunge, folder, uids)
    if gone:
        session.journal.mailbox_changed(session.account.id, folder.name, "expunge", gone)
        session.doorbell.ring(session.account.id, folder.name)


def _expunge(folder: IFolder, uids: array[int] | None) -> int:
    """How many left. UIDs ascend and new ones are higher, so that those that stayed need only be counted."""
    before = folder.snapshot.uids
    after = folder.expunge(uids).uids
    return len(before) - bisect_right(after, before[-1]) if before else 0
