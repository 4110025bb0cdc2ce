"""CATENATE (RFC 4469): APPEND and REPLACE of a message made of texts and of parts of messages that are here already.

Parts are copied from file to file, never through the memory at once. A URL names a message of the user's own
mailboxes; it is read as FETCH would read it, without a \\Seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unitymail.imap.arriving import literal
from unitymail.imap.fetch.items.body import section_of
from unitymail.imap.fetch.section import cut, locate
from unitymail.imap.letter import Letters
from unitymail.imap.registry import No
from unitymail.imap.session import Session
from unitymail.imap.upload import Uploads
from unitymail.imap.wire import names, url
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.imap.wire.url import BadURL, MessageURL
from unitymail.interfaces.store import IAccount, IContent, IFolder, NoSuchFolder
from unitymail.mail.windows import WINDOW

CAPABILITIES = ("CATENATE",)
MOST_PARTS = 1_000
MOST_URL = 8_192
_WHOLE = 2**63


async def catenate(session: Session, reader: Reader, uploads: Uploads) -> Reader:
    """`(TEXT {n} URL "/Drafts;UIDVALIDITY=1/;UID=20/;SECTION=1.MIME" …)`"""
    reader.expect(b"(")
    for _ in range(MOST_PARTS):
        reader = await _part(session, reader, uploads)
        if reader.take(b")"):
            return reader
        reader.space()
    raise BadSyntax(f"CATENATE takes {MOST_PARTS} parts at most")


APPEND_DATA = {"CATENATE": catenate}


async def _part(session: Session, reader: Reader, uploads: Uploads) -> Reader:
    if reader.take(b"TEXT "):
        return await literal(session, reader, uploads)
    if reader.take(b"URL "):
        named, reader = await _string(session, reader)
        await _copy(session, named, uploads)
        return reader
    form = session.door.registry.gathered("CATENATE_PARTS")
    for word, receive in form.items():
        if reader.take(word.encode("ascii") + b" "):
            following: Reader = await receive(session, reader, uploads)
            return following
    raise BadSyntax("CATENATE takes TEXT and URL")


async def _string(session: Session, reader: Reader) -> tuple[bytes, Reader]:
    """An astring, which may be a literal that is still with the client; and the reader of what follows."""
    if reader.peek() != b"{":
        return reader.astring(), reader
    announced = reader.announced()
    if announced.size > MOST_URL:
        raise No(f"A URL may have {MOST_URL} octets", b"TOOBIG")
    blocks = []
    while block := await session.client.octets():
        blocks.append(block)
    return b"".join(blocks), await session.client.continuation()


async def _copy(session: Session, named: bytes, uploads: Uploads) -> None:
    try:
        asked = url.read(named)
        _check_place(session, asked)
        stretch: Stretch = await session.run(_find, session, asked)
    except (BadURL, BadSyntax) as error:
        raise No(str(error), b"BADURL " + _sayable(named)) from None
    try:
        await uploads.take(stretch.size, stretch.blocks())
    finally:
        stretch.content.close()


def _sayable(named: bytes) -> bytes:
    """The URL as a response code can repeat it: it is the client's own words, so that it knows which one is meant.

    Bare, for it is no string (erratum 4046), and never nothing.
    """
    return bytes(octet if 32 < octet < 127 and octet != 0x5D else 0x3F for octet in named[:MOST_URL]) or b"?"


def _check_place(session: Session, asked: MessageURL) -> None:
    if asked.host and asked.host != session.door.host.lower():
        raise BadURL(f"Only messages of {session.door.host} can be named")
    if asked.user and (session.user is None or asked.user.lower() != session.user.alias.lower()):
        raise BadURL("Only your own messages can be named")


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a URL names: octets of its own, or a part of the content, to be closed by who takes it."""

    content: IContent
    start: int
    end: int
    own: bytes | None = None

    @property
    def size(self) -> int:
        return self.end - self.start

    def blocks(self) -> Iterator[bytes]:
        if self.own is not None:
            yield self.own[self.start : self.end]
            return
        for at in range(self.start, self.end, WINDOW):
            yield self.content.read(at, min(WINDOW, self.end - at))


def _find(session: Session, asked: MessageURL) -> Stretch:
    """In a thread. Raises BadURL."""
    section = section_of(Reader([b"[%b]" % asked.section])) if asked.section else section_of(Reader([b"[]"]))
    folder = _folder(session.account, session.folder, asked)
    content = folder.content(asked.uid)
    if content is None:
        raise BadURL("There is no message of that UID")
    try:
        letter = Letters(session.door.store, session.account.id, folder).letter(asked.uid, content)
        found = locate(letter.buffer, letter.structure, section)
        if found is None:
            raise BadURL("The message has no such part")
        partial = (asked.offset, _WHOLE if asked.length is None else asked.length)
        if isinstance(found, bytes):
            return Stretch(content, *cut(0, len(found), partial), found)
        return Stretch(content, *cut(*found, partial))
    except BaseException:
        content.close()
        raise


def _folder(account: IAccount, selected: Any, asked: MessageURL) -> IFolder:
    if not asked.mailbox and selected is None:
        raise BadURL("No mailbox is selected: say which one")
    try:
        folder: IFolder = account.folder(names.canonical(asked.mailbox)) if asked.mailbox else selected
        snapshot = folder.refresh()
    except NoSuchFolder:
        raise BadURL("There is no such mailbox") from None
    if asked.uidvalidity not in (0, snapshot.uidvalidity):
        raise BadURL("The mailbox has another UIDVALIDITY")
    return folder
