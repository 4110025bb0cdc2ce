"""CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE (RFC 3501, 6.3.3 to 6.3.7; 9051, 6.3.4 to 6.3.8).

An extension adds parameters of CREATE with `CREATE_PARAMETERS = {"USE": (session, reader) -> value}`. A name that is
not in Unicode's form NFC is made so; a client of IMAP4rev2 is told (OLDNAME).
"""

from __future__ import annotations

from typing import Any

from unitymail.imap import listing
from unitymail.imap.listing import Listed, Manner
from unitymail.imap.naming import info_of, learn_name
from unitymail.imap.notify.wish import NAMES, SUBSCRIPTIONS
from unitymail.imap.parameters import names_in
from unitymail.imap.registry import Done, No, command
from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import Reader
from unitymail.imap.wire.names import normalised
from unitymail.interfaces.store import IAccount, IFolder, NoSuchFolder


@command("CREATE")
async def create(session: Session, reader: Reader) -> Done:
    asked = reader.mailbox()
    parameters = _parameters(session, reader)
    name = normalised(asked)
    if name == "INBOX":
        raise No("INBOX is always there", b"ALREADYEXISTS")
    _harmless(name)
    folder = await session.run(session.account.create, name, parameters.get("USE", ""))
    await _tell_old_name(session, asked, folder.name)
    session.caused(NAMES, folder.name)
    session.doorbell.ring(session.account.id, folder.name)
    return Done("CREATE completed", b"MAILBOXID (%b)" % folder.id.encode("ascii"))


def _parameters(session: Session, reader: Reader) -> dict[str, Any]:
    """` (USE (\\Drafts))` (RFC 4466, 2.2)."""
    found: dict[str, Any] = {}
    if reader.take(b" ") and not reader.at_end():
        known = session.door.registry.gathered("CREATE_PARAMETERS")
        for name in names_in(reader, known):
            found[name] = known[name](session, reader)
    reader.end()
    return found


@command("DELETE")
async def delete(session: Session, reader: Reader) -> Done:
    asked = _only_name(reader)
    if asked == "INBOX":
        raise No("INBOX cannot be deleted", b"CANNOT")
    folder = await session.run(_to_delete, session.account, asked)
    name = folder.name
    count = len(folder.snapshot.uids)
    await session.run(session.account.delete, name)
    if session.folder is folder:
        session.deselect()
        session.send(b"* OK [CLOSED] The mailbox is gone\r\n")
    _changed(session, name, "deleted", count)
    await _tell_old_name(session, asked, name)
    return Done("DELETE completed")


def _to_delete(account: IAccount, name: str) -> IFolder:
    try:
        folder: IFolder = account.folder(name)
        return folder
    except NoSuchFolder:
        if any(info.name == name for info in account.folders()):
            raise No("Only mailboxes below it are there; delete those", b"HASCHILDREN") from None
        raise


@command("RENAME")
async def rename(session: Session, reader: Reader) -> Done:
    old = reader.mailbox()
    reader.space()
    asked = _only_name(reader)
    new = normalised(asked)
    if new == "INBOX":
        raise No("INBOX is always there", b"ALREADYEXISTS")
    _harmless(new)
    await session.run(session.account.rename, old, new)
    learn_name(session)
    if new != asked or normalised(old) != old:
        await _tell_old_name(session, old, new)
    session.caused(NAMES, new)
    _changed(session, old, "renamed", 0)
    session.doorbell.ring(session.account.id, new)
    return Done("RENAME completed")


@command("SUBSCRIBE")
async def subscribe(session: Session, reader: Reader) -> Done:
    await _subscribe(session, _only_name(reader), True)
    return Done("SUBSCRIBE completed")


@command("UNSUBSCRIBE")
async def unsubscribe(session: Session, reader: Reader) -> Done:
    await _subscribe(session, _only_name(reader), False)
    return Done("UNSUBSCRIBE completed")


async def _subscribe(session: Session, name: str, on: bool) -> None:
    await session.run(session.account.subscribe, name, on)
    session.caused(SUBSCRIPTIONS, name)
    session.doorbell.ring(session.account.id, name)


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


async def _tell_old_name(session: Session, asked: str, name: str) -> None:
    """The client called it `asked`, and everybody else will see `name` (RFC 9051, 6.3.9.7)."""
    if session.rev2 and asked != name:
        info = await session.run(info_of, session.account, name)
        manner = Manner(extended=True, utf8=session.utf8)
        session.send(listing.line(Listed(info), manner, old_name=asked))


def _changed(session: Session, name: str, what: str, count: int) -> None:
    session.caused(NAMES, name)
    session.doorbell.ring(session.account.id, name)
    session.journal.mailbox_changed(session.account.id, name, what, count)
