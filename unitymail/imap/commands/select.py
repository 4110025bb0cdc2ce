"""SELECT, EXAMINE, UNSELECT (RFC 3691), CLOSE and CHECK: which folder the session looks at.

An extension adds parameters with `SELECT_PARAMETERS = {"CONDSTORE": async (session, reader) -> None}` (called before
the folder is opened) and lines with `SELECT_LINES = {"HIGHESTMODSEQ": (session) -> bytes}`.
"""

from __future__ import annotations

from unitymail.imap.registry import SELECTED, Done, command
from unitymail.imap.session import Session
from unitymail.imap.telling import flags_lines
from unitymail.imap.view import View
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.interfaces.store import NoSuchFolder

CAPABILITIES = ("UNSELECT",)


@command("SELECT")
async def select(session: Session, reader: Reader) -> Done:
    return await _open(session, reader, read_only=False)


@command("EXAMINE")
async def examine(session: Session, reader: Reader) -> Done:
    return await _open(session, reader, read_only=True)


async def _open(session: Session, reader: Reader, *, read_only: bool) -> Done:
    name = reader.mailbox()
    await _parameters(session, reader)
    if session.folder is not None:
        # Also when the new one cannot be opened (RFC 3501, 6.3.1).
        session.deselect()
        session.send(b"* OK [CLOSED] Previous mailbox closed\r\n")
    folder = await session.run(session.account.folder, name)
    unseen = await session.select(folder, read_only=read_only)
    session.send(_opening(session.view, unseen, read_only))
    for line in session.door.registry.gathered("SELECT_LINES").values():
        session.send(line(session))
    verb, code = ("EXAMINE", b"READ-ONLY") if read_only else ("SELECT", b"READ-WRITE")
    return Done(f"{verb} completed", code)


async def _parameters(session: Session, reader: Reader) -> None:
    if reader.take(b" ") and not reader.at_end():
        known = session.door.registry.gathered("SELECT_PARAMETERS")
        reader.expect(b"(")
        while True:
            name = reader.atom().upper()
            if name not in known:
                raise BadSyntax(f"There is no parameter {name[:40]}")
            await known[name](session, reader)
            if not reader.take(b" "):
                break
        reader.expect(b")")
    reader.end()


def _opening(view: View, unseen: int, read_only: bool) -> bytes:
    snapshot = view.snapshot
    lines = [
        flags_lines(snapshot.keywords, read_only=read_only),
        b"* %d EXISTS\r\n* %d RECENT\r\n" % (len(view), view.recent_count()),
        b"* OK [UIDVALIDITY %d] UIDs valid\r\n" % snapshot.uidvalidity,
        b"* OK [UIDNEXT %d] Predicted next UID\r\n" % snapshot.uidnext,
    ]
    if unseen:
        lines.append(b"* OK [UNSEEN %d] First unseen\r\n" % unseen)
    return b"".join(lines)


@command("UNSELECT", states=SELECTED)
async def unselect(session: Session, reader: Reader) -> Done:
    reader.end()
    session.deselect()
    return Done("UNSELECT completed")


@command("CLOSE", states=SELECTED)
async def close(session: Session, reader: Reader) -> Done:
    """As UNSELECT, and what is \\Deleted goes without a word (unless opened with EXAMINE)."""
    reader.end()
    folder, read_only = session.folder, session.read_only
    session.deselect()
    if not read_only:
        before = len(folder.snapshot.uids)
        try:
            after = await session.run(folder.expunge)
        except NoSuchFolder:
            return Done("CLOSE completed")
        if len(after.uids) < before:
            session.doorbell.ring(session.account.id, folder.name)
            session.journal.mailbox_changed(session.account.id, folder.name, "expunged", before - len(after.uids))
    return Done("CLOSE completed")


@command("CHECK", states=SELECTED, polls=True)
async def check(session: Session, reader: Reader) -> Done:
    reader.end()
    return Done("CHECK completed")
