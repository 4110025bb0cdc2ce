"""SEARCH and UID SEARCH (RFC 3501 6.4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.imap.letter import Letters
from unitymail.imap.reckoning import reckon
from unitymail.imap.registry import SELECTED, Done, command
from unitymail.imap.search import mask
from unitymail.imap.search.evaluate import search as matching
from unitymail.imap.search.grammar import criteria
from unitymail.imap.wire.lexer import Reader

if TYPE_CHECKING:
    from unitymail.imap.session import Session

PORTION = 2_000


@command("SEARCH", states=SELECTED, uid=True, holds_expunges=True)
async def search(session: Session, reader: Reader, *, by_uid: bool) -> Done:
    """One `* SEARCH`, also when nothing is found."""
    tree = criteria(reader)
    letters = Letters(session.door.store, session.account.id, session.folder, remembering=False)
    found = await matching(tree, session.view, session.folder, session.run, letters)
    count = len(session.view)
    numbers = await reckon(session, count, mask.chosen, found, session.view.uids if by_uid else range(1, count + 1))
    session.send(b"* SEARCH")
    for begin in range(0, len(numbers), PORTION):
        session.send(" ".join(["", *map(str, numbers[begin : begin + PORTION])]).encode("ascii"))
        await session.breathe()
    session.send(b"\r\n")
    return Done("SEARCH completed")
