"""FETCH and UID FETCH (RFC 3501 6.4.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unitymail.imap.chosen import spans_of
from unitymail.imap.fetch.deliver import deliver
from unitymail.imap.fetch.grammar import attributes
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
    numbers = reader.sequence_set()
    reader.space()
    plan = planned(attributes(reader), by_uid=by_uid)
    reader.end()
    spans = spans_of(session.view, numbers, by_uid=by_uid)
    marked = await mark_seen(session, spans) if plan.sets_seen and not session.read_only else frozenset()
    gone = await deliver(session, plan, spans, shown=marked)
    if gone:
        return Done("FETCH completed, without messages that are expunged already", b"EXPUNGEISSUED")
    return Done("FETCH completed")


async def mark_seen(session: Session, spans: Sequence[Span]) -> frozenset[int]:
    r"""Give \Seen to the messages that lack it, all at once; their UIDs. The view knows of it afterwards.

    When the store cannot write (a full disk), reading mail goes on without it.
    """
    lacking = await reckon(session, len(session.view), unread, session.view, spans)
    if not lacking:
        return frozenset()
    try:
        await session.run(session.folder.store, lacking, "add", ["\\Seen"])
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
