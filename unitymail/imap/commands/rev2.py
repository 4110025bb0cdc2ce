"""IMAP4rev2 (RFC 9051) for who enables it: names in UTF-8, no \\Recent, SELECT says LIST, SEARCH says ESEARCH.

Most of it is where it belongs: ask `session.rev2`. What it folded in is here for everybody (RFC 9051, appendix E).
"""

from __future__ import annotations

from unitymail.imap import listing
from unitymail.imap.listing import Listed, Manner
from unitymail.imap.naming import info_of
from unitymail.imap.session import Session

CAPABILITIES = ("IMAP4rev2",)


def _enabled(session: Session) -> None:
    """What is \\Recent is not told any more."""
    if session.view is not None:
        session.view.recent.clear()


async def _list_line(session: Session) -> bytes:
    """The mailbox's LIST response, with what the client called it if that is not its name (RFC 9051, 6.3.2)."""
    if not session.rev2:
        return b""
    info = await session.run(info_of, session.account, session.folder.name)
    old_name = session.asked_for if session.asked_for != info.name else ""
    return listing.line(Listed(info), Manner(extended=True, utf8=True), old_name=old_name)


ENABLES = {"IMAP4REV2": _enabled}
SELECT_LINES = {"LIST": _list_line}
