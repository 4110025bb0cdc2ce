"""CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE (RFC 3501, 6.3.3 to 6.3.7)."""

from __future__ import annotations

from unitymail.imap.registry import Done, No, command
from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import Reader


@command("CREATE")
async def create(session: Session, reader: Reader) -> Done:
    name = _only_name(reader)
    if name == "INBOX":
        raise No("INBOX is always there", b"ALREADYEXISTS")
    _harmless(name)
    await session.run(session.account.create, name)
    return Done("CREATE completed")


@command("DELETE")
async def delete(session: Session, reader: Reader) -> Done:
    name = _only_name(reader)
    if name == "INBOX":
        raise No("INBOX cannot be deleted", b"CANNOT")
    folder = await session.run(session.account.folder, name)
    count = len(folder.snapshot.uids)
    await session.run(session.account.delete, name)
    if session.folder is folder:
        session.deselect()
        session.send(b"* OK [CLOSED] The mailbox is gone\r\n")
    _changed(session, name, "deleted", count)
    return Done("DELETE completed")


@command("RENAME")
async def rename(session: Session, reader: Reader) -> Done:
    old = reader.mailbox()
    reader.space()
    new = _only_name(reader)
    if new == "INBOX":
        raise No("INBOX is always there", b"ALREADYEXISTS")
    _harmless(new)
    await session.run(session.account.rename, old, new)
    _changed(session, old, "renamed", 0)
    session.doorbell.ring(session.account.id, new)
    return Done("RENAME completed")


@command("SUBSCRIBE")
async def subscribe(session: Session, reader: Reader) -> Done:
    await session.run(session.account.subscribe, _only_name(reader), True)
    return Done("SUBSCRIBE completed")


@command("UNSUBSCRIBE")
async def unsubscribe(session: Session, reader: Reader) -> Done:
    await session.run(session.account.subscribe, _only_name(reader), False)
    return Done("UNSUBSCRIBE completed")


def _only_name(reader: Reader) -> str:
    name = reader.mailbox()
    reader.end()
    return name


def _harmless(name: str) -> None:
    """Refuse what we could keep, but what clients that make directories of names will not touch.

    mbsync takes a `..` in LIST for an attack, and then fetches nothing of the whole account.
    """
    if not {".", ".."}.isdisjoint(name.split("/")):
        raise No("A mailbox named . or .. locks some clients out of the account", b"CANNOT")


def _changed(session: Session, name: str, what: str, count: int) -> None:
    session.doorbell.ring(session.account.id, name)
    session.journal.mailbox_changed(session.account.id, name, what, count)
