"""A message on its way from a client into a folder: written in blocks to a file of the account, in a thread.

Memory holds one block at most. Whatever goes wrong, no file stays behind. Refuses to know IMAP's commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from errno import EDQUOT, ENOSPC

from unitymail.imap.registry import No
from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import Announced
from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.interfaces.store import IFolder

BLOCK = 131_072


class Upload:
    """`receive`, then `into`; `end` in any case. Small messages touch the disk in one visit to a thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._disk = session.door.disk
        self._held: list[bytes] = []
        self._fd = -1
        self._path = ""

    async def receive(self, announced: Announced) -> None:
        """Take the announced octets from the client. Raises No for NUL, which no message may have without BINARY."""
        waiting = 0
        while block := await self._session.client.octets():
            if b"\0" in block:
                raise No("A message cannot have NUL octets", b"UNKNOWN-CTE")
            self._held.append(block)
            waiting += len(block)
            if waiting >= BLOCK:
                await self._session.run(self._write)
                waiting = 0

    async def into(self, folder: IFolder, flags: Sequence[str], internal_date: float | None) -> int:
        """Make it a message of `folder`, durable; its UID."""
        uid: int = await self._session.run(self._finish, folder, flags, internal_date)
        return uid

    async def end(self) -> None:
        """Remove the file if it has not become a message."""
        if self._path:
            await self._session.threads.run(self._discard)

    # In a thread

    def _write(self) -> None:
        held, self._held = self._held, []
        try:
            if self._fd < 0:
                self._fd, self._path = self._session.account.new_file()
            self._disk.write(self._fd, b"".join(held))
        except OSError as error:
            raise _passing(error) from error

    def _finish(self, folder: IFolder, flags: Sequence[str], internal_date: float | None) -> int:
        self._write()
        try:
            self._disk.flush(self._fd)
        except OSError as error:
            raise _passing(error) from error
        self._close()
        uid = folder.append(self._path, flags, internal_date)
        self._path = ""
        return uid

    def _close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            self._disk.close(fd)

    def _discard(self) -> None:
        path, self._path = self._path, ""
        self._close()
        try:
            self._disk.unlink(path)
        except OSError as error:
            self._session.journal.trouble("removing a message that was not kept", error)


def _passing(error: OSError) -> TryAgain:
    return TryAgain(DISK_FULL) if error.errno in (ENOSPC, EDQUOT) else TryAgain()
