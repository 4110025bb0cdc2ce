"""QRESYNC (RFC 7162, 3.2): a client that comes back is told what changed and what left, in one round trip.

Once enabled, VANISHED takes the place of EXPUNGE for the rest of the connection (see `session.manner`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitymail.imap import resync
from unitymail.imap.commands.condstore import changed_after, modseq
from unitymail.imap.fetch.deliver import deliver
from unitymail.imap.fetch.items.view import FLAGS, MODSEQ
from unitymail.imap.fetch.modifiers import Asked, Modifier
from unitymail.imap.fetch.plan import planned
from unitymail.imap.reckoning import reckon
from unitymail.imap.registry import Bad
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.imap.wire.sequence import SequenceSet, Span

if TYPE_CHECKING:
    from unitymail.imap.commands.select import Opened
    from unitymail.imap.session import Session
    from unitymail.imap.view import View

ALL = SequenceSet(((1, 2**32 - 1),))
NOT_ENABLED = "Please ENABLE QRESYNC first"


@dataclass(frozen=True, slots=True)
class Known:
    """What the client says it knows of the folder. `numbers` and `at_numbers` belong together, one by one."""

    uidvalidity: int
    modseq: int
    uids: SequenceSet = ALL
    numbers: SequenceSet | None = None
    at_numbers: SequenceSet | None = None


def enable(session: Session) -> None:
    session.learn_modseq()


async def selected(session: Session, reader: Reader) -> Opened:
    """SELECT (QRESYNC (uidvalidity modseq [known-uids [(numbers uids)]]))"""
    if "QRESYNC" not in session.enabled:
        raise Bad(NOT_ENABLED)
    reader.space()
    known = read_known(reader)
    if known.numbers is not None and session.uid_only:
        raise Bad("Messages are named by UID here; please leave the sequence numbers out", b"UIDREQUIRED")

    async def opened(session: Session) -> None:
        if known.uidvalidity == session.view.snapshot.uidvalidity:
            await _tell(session, known)

    return opened


def read_known(reader: Reader) -> Known:
    reader.expect(b"(")
    uidvalidity = reader.number(low=1)
    reader.space()
    since = modseq(reader)
    uids, numbers, at_numbers = ALL, None, None
    if reader.take(b" "):
        if reader.peek() != b"(":
            uids = _set(reader)
            more = reader.take(b" ")
        else:
            more = True
        if more:
            numbers, at_numbers = _matches(reader)
    reader.expect(b")")
    return Known(uidvalidity, since, uids, numbers, at_numbers)


def _matches(reader: Reader) -> tuple[SequenceSet, SequenceSet]:
    reader.expect(b"(")
    numbers = _set(reader)
    reader.space()
    uids = _set(reader)
    reader.expect(b")")
    if resync.size(numbers.ranges) != resync.size(uids.ranges):
        raise BadSyntax("There must be as many sequence numbers as UIDs")
    return numbers, uids


def _set(reader: Reader) -> SequenceSet:
    found = reader.sequence_set()
    if found.star or found.dollar:
        raise BadSyntax("What a client knows is named without * and $")
    return found


async def _tell(session: Session, known: Known) -> None:
    """First what has left, then what has changed (RFC 7162, 3.2.6)."""
    await tell_vanished(session, known)
    view = session.view
    spans = await reckon(session, len(view) + len(known.uids.ranges), _changed, view, known)
    plan = planned((FLAGS, MODSEQ), by_uid=True, uid_only=session.uid_only)
    await deliver(session, plan, spans)


def _changed(view: View, known: Known) -> list[Span]:
    return changed_after(known.modseq, view, known.uids.spans_of_uids(view.uids))


async def tell_vanished(session: Session, known: Known) -> None:
    """VANISHED (EARLIER), if anything has left; nothing of that is in the view, whose numbers stay as they are."""
    remembered = await session.run(session.folder.vanished_since, known.modseq)
    view = session.view
    effort = len(view) + len(known.uids.ranges) + len(remembered or ())
    gone = await reckon(session, effort, _vanished, view, remembered, known)
    if gone:
        session.send(b"* VANISHED (EARLIER) %b\r\n" % gone)
        await session.drained()


def _vanished(view: View, remembered: Sequence[int] | None, known: Known) -> bytes:
    matched = 0
    if remembered is None and known.numbers is not None and known.at_numbers is not None:
        matched = resync.last_match(view.uids, known.numbers, known.at_numbers)
    gone = resync.earlier(view.uids, view.snapshot.uidnext, remembered, known.uids, matched=matched)
    return resync.spelled(gone)


def vanished(reader: Reader) -> Modifier:
    """UID FETCH … (CHANGEDSINCE n VANISHED)"""
    return Modifier(check=_check, prepare=_prepare)


def _check(session: Session, asked: Asked) -> None:
    if "QRESYNC" not in session.enabled:
        raise Bad(NOT_ENABLED)
    if not asked.by_uid or "CHANGEDSINCE" not in asked.modifiers:
        raise Bad("VANISHED goes with UID FETCH and CHANGEDSINCE")


async def _prepare(session: Session, asked: Asked) -> None:
    """What left during this session is told without EARLIER first: its numbers still count for the client."""
    await session.catch_up(expunges=True)
    since: int = asked.modifiers["CHANGEDSINCE"].value
    await tell_vanished(session, Known(session.view.snapshot.uidvalidity, since, asked.numbers))


CAPABILITIES = ("QRESYNC",)
ENABLES = {"QRESYNC": enable}
SELECT_PARAMETERS = {"QRESYNC": selected}
FETCH_MODIFIERS = {"VANISHED": vanished}
