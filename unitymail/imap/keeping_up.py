"""Keeping a client's view up with its folder: what is new is told, and believed told from then on.

Knows the order of things: who follows a session hears of a change before or after its client does. Refuses to know how
a difference is found and worded.
"""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from unitymail.imap.difference import Difference, diff, quietly, without_flags
from unitymail.imap.reckoning import reckon
from unitymail.imap.registry import Farewell
from unitymail.imap.telling import Manner, octets_of
from unitymail.imap.view import View
from unitymail.interfaces.store import IFolder, Snapshot

if TYPE_CHECKING:
    from unitymail.imap.session import Session


class Follower(Protocol):
    """Who wants to know what the client of a session is told of its folder (NOTIFY, live searches)."""

    def told(self, difference: Difference, view: View) -> Awaitable[None] | None:
        """Called after the changes were sent, with the view as it is then; may send more."""


def opened(folder: IFolder, read_only: bool, claiming: bool) -> tuple[View, int]:
    """The view of who opens a folder, and the number of the first unseen message. claiming: with \\Recent ones."""
    snapshot = folder.refresh()
    view = View(snapshot)
    if claiming:
        first, last = (folder.peek_recent(), snapshot.uidnext - 1) if read_only else folder.claim_recent()
        view.add_recent(first, last)
    return view, view.first_unseen()


async def tell(session: Session, snapshot: Snapshot, *, expunges: bool, asked: bool) -> None:
    """Send the difference between the view and `snapshot`; unless `asked`, without what NOTIFY declined."""
    view = session.view
    if not view.differs(snapshot, expunges=expunges):
        await _follow_searches(session)
        return
    if snapshot.uidvalidity != view.snapshot.uidvalidity:
        raise Farewell("The mailbox was made anew; please select it again")
    declining = None if asked else session.notifier
    if declining is not None and not declining.wants_messages:
        if view.snapshot.serial != snapshot.serial:
            view.become(await reckon(session, len(view), quietly, view, snapshot))
        return
    compare = partial(diff, expunges=expunges, modseqs=session.knows_modseq)
    told = await reckon(session, len(view), compare, view, snapshot)
    if declining is not None and not declining.wants_flags:
        told = without_flags(told)
    if told.exists is not None:
        await _claim_recent(session, snapshot)
    if session.live is not None:
        await session.live.leaving(session, told)
    view.become(told)
    much = len(told.expunged) + len(told.changed)
    session.send(await reckon(session, much, octets_of, told, view, session.manner))
    for follower in tuple(session.followers):
        waiting = follower.told(told, view)
        if waiting is not None:
            await waiting
    await _follow_searches(session)


async def _follow_searches(session: Session) -> None:
    if session.live is not None:
        await session.live.follow(session)


async def _claim_recent(session: Session, snapshot: Snapshot) -> None:
    if session.rev2:
        return
    if session.read_only:
        first = await session.run(session.folder.peek_recent)
        known = session.view.recent[-1][1] + 1 if session.view.recent else 0
        session.view.add_recent(max(first, known), snapshot.uidnext - 1)
    elif session.door.claims.worth_asking(session.folder, snapshot.uidnext):
        session.view.add_recent(*await session.run(session.folder.claim_recent))


def manner_of(session: Session) -> Manner:
    """How the client is to be told of changes."""
    aware = session.knows_modseq
    return Manner(
        read_only=session.read_only,
        # RFC 5465, 5.1: who is told between commands needs the UID.
        uid=session.by_uid or aware or session.rev2 or session.notifier is not None,
        modseq=aware,
        vanished=bool(session.enabled & {"QRESYNC", "UIDONLY"}),
        uid_only=session.uid_only,
        recent=not session.rev2,
    )
