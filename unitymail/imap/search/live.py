"""Searches whose results the client follows (RFC 5267, 4.3): what comes to match, and what ceases to.

Knows which messages matched before; refuses to know how they are looked at (``evaluate``) and when a session may speak.

*Note: order.* Numbers that leave are told before EXPUNGE makes them invalid (4.3.4), numbers that come after EXISTS has
made them valid (4.3.3). So a session calls `leaving` before it tells a difference and `follow` after it, and `follow`
also when there was none: what the client's own STORE did is a difference to nobody but its searches.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from unitymail.imap.difference import Difference, changed_indexes, without
from unitymail.imap.fetch.attribute import Item
from unitymail.imap.fetch.deliver import deliver
from unitymail.imap.fetch.plan import Plan, planned
from unitymail.imap.letter import Letters
from unitymail.imap.reckoning import reckon
from unitymail.imap.registry import Bad, No
from unitymail.imap.search import mask
from unitymail.imap.search.evaluate import search
from unitymail.imap.search.found import Matches
from unitymail.imap.search.pinned import ages, follows_flags, pinned
from unitymail.imap.search.tree import Key
from unitymail.imap.view import View
from unitymail.imap.wire import response

if TYPE_CHECKING:
    from unitymail.imap.session import Session

MOST = 8
"""Searches that a client can follow at once; each costs a bit a message."""


@dataclass(slots=True)
class Live:
    """One of them. `correlator` is what stands in the parentheses of its responses, `found` a mask over the view.

    `plan` says what to fetch of new messages that match (RFC 5465, 7); of those that match by their flags nothing is.
    """

    correlator: bytes
    tree: Key
    found: int
    by_uid: bool
    flags_count: bool
    plan: Plan | None = None

    def gone(self, view: View, gone: Sequence[int]) -> bytes:
        """Forget the messages at the indexes `gone` of the view; the response that says so."""
        going = self.found & mask.from_indexes(gone, len(view))
        self.found = mask.without(self.found, gone)
        return self._update(view, b"REMOVEFROM", going)

    def changed(self, view: View, looked_at: int, matching: int) -> bytes:
        """Of those `looked_at` these are `matching` now; the responses that say what is new about that."""
        going, coming = self.found & looked_at & ~matching, matching & ~self.found
        self.found = self.found & ~going | coming
        return self._update(view, b"REMOVEFROM", going) + self._update(view, b"ADDTO", coming)

    def _update(self, view: View, item: bytes, messages: int) -> bytes:
        if not messages:
            return b""
        uid = b" UID" if self.by_uid else b""
        listed = Matches(messages).set_octets(view, by_uid=self.by_uid)
        return b"* ESEARCH (%b)%b %b (0 %b)\r\n" % (self.correlator, uid, item, listed)


class LiveSearches:
    """Those of one selected folder, by tag."""

    def __init__(self, view: View) -> None:
        self.by_tag: dict[bytes, Live] = {}
        self._view = view
        self._modseqs = view.modseqs

    async def leaving(self, session: Session, told: Difference) -> None:
        """The session is about to tell that messages are gone, and still has its old view."""
        if not told.expunged:
            return
        gone = [number - 1 for number in reversed(told.expunged)]
        for live in tuple(self.by_tag.values()):
            session.send(await reckon(session, len(self._view), live.gone, self._view, gone))
        self._modseqs = await reckon(session, len(self._view), without, self._modseqs, gone)

    async def follow(self, session: Session) -> None:
        """Look at what has come and what has changed since the last time."""
        view = self._view
        if view.modseqs is self._modseqs or not self.by_tag:
            self._modseqs = view.modseqs
            return
        known = len(self._modseqs)
        changed = await reckon(session, len(view), changed_indexes, self._modseqs, view.modseqs)
        came = list(range(known, len(view)))
        for live in tuple(self.by_tag.values()):
            indexes = changed + came if live.flags_count else came
            if indexes:
                await self._look(session, live, indexes, known)
        self._modseqs = view.modseqs

    async def _look(self, session: Session, live: Live, indexes: Sequence[int], known: int) -> None:
        view = self._view
        part = await reckon(session, len(indexes), part_of, view, indexes)
        letters = Letters(session.door.store, session.account.id, session.folder, remembering=False)
        found = await search(live.tree, part, session.folder, session.run, letters)
        matching = mask.from_indexes(mask.chosen(found, indexes), len(view))
        looked_at = mask.from_indexes(indexes, len(view))
        if live.plan is not None and (new := matching >> known << known):
            with suppress(No):  # an encoding that nobody knows: the message is left out
                await deliver(session, live.plan, mask.spans(new))
        session.send(await reckon(session, len(view), live.changed, view, looked_at, matching))
        await session.drained()


def part_of(view: View, indexes: Sequence[int]) -> View:
    """A view of some messages only (ascending indexes). Their sequence numbers are not those that the client knows."""
    uids, flags, modseqs = (
        array(numbers.typecode, map(numbers.__getitem__, indexes)) for numbers in (view.uids, view.flags, view.modseqs)
    )
    snapshot = replace(view.snapshot, uids=uids, flags=flags, modseqs=modseqs, combinations=view.combinations)
    return View(snapshot, view.recent)


def expect_new_tag(session: Session) -> None:
    """A tag names a search that is followed until its end (RFC 5267, 4.3)."""
    if session.live is not None and session.tag in session.live.by_tag:
        raise Bad("A search with this tag is followed already; please use each tag once")


def begin(
    session: Session, tree: Key, found: int, *, by_uid: bool, correlator: bytes, items: Sequence[Item] = ()
) -> None:
    """Follow the search that the running command has made; or say that this is refused, which leaves its result."""
    if session.live is None:
        session.live = LiveSearches(session.view)
    if len(session.live.by_tag) >= MOST:
        refuse(session, f"{MOST} searches are followed already; cancel one of them")
    elif ages(tree):
        refuse(session, "Results that change as time goes by cannot be followed")
    else:
        tree = pinned(tree, session.view)
        plan = planned(items, by_uid=by_uid, uid_only=session.uid_only) if items else None
        if plan is not None and plan.shows_modseq:
            session.learn_modseq()
        session.live.by_tag[session.tag] = Live(correlator, tree, found, by_uid, follows_flags(tree), plan)


def refuse(session: Session, why: str) -> None:
    """The command goes on without updates (RFC 5267, 4.3.1)."""
    session.send(b"* NO [NOUPDATE %b] %b\r\n" % (response.quoted(session.tag), response.text(why)))


