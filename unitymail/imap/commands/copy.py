"""COPY and UID COPY (RFC 3501 6.4.7), with COPYUID (RFC 4315)."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitymail.imap.chosen import named_uids
from unitymail.imap.notify.wish import NEW
from unitymail.imap.reckoning import reckon
from unitymail.imap.registry import SELECTED, Done, No, command
from unitymail.imap.wire.lexer import Reader
from unitymail.imap.wire.sequence import compressed
from unitymail.interfaces.store import Copied, IAccount, IFolder, NoSuchFolder

if TYPE_CHECKING:
    from unitymail.imap.session import Session


@command("COPY", states=SELECTED, uid=True)
async def copy(session: Session, reader: Reader, *, by_uid: bool) -> Done:
    """All or nothing; the words at the end say which UIDs the copies have."""
    named = await arguments(session, reader, by_uid=by_uid)
    copied = await hand_over(session, named, moving=False)
    if not copied.sources:
        return nothing_done("COPY", named)
    return Done("COPY completed", await copy_uid(session, copied))


@dataclass(frozen=True, slots=True)
class Named:
    """What COPY or MOVE is asked for: messages, and the target's name.

    may_be_gone: they were named in a way that is right even when none of them is there.
    """

    uids: array[int]
    target: str
    may_be_gone: bool


async def arguments(session: Session, reader: Reader, *, by_uid: bool) -> Named:
    numbers = reader.sequence_set()
    reader.space()
    name = reader.mailbox()
    reader.end()
    return Named(await named_uids(session, numbers, by_uid=by_uid), name, by_uid or numbers.dollar)


def nothing_done(verb: str, named: Named) -> Done:
    """The end when no message is there.

    UIDs may be gone (RFC 3501 6.4.8), a saved result may be empty (RFC 5182 2.1); numbers were right when sent.
    """
    if named.may_be_gone:
        return Done(f"{verb} completed: no such messages")
    raise No("The messages are expunged already", b"EXPUNGEISSUED")


async def hand_over(session: Session, named: Named, *, moving: bool) -> Copied:
    """Copy or move to the folder of that name, and tell whoever listens."""
    name = named.target
    try:
        copied: Copied = await session.labour(
            _hand_over, session.account, session.folder, named.uids, name, moving
        )
    except NoSuchFolder as refusal:
        raise No("There is no such mailbox; create it first", b"TRYCREATE") from refusal
    if copied.sources:
        session.caused(NEW, name, copied.targets)
        account = session.account.id
        session.journal.mailbox_changed(account, name, "move" if moving else "copy", len(copied.sources))
        session.doorbell.ring(account, name)
        if moving and name != session.folder.name:
            session.doorbell.ring(account, session.folder.name)
    return copied


def _hand_over(account: IAccount, folder: IFolder, uids: array[int], name: str, moving: bool) -> Copied:
    target = account.folder(name)
    if not uids:
        return Copied(0, (), ())
    return folder.move(uids, target) if moving else folder.copy(uids, target)


async def copy_uid(session: Session, copied: Copied) -> bytes:
    """The response code: sources and targets in the same order, runs joined."""
    sources = await reckon(session, len(copied.sources), compressed, copied.sources)
    targets = await reckon(session, len(copied.targets), compressed, copied.targets)
    return b"COPYUID %d %b %b" % (copied.uidvalidity, sources, targets)
