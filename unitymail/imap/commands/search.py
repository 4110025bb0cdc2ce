"""SEARCH and UID SEARCH (RFC 3501 6.4.4, RFC 9051 6.4.4), with the results that the client asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.imap.letter import Letters
from unitymail.imap.registry import SELECTED, Done, command
from unitymail.imap.search import results
from unitymail.imap.search.evaluate import search as matching
from unitymail.imap.search.grammar import criteria
from unitymail.imap.search.key import circumstances
from unitymail.imap.search.keys.modseq import asks_modseq
from unitymail.imap.wire.lexer import Reader

if TYPE_CHECKING:
    from unitymail.imap.session import Session


@command("SEARCH", states=SELECTED, uid=True, holds_expunges=True)
async def search(session: Session, reader: Reader, *, by_uid: bool) -> Done:
    """One answer, also when nothing is found."""
    options = results.search_return_options(reader)
    tree = criteria(reader, circumstances(session))
    if modseq := asks_modseq(tree):
        session.learn_modseq()
    letters = Letters(session.door.store, session.account.id, session.folder, remembering=False)
    found = await matching(tree, session.view, session.folder, session.run, letters)
    await results.answer(session, b"SEARCH", results.Matches(found), options, by_uid=by_uid, modseq=modseq)
    return Done("SEARCH completed")
