"""FETCH and UID FETCH (RFC 3501 6.4.5), with modifiers of other modules (see `fetch.modifiers`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unitymail.imap.chosen import named_spans
from unitymail.imap.fetch.attribute import Item
from unitymail.imap.fetch.deliver import deliver
from unitymail.imap.fetch.grammar import attributes
from unitymail.imap.fetch.items.view import MODSEQ, UID
from unitymail.imap.fetch.modifiers import Asked, read_modifiers
from unitymail.imap.fetch.plan import planned
from unitymail.imap.reckoning import reckon
from unitymail.imap.registry import SELECTED, Done, command
from unitymail.imap.view import View
from unitymail.imap.wire.lexer import Reader
from unitymail.imap.wire.sequence import Span, gathered
from unitymail.interfaces.errors import Trouble

if TYPE_CHECKING:
    from unitymail.imap.session import Session


@command("FETCH", states=SELECTED, uid=True, holds_expunges=True)
async def fetch(session: Session, reader: Reader, *, by_uid: bool) -> Done:
    """RFC 2180 4.1.2: messages that others expunged meanwhile are left out; the words at the end say so."""
    asked = _asked(session, reader, by_uid=by_uid)
    spans = await _messages(session, asked)
    if MODSEQ in asked.items:
        session.learn_modseq()
    plan = planned(_items(session, asked), by_uid=by_uid, uid_only=session.uid_only)
    believed = session.view.flags, session.view.modseqs
    marked = await mark_seen(session, spans) if plan.sets_seen and not session.read_only else frozenset()
    try:
        gone = await deliver(session, plan, spans, shown=marked)
    except Exception:
        # Some were not told that they are \Seen now: before the tagged NO all are.
        session.view.flags, session.view.modseqs = believed
        raise
    if gone:
        return Done("FETCH completed, without messages that are expunged already", b"EXPUNGEISSUED")
    return Done("FETCH completed")


def _asked(session: Session, reader: Reader, *, by_uid: bool) -> Asked:
    numbers = reader.sequence_set()
    reader.space()
    asked = Asked(numbers, attributes(reader), by_uid)
    if reader.take(b" ") and not reader.at_end():
        read_modifiers(reader, session.door.registry.gathered("FETCH_MODIFIERS"), asked)
    reader.end()
    for modifier in asked.modifiers.values():
        if modifier.check is not None:
            modifier.check(session, asked)
    return asked


async def _messages(session: Session, asked: Asked) -> list[Span]:
    for modifier in asked.modifiers.values():
        if modifier.prepare is not None:
            await modifier.prepare(session, asked)
    spans = await named_spans(session, asked.numbers, by_uid=asked.by_uid)
    for modifier in sorted(asked.modifiers.values(), key=lambda one: one.last):
        if modifier.narrow is not None:
            spans = await reckon(session, len(session.view), modifier.narrow, session.view, spans)
    return spans


def _items(session: Session, asked: Asked) -> tuple[Item, ...]:
    r"""A client that knows of MODSEQs is told of a \Seen that comes by itself with UID and MODSEQ (RFC 7162 3.2.4)."""
    items = dict.fromkeys((*asked.items, *(item for one in asked.modifiers.values() for item in one.items)))
    if session.knows_modseq and not session.uid_only and any(item.sets_seen for item in items):
        items[UID] = None
    return tuple(items)


async def mark_seen(session: Session, spans: Sequence[Span]) -> frozenset[int]:
    r"""Give \Seen to the messages that lack it, all at once; their UIDs. The view knows of it afterwards.

    When the store cannot write (a full disk), reading mail goes on without it.
    """
    lacking = await reckon(session, len(session.view), unread, session.view, spans)
    if not lacking:
        return frozenset()
    try:
        await session.labour(session.folder.store, lacking, "add", ["\\Seen"])
    except Trouble as trouble:
        session.journal.trouble("marking fetched messages as read", trouble)
        return frozenset()
    await reckon(session, len(lacking), session.mark_silent, lacking)
    session.doorbell.ring(session.account.id, session.folder.name)
    return frozenset(lacking)


def unread(view: View, spans: Sequence[Span]) -> list[int]:
    r"""The UIDs in these spans that lack \Seen."""
    uids, flags = gathered(view.uids, list(spans)), gathered(view.flags, list(spans))
    lacking = {at for at in set(flags) if "\\Seen" not in view.combinations[at]}
    return [uid for uid, at in zip(uids, flags, strict=True) if at in lacking] if lacking else []
