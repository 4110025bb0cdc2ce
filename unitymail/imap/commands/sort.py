"""SORT and UID SORT (RFC 5256), by display too (RFC 5957), with the results that the client asks for (RFC 5267)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.imap.letter import Letters
from unitymail.imap.registry import SELECTED, Done, command
from unitymail.imap.search import results
from unitymail.imap.search.evaluate import search as matching
from unitymail.imap.search.grammar import criteria_after_charset
from unitymail.imap.search.key import circumstances
from unitymail.imap.search.keys.modseq import asks_modseq
from unitymail.imap.sort.arrange import sorted_indexes
from unitymail.imap.sort.program import program as sort_program
from unitymail.imap.wire.lexer import Reader

if TYPE_CHECKING:
    from unitymail.imap.session import Session

CAPABILITIES = ("SORT", "SORT=DISPLAY", "ESORT", "I18NLEVEL=1")


@command("SORT", states=SELECTED, uid=True, holds_expunges=True)
async def sort(session: Session, reader: Reader, *, by_uid: bool) -> Done:
    """One answer, also when nothing is found."""
    options = results.search_return_options(reader)
    with results.saving(session, options):
        program = sort_program(reader)
        reader.space()
        tree = criteria_after_charset(reader, circumstances(session))
        if modseq := asks_modseq(tree):
            session.learn_modseq()
        letters = Letters(session.door.store, session.account.id, session.folder, remembering=False)
        found = await matching(tree, session.view, session.folder, session.run, letters)
        ordered = results.Ordered(await sorted_indexes(session, program, found))
        await results.answer(session, b"SORT", ordered, options, by_uid=by_uid, modseq=modseq)
    return Done("SORT completed")
