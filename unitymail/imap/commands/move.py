"""MOVE and UID MOVE (RFC 6851)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.imap.commands.copy import arguments, copy_uid, hand_over, nothing_done
from unitymail.imap.registry import SELECTED, Done, command
from unitymail.imap.wire.lexer import Reader

if TYPE_CHECKING:
    from unitymail.imap.session import Session

CAPABILITIES = ("MOVE",)


@command("MOVE", states=SELECTED, uid=True)
async def move(session: Session, reader: Reader, *, by_uid: bool) -> Done:
    """RFC 6851 4.3: the untagged COPYUID comes before the EXPUNGEs, and both before the tagged OK."""
    named = await arguments(session, reader, by_uid=by_uid)
    session.writable()
    moved = await hand_over(session, named, moving=True)
    if not moved.sources:
        return nothing_done("MOVE", named)
    session.send(b"* OK [%b] Moved\r\n" % await copy_uid(session, moved))
    await session.catch_up(expunges=True, asked=True)
    return Done("MOVE completed", session.modseq_code())
