"""LIST-STATUS (RFC 5819): the numbers of each folder, in one command for all."""

from __future__ import annotations

from unitymail.imap.commands.list import Extra
from unitymail.imap.commands.status import learn_from, read_items, status_line
from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import Reader
from unitymail.interfaces.store import FolderInfo

CAPABILITIES = ("LIST-STATUS",)


def _status(session: Session, reader: Reader) -> Extra:
    reader.space()
    items = read_items(session, reader)
    learn_from(session, items)
    account = session.account

    def lines(info: FolderInfo) -> bytes:
        return status_line(session, info.name, items, account.folder(info.name).status())

    return lines


LIST_RETURNS = {"STATUS": _status}
