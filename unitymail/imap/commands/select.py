"""SELECT, EXAMINE, UNSELECT (RFC 3691), CLOSE and CHECK: which folder the session looks at.

An extension adds parameters with `SELECT_PARAMETERS = {"QRESYNC": async (session, reader) -> Opened | None}`, called
before the folder is opened (what it returns is called when it is), and lines with
`SELECT_LINES = {"HIGHESTMODSEQ": (session) -> bytes}`, which may also be a coroutine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from unitymail.imap.commands.expunge import expunge_marked
from unitymail.imap.parameters import names_in
from unitymail.imap.registry import SELECTED, Done, command
from unitymail.imap.session import Session
from unitymail.imap.telling import flags_lines
from unitymail.imap.wire.lexer import Reader
from unitymail.interfaces.store import NoSuchFolder

CAPABILITIES = ("UNSELECT",)
Opened = Callable[[Session], Awaitable[None]]
"""What a parameter of SELECT has to say once the folder is open, after the usual lines."""


@command("SELECT")
async def select(session: Session, reader: Reader) -> Done:
    return await _open(session, reader, read_only=False)


@command("EXAMINE")
async def examine(session: Session, reader: Reader) -> Done:
    return await _open(session, reader, read_only=True)


async def _open(session: Session, reader: Reader, *, read_only: bool) -> Done:
    name = reader.mailbox()
    afterwards = await _parameters(session, reader)
    if session.folder is not None:
        # Also when the new one cannot be opened (RFC 3501, 6.3.1).
        session.deselect()
        session.send(b"* OK [CLOSED] Previous mailbox closed\r\n")
    folder = await session.run(session.account.folder, name)
    session.asked_for = name
    unseen = await session.select(folder, read_only=read_only)
    try:
        await _introduce(session, unseen, afterwards)
    except Exception:
        session.deselect()  # A client that is told NO takes it that nothing is selected.
        raise
    verb, code = ("EXAMINE", b"READ-ONLY") if read_only else ("SELECT", b"READ-WRITE")
    return Done(f"{verb} completed", code)


async def _parameters(session: Session, reader: Reader) -> list[Opened]:
    afterwards: list[Opened] = []
    if reader.take(b" ") and not reader.at_end():
        known = session.door.registry.gathered("SELECT_PARAMETERS")
        for name in names_in(reader, known):
            opened = await known[name](session, reader)
            if opened is not None:
                afterwards.append(opened)
    reader.end()
    return afterwards


async def _introduce(session: Session, unseen: int, afterwards: list[Opened]) -> None:
    """All that there is to say of a folder that was opened."""
    session.send(_opening(session, unseen))
    for line in session.door.registry.gathered("SELECT_LINES").values():
        said = line(session)
        session.send(said if isinstance(said, bytes) else await said)
    for opened in afterwards:
        await opened(session)


def _opening(session: Session, unseen: int) -> bytes:
    """Sequence numbers are nothing for a client that gave them up (RFC 9586), nor \\Recent and UNSEEN for rev2."""
    view, manner = session.view, session.manner
    snapshot = view.snapshot
    lines = [
        flags_lines(snapshot.keywords, read_only=session.read_only),
        b"* %d EXISTS\r\n" % len(view),
        b"* %d RECENT\r\n" % view.recent_count() if manner.recent else b"",
        b"* OK [UIDVALIDITY %d] UIDs valid\r\n" % snapshot.uidvalidity,
        b"* OK [UIDNEXT %d] Predicted next UID\r\n" % snapshot.uidnext,
    ]
    if unseen and manner.recent and not manner.uid_only:
        lines.append(b"* OK [UNSEEN %d] First unseen\r\n" % unseen)
    return b"".join(lines)


@command("UNSELECT", states=SELECTED, leaves=True)
async def unselect(session: Session, reader: Reader) -> Done:
    reader.end()
    session.deselect()
    return Done("UNSELECT completed")


@command("CLOSE", states=SELECTED, leaves=True)
async def close(session: Session, reader: Reader) -> Done:
    """As UNSELECT, and what is \\Deleted goes without a word (unless opened with EXAMINE).

    When it cannot go, the client hears NO, and the mailbox stays selected.
    """
    reader.end()
    if not session.read_only:
        with suppress(NoSuchFolder):
            await expunge_marked(session)
    session.deselect()
    return Done("CLOSE completed")


@command("CHECK", states=SELECTED, polls=True)
async def check(session: Session, reader: Reader) -> Done:
    reader.end()
    return Done("CHECK completed")
