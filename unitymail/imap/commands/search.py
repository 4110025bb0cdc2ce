"""SEARCH and UID SEARCH (RFC 3501 6.4.4, RFC 9051 6.4.4), with the results that the client asks for (RFC 4731).

ESEARCH is announced here: it is the form of the answer. What `RETURN` takes is in `search.options`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.imap.letter import Letters
from unitymail.imap.registry import SELECTED, Done, command
from unitymail.imap.search import live, results
from unitymail.imap.search.evaluate import search as matching
from unitymail.imap.search.grammar import criteria
from unitymail.imap.search.key import circumstances
from unitymail.imap.search.keys.modseq import asks_modseq
from unitymail.imap.wire import response
from unitymail.imap.wire.lexer import Reader

if TYPE_CHECKING:
    from unitymail.imap.session import Session

CAPABILITIES = ("ESEARCH",)


@command("SEARCH", states=SELECTED, uid=True, holds_expunges=True)
async def search(session: Session, reader: Reader, *, by_uid: bool) -> Done:
    """One answer, also when nothing is found."""
    options = results.search_return_options(reader)
    with results.saving(session, options):
        tree = criteria(reader, circumstances(session))
        if options is not None and options.update:
            live.expect_new_tag(session)
        if modseq := asks_modseq(tree):
            session.learn_modseq()
        letters = Letters(session.door.store, session.account.id, session.folder, remembering=False)
        found = await matching(tree, session.view, session.folder, session.run, letters, session.progress)
        if options is not None and options.update:
            correlator = b"TAG " + response.quoted(session.tag)
            live.begin(session, tree, found, by_uid=by_uid, correlator=correlator, items=options.items)
        await results.answer(session, b"SEARCH", results.Matches(found), options, by_uid=by_uid, modseq=modseq)
    return Done("SEARCH completed")
