"""STORE and UID STORE (RFC 3501 6.4.6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from unitymail.imap.chosen import are_gone, spans_of
from unitymail.imap.fetch.deliver import deliver
from unitymail.imap.fetch.items.view import FLAGS
from unitymail.imap.fetch.plan import planned
from unitymail.imap.reckoning import reckon
from unitymail.imap.registry import SELECTED, Bad, Done, command
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.imap.wire.sequence import gathered

if TYPE_CHECKING:
    from unitymail.imap.session import Session

Change = Literal["add", "remove", "replace"]
_ITEM = re.compile(rb"([+-]?)FLAGS(\.SILENT)?(?= )", re.IGNORECASE)
_RECENT = re.compile(rb"\\Recent(?![^ )])", re.IGNORECASE)
_CHANGES: dict[bytes, Change] = {b"+": "add", b"-": "remove", b"": "replace"}


@command("STORE", states=SELECTED, uid=True, holds_expunges=True)
async def store(session: Session, reader: Reader, *, by_uid: bool) -> Done:
    """As if a FETCH of the flags were done afterwards; .SILENT tells only what others changed meanwhile."""
    numbers = reader.sequence_set()
    reader.space()
    change, silent = _item(reader)
    reader.space()
    if _RECENT.search(reader.rest()):
        raise Bad("\\Recent cannot be changed")
    flags = reader.flags_until_end()
    folder = session.writable()
    spans = spans_of(session.view, numbers, by_uid=by_uid)
    uids = gathered(session.view.uids, spans)
    if not uids or (not flags and change != "replace"):
        return Done("STORE completed")
    before = session.folder.snapshot.serial
    await session.run(folder.store, uids, change, flags)
    if session.folder.snapshot.serial != before:
        session.doorbell.ring(session.account.id, session.folder.name)
    if silent:
        await reckon(session, len(uids), session.mark_silent, uids, change, flags)
    else:
        await reckon(session, len(uids), session.mark_silent, uids)
        session.tell_keywords()
        await deliver(session, planned((FLAGS,), by_uid=by_uid), spans)
    if await reckon(session, len(session.view), are_gone, session.folder.snapshot, session.view, uids):
        return Done("STORE completed, without messages that are expunged already", b"EXPUNGEISSUED")
    return Done("STORE completed")


def _item(reader: Reader) -> tuple[Change, bool]:
    found = _ITEM.match(reader.rest())
    if found is None:
        raise BadSyntax("STORE takes FLAGS, +FLAGS or -FLAGS, with or without .SILENT")
    reader.take(found.group())
    return _CHANGES[found.group(1)], found.group(2) is not None
