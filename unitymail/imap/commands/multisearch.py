"""MULTISEARCH (RFC 7377): ESEARCH, which looks into several mailboxes at once and selects none of them.

Each mailbox that has matches is one ESEARCH response, by UID; one without has none, the selected one included, whatever
RETURN asks for (2.1). A mailbox that is not there is no error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from unitymail.imap.letter import Letters
from unitymail.imap.mailbox_filter import NAMED, WHOLE, MailboxFilter, mailbox_filter
from unitymail.imap.registry import Bad, Done, No, command
from unitymail.imap.search import live, results
from unitymail.imap.search.evaluate import search
from unitymail.imap.search.grammar import criteria
from unitymail.imap.search.key import circumstances
from unitymail.imap.search.keys.modseq import asks_modseq
from unitymail.imap.search.options import EVERYTHING, ReturnOptions
from unitymail.imap.search.tree import Key
from unitymail.imap.view import View
from unitymail.imap.wire import response
from unitymail.imap.wire.lexer import Reader
from unitymail.interfaces.store import IAccount, IFolder, NoSuchFolder

if TYPE_CHECKING:
    from unitymail.imap.session import Session

CAPABILITIES = ("MULTISEARCH",)
FILTERS = NAMED | WHOLE - {"selected-delayed"}
SELECTED = MailboxFilter("selected")
MOST_FILTERS = 100


@command("ESEARCH")
async def esearch(session: Session, reader: Reader) -> Done:
    """`ESEARCH [IN (filter …)] [RETURN (…)] key …`; without IN in the selected mailbox."""
    filters = _filters(reader)
    options = results.search_return_options(reader) or EVERYTHING
    only_here = all(one == SELECTED for one in filters)
    if SELECTED in filters and session.folder is None:
        raise Bad("No mailbox is selected; please select one, or name others with IN")
    if options.save and not only_here:
        raise Bad("SAVE is for results of the selected mailbox alone (RFC 7377, 2)")
    with results.saving(session, options):
        here = circumstances(session)
        if not only_here:
            here = replace(here, numbers=False, saved=False)
        tree = criteria(reader, here)
        if options.update and only_here:
            live.expect_new_tag(session)
        elif options.update:
            live.refuse(session, "Only results of the selected mailbox can be followed")
        if modseq := asks_modseq(tree):
            session.learn_modseq()
        asked = Asked(tree, options, modseq, only_here)
        if only_here:
            await _selected(session, asked)
        else:
            await _everywhere(session, filters, asked)
    return Done("ESEARCH completed")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for in each mailbox. alone: only in the selected one, so that it can be followed and saved."""

    tree: Key
    options: ReturnOptions
    modseq: bool
    alone: bool


def _filters(reader: Reader) -> list[MailboxFilter]:
    if not reader.take(b"IN "):
        return [SELECTED]
    reader.expect(b"(")
    filters = [mailbox_filter(reader, FILTERS)]
    while not reader.take(b")"):
        reader.space()
        if len(filters) == MOST_FILTERS:
            raise No(f"More than {MOST_FILTERS} filters of mailboxes", b"LIMIT")
        filters.append(mailbox_filter(reader, FILTERS))
    reader.space()
    return filters


async def _everywhere(session: Session, filters: list[MailboxFilter], asked: Asked) -> None:
    """One mailbox after the other: what one needs is given back before the next is opened."""
    names = await session.run(_names, session.account, filters, session.folder if SELECTED in filters else None)
    for done, name in enumerate(names):
        session.progress(done, len(names))
        if session.folder is not None and session.folder.name == name:
            await _selected(session, asked)
            continue
        try:
            folder, view = await session.run(_opened, session.account, name)
            await _look(session, folder, view, asked)
        except NoSuchFolder:
            continue


def _names(account: IAccount, filters: list[MailboxFilter], selected: IFolder | None) -> list[str]:
    return [
        folder.name
        for folder in account.folders()
        if folder.selectable
        and (any(one.takes(folder) for one in filters) or (selected is not None and folder.name == selected.name))
    ]


def _opened(account: IAccount, name: str) -> tuple[IFolder, View]:
    folder = account.folder(name)
    snapshot = folder.refresh()
    return folder, View(snapshot, [(folder.peek_recent(), snapshot.uidnext - 1)])


async def _selected(session: Session, asked: Asked) -> None:
    await _look(session, session.folder, session.view, asked)


async def _look(session: Session, folder: IFolder, view: View, asked: Asked) -> None:
    letters = Letters(session.door.store, session.account.id, folder, remembering=False)
    found = await search(asked.tree, view, folder, session.run, letters, lambda *_: session.progress())
    correlator = b"TAG %b MAILBOX %b UIDVALIDITY %d" % (
        response.quoted(session.tag), response.mailbox(folder.name, utf8=session.utf8), view.snapshot.uidvalidity,
    )  # fmt: skip
    if asked.options.update and asked.alone:
        live.begin(
            session, asked.tree, found, by_uid=True, correlator=correlator, items=asked.options.items
        )
    matches = results.Matches(found)
    if found:
        await results.tell(session, view, matches, asked.options, correlator, by_uid=True, modseq=asked.modseq)
    elif asked.options.save:
        view.saved = 0
