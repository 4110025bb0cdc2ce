"""METADATA (RFC 5464): annotations of mailboxes and of the account, which here is what the RFC calls the server.

What is private and what is shared differ in name only: a mailbox is one user's. The shared annotations of the server
are ours, and say how to reach the administrator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from unitymail.imap import annotation
from unitymail.imap.annotation import Depth
from unitymail.imap.notify.wish import METADATA as CHANGED
from unitymail.imap.registry import Done, No, command
from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.interfaces.store import IAccount

CAPABILITIES = ("METADATA",)
ADMIN = "/shared/admin"


@dataclass(frozen=True, slots=True)
class Asked:
    """What GETMETADATA asks for: `entries` as lower case → as spelled; values longer than `maxsize` are left out."""

    entries: Mapping[str, str]
    depth: Depth = "0"
    maxsize: int | None = None


@command("GETMETADATA")
async def get_metadata(session: Session, reader: Reader) -> Done:
    # The grammar of RFC 5464 has the options first, its examples have them second.
    asked = Asked({})
    if reader.peek() == b"(":
        asked = _options(reader, asked)
        reader.space()
    name = reader.mailbox()
    reader.space()
    if reader.rest()[1:2].isalpha() and reader.peek() == b"(":
        asked = _options(reader, asked)
        reader.space()
    asked = replace(asked, entries=annotation.entries(reader))
    reader.end()
    found, longest = await session.run(read, session.account, _computed(session, name), name, asked)
    session.send(annotation.values_line(name, found, utf8=session.utf8))
    return Done("GETMETADATA completed", b"METADATA LONGENTRIES %d" % longest if longest else b"")


def _options(reader: Reader, asked: Asked) -> Asked:
    """`(MAXSIZE 1024 DEPTH infinity)`."""
    reader.expect(b"(")
    while True:
        option = reader.atom().upper()
        reader.space()
        if option == "MAXSIZE":
            asked = replace(asked, maxsize=reader.number())
        elif option == "DEPTH":
            depth = annotation.DEPTHS.get(reader.atom().upper())
            if depth is None:
                raise BadSyntax("DEPTH is 0, 1 or infinity")
            asked = replace(asked, depth=depth)
        else:
            raise BadSyntax(f"There is no option {option[:40]}")
        if reader.take(b")"):
            return asked
        reader.space()


def _computed(session: Session, name: str) -> dict[str, bytes]:
    """The annotations that nobody sets."""
    return {} if name else {ADMIN: f"mailto:postmaster@{session.book.domain}".encode()}


def read(
    account: IAccount, computed: Mapping[str, bytes], name: str, asked: Asked
) -> tuple[dict[str, bytes | None], int]:
    """The values, entries spelled as the client does, and the size of the longest left out. Blocking.

    Who asks for an entry that is not there is told NIL, unless what is below it would do too and is there.
    """
    kept: dict[str, bytes | None] = dict(account.metadata(name, tuple(asked.entries), asked.depth))
    for entry, value in computed.items():
        if any(annotation.covers(one, entry, asked.depth) for one in asked.entries):
            kept[entry] = value
    if asked.depth == "0" or not kept:
        kept = {**dict.fromkeys(asked.entries), **kept}
    longest = 0
    found: dict[str, bytes | None] = {}
    for entry, octets in kept.items():
        if octets is not None and asked.maxsize is not None and len(octets) > asked.maxsize:
            longest = max(longest, len(octets))
        else:
            found[asked.entries.get(entry, entry)] = octets
    return found, longest


@command("SETMETADATA")
async def set_metadata(session: Session, reader: Reader) -> Done:
    name = reader.mailbox()
    reader.space()
    values = _values(reader)
    reader.end()
    if not name and any(entry.startswith("/shared") for entry in values):
        raise No("Shared annotations of the server are not yours to change; private ones are", b"NOPERM")
    await session.run(session.account.set_metadata, name, values)
    for news in session.news:
        if isinstance(news, News):
            news.own.update((name, entry) for entry in values)
    session.caused(CHANGED, name)
    session.doorbell.ring(session.account.id, name or "INBOX")
    return Done("SETMETADATA completed")


def _values(reader: Reader) -> dict[str, bytes | None]:
    """`(/private/comment "My comment" /shared/comment NIL)`."""
    reader.expect(b"(")
    values: dict[str, bytes | None] = {}
    while True:
        entry = annotation.entry(reader).lower()
        if entry in annotation.ROOTS:
            raise BadSyntax("The name of an entry has something after /private or /shared")
        reader.space()
        values[entry] = annotation.value(reader)
        if len(values) > annotation.MOST_ENTRIES:
            raise BadSyntax(f"At most {annotation.MOST_ENTRIES} entries at once")
        if reader.take(b")"):
            return values
        reader.space()


class News:
    """What somebody else annotated, for a client that enabled METADATA (RFC 5464, 4.4.2).

    `own`: what this session changed, of which it need not be told.
    """

    def __init__(self, session: Session) -> None:
        self.own: set[tuple[str, str]] = set()
        self._session = session
        self._since = 0

    async def tell(self) -> None:
        session = self._session
        self._since, changed = await session.run(session.account.metadata_changes, self._since)
        by_mailbox: dict[str, dict[str, None]] = {}
        for name, entry in changed:
            if (name, entry) not in self.own:
                by_mailbox.setdefault(name, {})[entry] = None
        self.own.clear()
        for name, entries in sorted(by_mailbox.items()):
            session.send(annotation.changes_line(name, entries, utf8=session.utf8))


def _enabled(session: Session) -> None:
    session.news.append(News(session))
    session.look_soon()


ENABLES: dict[str, Callable[[Session], None]] = {"METADATA": _enabled}
