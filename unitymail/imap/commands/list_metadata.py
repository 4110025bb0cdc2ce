"""LIST-METADATA (RFC 9590): annotations of each folder, in one command for all."""

from __future__ import annotations

from unitymail.imap import annotation
from unitymail.imap.commands.list import Extra
from unitymail.imap.commands.metadata import Asked, read
from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.interfaces.store import FolderInfo

CAPABILITIES = ("LIST-METADATA",)


def _metadata(session: Session, reader: Reader) -> Extra:
    reader.space()
    if reader.peek() != b"(":
        raise BadSyntax("METADATA takes entries in parentheses")
    asked = Asked(annotation.entries(reader))
    account, utf8 = session.account, session.utf8

    def lines(info: FolderInfo) -> bytes:
        return annotation.values_line(info.name, read(account, {}, info.name, asked)[0], utf8=utf8)

    return lines


LIST_RETURNS = {"METADATA": _metadata}
