"""Keeping a client's view up with its folder: what is new is told, and believed told from then on.

Knows the order of things: who follows a session hears of a change before or after its client does. Refuses to know how
a difference is found and worded.
"""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from unitymail.imap.difference import Difference, diff, quietly, without_flags
from unitymail.imap.naming import is_renamed, tell_name
from unitymail.imap.reckoning import LITTLE, reckon
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
    if is_renamed(session):
        await tell_name(session)
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


def tell_at_once(session: Session) -> bool:
    """As `tell`, for one of many who are told the same (IDLE); whether it could be done in some microseconds.

    So it can when nobody follows the session, little has changed, and somebody else sees to \\Recent.
    """
    view, folder = session.view, session.folder
    snapshot, seen = folder.snapshot, view.snapshot
    if session.notifier is not None or session.live is not None or session.client.outlet.full or view.withheld:
        return False
    if is_renamed(session):
        return False
    if view.flags is not seen.flags or view.uids is not seen.uids or view.keywords is not seen.keywords:
        return False
    if snapshot.serial == seen.serial:
        return True
    if snapshot.uidvalidity != seen.uidvalidity or len(seen.uids) > LITTLE or len(snapshot.uids) > LITTLE:
        return False
    if snapshot.uidnext != seen.uidnext and _has_to_claim(session, snapshot):
        return False
    manner = session.manner
    key = (seen.serial, manner, tuple(view.recent), session.knows_modseq)

    def make() -> tuple[Difference, bytes]:
        told = diff(view, snapshot, expunges=True, modseqs=session.knows_modseq)
        view.become(told)
        return told, octets_of(told, view, manner)

    told, octets = session.door.alike.told(folder, snapshot.serial, key, make)
    if view.snapshot is not told.snapshot:
        view.become(told)
    if octets:
        session.send(octets)
    return True


def _has_to_claim(session: Session, snapshot: Snapshot) -> bool:
    if session.rev2:
        return False
    return session.read_only or not session.door.claims.all_claimed(session.folder, snapshot.uidnext)


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
