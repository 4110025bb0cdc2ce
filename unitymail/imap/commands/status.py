"""STATUS (RFC 3501, 6.3.10; 9051, 6.3.11): numbers of a folder without opening it.

An extension adds items with `STATUS_ITEMS = {"SIZE": (FolderStatus) -> bytes}`, and what is the same for all folders
with `STATUS_ANYWHERE = {"APPENDLIMIT": (session) -> bytes}`; what asking for an item does to the session is in
`STATUS_ASKED = {"HIGHESTMODSEQ": (session) -> None}`.
"""

from __future__ import annotations

from unitymail.imap.registry import Done, command
from unitymail.imap.session import Session
from unitymail.imap.wire import response
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.interfaces.store import FolderStatus

STATUS_ITEMS = {
    "MESSAGES": lambda status: b"%d" % status.messages,
    "RECENT": lambda status: b"%d" % status.recent,
    "UIDNEXT": lambda status: b"%d" % status.uidnext,
    "UIDVALIDITY": lambda status: b"%d" % status.uidvalidity,
    "UNSEEN": lambda status: b"%d" % status.unseen,
    "DELETED": lambda status: b"%d" % status.deleted,
}


@command("STATUS")
async def status(session: Session, reader: Reader) -> Done:
    name = reader.mailbox()
    reader.space()
    items = read_items(session, reader)
    reader.end()
    found = await session.run(_status, session.account, name)
    learn_from(session, items)
    session.send(status_line(session, name, items, found))
    return Done("STATUS completed")


def _status(account: object, name: str) -> FolderStatus:
    found: FolderStatus = account.folder(name).status()  # type: ignore[attr-defined]
    return found


def read_items(session: Session, reader: Reader) -> list[str]:
    """`(MESSAGES UNSEEN)`, each once."""
    registry = session.door.registry
    known = {*registry.gathered("STATUS_ITEMS"), *registry.gathered("STATUS_ANYWHERE")}
    reader.expect(b"(")
    items: dict[str, None] = {}
    while True:
        item = reader.atom().upper()
        if item not in known:
            raise BadSyntax(f"There is no item {item[:40]}")
        items[item] = None
        if reader.take(b")"):
            return list(items)
        reader.space()


def learn_from(session: Session, items: list[str]) -> None:
    """What asking for these items does to the session, which may say something. In the reactor."""
    asked = session.door.registry.gathered("STATUS_ASKED")
    for item in asked.keys() & set(items):
        asked[item](session)


def status_line(session: Session, name: str, items: list[str], found: FolderStatus) -> bytes:
    """The untagged response."""
    known, anywhere = map(session.door.registry.gathered, ("STATUS_ITEMS", "STATUS_ANYWHERE"))
    values = (known[item](found) if item in known else anywhere[item](session) for item in items)
    listed = b" ".join(b"%b %b" % (item.encode("ascii"), value) for item, value in zip(items, values, strict=True))
    return b"* STATUS %b (%b)\r\n" % (response.mailbox(name, utf8=session.utf8), listed)
