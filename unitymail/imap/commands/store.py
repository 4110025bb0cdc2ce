"""STORE and UID STORE (RFC 3501 6.4.6), conditional ones too (RFC 7162 3.1.3).

An extension adds a modifier with `STORE_MODIFIERS = {"UNCHANGEDSINCE": (reader) -> value}`.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitymail.imap.agreement import agreeing, settled
from unitymail.imap.chosen import named_uids
from unitymail.imap.expectation import Change
from unitymail.imap.fetch.attribute import Item
from unitymail.imap.fetch.deliver import deliver
from unitymail.imap.fetch.items.view import FLAGS, MODSEQ, UID
from unitymail.imap.fetch.plan import planned
from unitymail.imap.parameters import names_in
from unitymail.imap.reckoning import reckon
from unitymail.imap.registry import SELECTED, Bad, Done, No, command
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.imap.wire.sequence import SequenceSet, compressed

if TYPE_CHECKING:
    from unitymail.imap.session import Session

_ITEM = re.compile(rb"([+-]?)FLAGS(\.SILENT)?(?= )", re.IGNORECASE)
_RECENT = re.compile(rb"\\Recent(?![^ )])", re.IGNORECASE)
_CHANGES: dict[bytes, Change] = {b"+": "add", b"-": "remove", b"": "replace"}


@dataclass(frozen=True, slots=True)
class Wish:
    """The arguments of a STORE. `unchanged_since`: only where nothing has changed after that; None for anywhere."""

    numbers: SequenceSet
    change: Change
    silent: bool
    flags: list[str]
    unchanged_since: int | None

    @property
    def does_nothing(self) -> bool:
        # With UNCHANGEDSINCE it asks which messages were changed (RFC 7162, 3.1.3).
        return not self.flags and self.change != "replace" and self.unchanged_since is None


@command("STORE", states=SELECTED, uid=True, holds_expunges=True)
async def store(session: Session, reader: Reader, *, by_uid: bool) -> Done:
    """As if a FETCH of the flags were done afterwards; .SILENT tells only what others changed meanwhile."""
    wish = _wish(session, reader)
    folder = session.writable()
    if wish.unchanged_since is not None:
        session.learn_modseq()
    uids = await named_uids(session, wish.numbers, by_uid=by_uid)
    if not uids or wish.does_nothing:
        return Done("STORE completed")
    before = folder.snapshot.serial
    _, failed = await session.labour(folder.store, uids, wish.change, wish.flags, wish.unchanged_since)
    if folder.snapshot.serial != before:
        session.doorbell.ring(session.account.id, folder.name)
    done, gone = await reckon(session, len(uids), settled, uids, failed, folder.snapshot)
    await _tell(session, wish, done, by_uid=by_uid)
    return await _done(session, failed, gone=gone, by_uid=by_uid)


def _wish(session: Session, reader: Reader) -> Wish:
    numbers = reader.sequence_set()
    reader.space()
    modifiers = {}
    if reader.peek() == b"(":
        known = session.door.registry.gathered("STORE_MODIFIERS")
        for name in names_in(reader, known):
            modifiers[name] = known[name](reader)
        reader.space()
    change, silent = _item(reader)
    reader.space()
    if _RECENT.search(reader.rest()):
        raise Bad("\\Recent cannot be changed")
    return Wish(numbers, change, silent, reader.flags_until_end(), modifiers.get("UNCHANGEDSINCE"))


async def _tell(session: Session, wish: Wish, done: array[int], *, by_uid: bool) -> None:
    """What has become of the messages. Who knows of MODSEQs is told of them even by .SILENT (RFC 7162 3.1.3)."""
    how = (wish.change, wish.flags) if wish.silent else ()
    await reckon(session, len(done), session.mark_silent, done, *how)
    items: tuple[Item, ...] = () if wish.silent else (FLAGS,)
    if session.knows_modseq:
        items += (MODSEQ,) if session.uid_only else (UID, MODSEQ)
    if items:
        session.tell_keywords()
        snapshot = session.folder.snapshot
        spans = await reckon(session, len(session.view), agreeing, session.view, snapshot, done)
        await deliver(session, planned(items, by_uid=by_uid, uid_only=session.uid_only), spans)


async def _done(session: Session, failed: tuple[int, ...], *, gone: bool, by_uid: bool) -> Done:
    code = b""
    if failed:
        numbers = failed if by_uid else map(session.view.sequence_of, failed)
        code = b"MODIFIED %b" % await reckon(session, len(failed), compressed, numbers)
    if gone and failed and not by_uid:
        raise No("Some of the messages no longer exist", code)
    if failed:
        return Done("STORE completed, without messages that were changed meanwhile", code)
    if gone:
        return Done("STORE completed, without messages that are expunged already", b"EXPUNGEISSUED")
    return Done("STORE completed")


def _item(reader: Reader) -> tuple[Change, bool]:
    found = _ITEM.match(reader.rest())
    if found is None:
        raise BadSyntax("STORE takes FLAGS, +FLAGS or -FLAGS, with or without .SILENT")
    reader.take(found.group())
    return _CHANGES[found.group(1)], found.group(2) is not None
