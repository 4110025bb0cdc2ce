"""What the selected mailbox is called, and that somebody calls it otherwise by now (RFC 9051, 6.3.9.7).

Knows which name the client believes; refuses to know who renames, and how a LIST response looks (`listing`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.imap import listing
from unitymail.imap.listing import Listed, Manner
from unitymail.interfaces.store import FolderInfo, IAccount

if TYPE_CHECKING:
    from unitymail.imap.session import Session


def info_of(account: IAccount, name: str) -> FolderInfo:
    """What LIST says of the name, also when there is nothing (any more). Blocking."""
    found = (info for info in account.folders() if info.name == name)
    return next(found, FolderInfo(name, subscribed=False, selectable=False))


def is_renamed(session: Session) -> bool:
    """Whether there is a new name to tell: a client of IMAP4rev1 would not know what to make of it."""
    return session.rev2 and session.folder is not None and bool(session.folder.name != session.called)


def learn_name(session: Session) -> None:
    """The client knows already: it renamed the mailbox, or one above it."""
    if session.folder is not None:
        session.called = session.folder.name


async def tell_name(session: Session) -> None:
    """The mailbox that `is_renamed`, unless it was renamed again meanwhile, or NOTIFY says what is to be told."""
    if session.notifier is not None:
        learn_name(session)
        return
    info = await session.run(info_of, session.account, session.folder.name)
    if info.selectable:
        old, session.called = session.called, info.name
        session.send(listing.line(Listed(info), Manner(extended=True, utf8=True), old_name=old))
