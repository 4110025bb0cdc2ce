"""Carries out a plan for a session: blocks are made in threads, sent with back-pressure, and the reactor breathes.

Knows the session's way to the client; refuses to know where FETCH responses are called for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Sequence
from typing import TYPE_CHECKING

from unitymail.imap.fetch import block as blocks
from unitymail.imap.fetch import from_files, index_only
from unitymail.imap.fetch.block import Block
from unitymail.imap.fetch.plan import Plan
from unitymail.imap.letter import Letters
from unitymail.imap.registry import No
from unitymail.imap.wire.sequence import Span

if TYPE_CHECKING:
    from unitymail.imap.session import Session


async def deliver(session: Session, plan: Plan, spans: Sequence[Span], *, shown: Collection[int] | None = None) -> int:
    """Send the FETCH responses for these spans of the view; how many messages turned out to be gone.

    shown: the UIDs whose FLAGS are told although the plan does not ask for them. Raises No at the end when some were
    left out because nobody here knows their transfer encoding (RFC 3516 4.3).
    """
    showing = blocks.Shown(
        flags=plan.shows_flags,
        modseq=plan.shows_modseq,
        marked=shown or (),
        marked_modseq=session.knows_modseq,
        follow=plan.flags_follow,
        uid_only=plan.uid_only,
    )
    size = from_files.BLOCK if plan.contents else index_only.BLOCK
    gone = undecodable = done = 0
    goal = sum(end - begin for begin, end in spans)
    for portion in blocks.split(spans, size):
        block = blocks.cut_out(session.view, portion, showing)
        if plan.contents:
            missing, unknown = await _send_contents(session, plan, block)
            gone += missing
            undecodable += unknown
        elif plan.columns:
            octets, missing = await session.run(index_only.lines, session.folder, plan, block)
            session.send(octets)
            gone += missing
        else:
            session.send(index_only.known(plan, block))
        done += len(block)
        session.progress(done, goal)
        await session.drained()
        await session.breathe()
    if undecodable:
        raise No(f"{undecodable} of them have an encoding that is not known here; use BODY instead", b"UNKNOWN-CTE")
    return gone


async def _give_back(ahead: Awaitable[from_files.Batch]) -> None:
    """Nobody wants what is being read any more."""
    (await ahead).close()


async def _send_contents(session: Session, plan: Plan, block: Block) -> tuple[int, int]:
    """How many messages are gone, and how many have an encoding that is not known.

    While one batch goes out, the next one is read.
    """
    letters = Letters(session.door.store, session.account.id, session.folder)
    reading = from_files.Reading(session.folder, plan, block, letters)
    gone = undecodable = 0
    ahead = session.begun(reading.read)
    while True:
        batch: from_files.Batch = await session.result(ahead)
        if not batch.last:
            ahead = session.begun(reading.read)
        try:
            for piece in batch.pieces:
                if isinstance(piece, bytes):
                    session.send(piece)
                else:
                    await session.stream(piece.content, piece.start, piece.length)
                await session.drained()
        except BaseException:
            if not batch.last:
                session.journal.guard(_give_back(ahead), "reading ahead")
            raise
        finally:
            batch.close()
        gone += batch.gone
        undecodable += batch.undecodable
        if batch.last:
            return gone, undecodable
