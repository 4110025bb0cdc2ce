"""Messages on their way from a client into a folder: written in blocks to files of the account, in threads.

Memory holds one block at most, however many messages a command has and however large they are. Whatever goes wrong,
no file stays behind. Refuses to know IMAP's commands, and where the octets of a message come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from errno import EDQUOT, ENOSPC
from typing import TypeVar

from unitymail.imap.registry import No
from unitymail.imap.session import Session
from unitymail.imap.unbinary import without_binary
from unitymail.imap.wire.assembly import MAX_ANNOUNCED
from unitymail.imap.wire.lexer import Announced
from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.interfaces.store import MAX_KEYWORDS, SYSTEM_FLAGS, IFolder, NoSuchFolder, TooManyKeywords

Kept = TypeVar("Kept")
BLOCK = 131_072
MOST_MESSAGES = 10_000


@dataclass(slots=True)
class Upload:
    """One message: `size` octets so far, of which `held` are not written yet. `binary`: some came as literal8."""

    flags: Sequence[str]
    internal_date: float | None
    held: list[bytes] = field(default_factory=list)
    size: int = 0
    binary: bool = False
    whole: bool = False
    descriptor: int = -1
    path: str = ""


def limit_of(session: Session) -> int:
    """Octets that one message of this client may have."""
    return session.client.inlet.assembler.upload_limit or MAX_ANNOUNCED


class Uploads:
    """The messages of one command: `begin` each, `receive` or `take` its octets, then `into` or `replace` for all.

    `end` in any case. Small messages touch the disk in one visit to a thread.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._disk = session.door.disk
        self._limit = limit_of(session)
        self._free = session.door.free()
        self._messages: list[Upload] = []
        self._flags: dict[str, str] = {}
        self._written = 0
        self._waiting = 0

    def begin(self, flags: Sequence[str], internal_date: float | None) -> None:
        """What comes from now on is the next message."""
        if len(self._messages) == MOST_MESSAGES:
            raise No(f"At most {MOST_MESSAGES} messages can be appended at once", b"LIMIT")
        if self._messages:
            self._last.whole = True
        self._messages.append(Upload(self._known(flags), internal_date))

    def _known(self, flags: Sequence[str]) -> Sequence[str]:
        """Each is held once, however many messages have it; more than a folder can hold are refused at once."""
        known = [self._flags.setdefault(flag.lower(), flag) for flag in flags]
        if len(self._flags) > MAX_KEYWORDS + len(SYSTEM_FLAGS):
            raise TooManyKeywords
        return known

    @property
    def _last(self) -> Upload:
        return self._messages[-1]

    def whole(self) -> None:
        """The message has all its octets."""
        if not self._last.size:
            raise empty()

    async def receive(self, announced: Announced) -> None:
        """Take the announced octets from the client; refused before it sends them, if they are to be refused.

        Raises No for NUL, which no message may have without BINARY.
        """
        self._make_room(announced.size)
        self._last.binary |= announced.binary
        while block := await self._session.client.octets():
            if b"\0" in block and not announced.binary:
                raise No("A message cannot have NUL octets", b"UNKNOWN-CTE")
            self._last.held.append(block)
            self._waiting += len(block)
            if self._waiting >= BLOCK:
                await self._session.run(self._write)

    async def take(self, size: int, blocks: Iterator[bytes]) -> None:
        """Take octets that we have already, `size` in all; `blocks` is asked for them in a thread."""
        self._make_room(size)
        await self._session.run(self._copy, blocks)

    def _make_room(self, octets: int) -> None:
        self._last.size += octets
        if self._last.size > self._limit:
            raise No(f"A message may have {self._limit} octets", b"TOOBIG")
        self._free -= octets
        if self._free <= 0:
            raise No(DISK_FULL.text, b"UNAVAILABLE")

    async def into(self, name: str) -> tuple[IFolder, list[int]]:
        """Make them messages of the folder of that name, durable, all or none; the folder and their UIDs."""

        def append() -> tuple[IFolder, list[int]]:
            folder = self._session.account.folder(name)
            messages = [(one.path, one.flags, one.internal_date) for one in self._messages]
            return folder, folder.append_all(messages, flushed=False)

        return await self._kept(append)

    async def replace(self, folder: IFolder, uid: int, target: IFolder) -> int:
        """Make the only one a message of `target` in place of `folder`'s message `uid`; its UID."""
        one = self._last

        def replace() -> int:
            return folder.replace(uid, one.path, one.flags, one.internal_date, target)

        return await self._kept(replace)

    async def _kept(self, store: Callable[[], Kept]) -> Kept:
        try:
            kept: Kept = await self._session.labour(self._finish, store)
        except NoSuchFolder:
            raise no_target() from None
        return kept

    async def end(self) -> None:
        """Remove the files that have not become messages."""
        if any(one.path for one in self._messages):
            await self._session.threads.run(self._discard)

    # In a thread

    def _write(self) -> None:
        """What is held, each to its file. Files of whole messages are closed."""
        try:
            while self._written < len(self._messages):
                one = self._messages[self._written]
                if one.held:
                    self._open(one)
                    self._disk.write(one.descriptor, b"".join(one.held))
                    one.held.clear()
                if not one.whole:
                    break
                self._close(one)
                self._written += 1
        except OSError as error:
            raise _passing(error) from error
        self._waiting = 0

    def _open(self, one: Upload) -> None:
        if one.descriptor < 0:
            one.descriptor, one.path = self._session.account.new_file()

    def _close(self, one: Upload) -> None:
        if one.descriptor >= 0:
            descriptor, one.descriptor = one.descriptor, -1
            self._disk.close(descriptor)

    def _copy(self, blocks: Iterator[bytes]) -> None:
        self._write()
        try:
            self._open(self._last)
            for block in blocks:
                self._disk.write(self._last.descriptor, block)
        except OSError as error:
            raise _passing(error) from error

    def _finish(self, store: Callable[[], Kept]) -> Kept:
        self._last.whole = True
        self._write()
        try:
            for one in self._messages:
                if one.binary:
                    one.path = without_binary(self._disk, one.path, self._session.account.new_file)
        except OSError as error:
            raise _passing(error) from error
        kept = store()
        for one in self._messages:
            one.path = ""
        return kept

    def _discard(self) -> None:
        for one in self._messages:
            path, one.path = one.path, ""
            try:
                self._close(one)
                if path:
                    self._disk.unlink(path)
            except OSError as error:
                self._session.journal.trouble("removing a message that was not kept", error)


def no_target() -> No:
    """Before the client sends a message, or when somebody took the folder away while it did."""
    return No("There is no such mailbox; create it first", b"TRYCREATE")


def empty() -> No:
    return No("An empty message cannot be kept", b"CANNOT")


def _passing(error: OSError) -> TryAgain:
    return TryAgain(DISK_FULL) if error.errno in (ENOSPC, EDQUOT) else TryAgain()
