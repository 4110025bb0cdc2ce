"""A message while it is received: small ones in memory, larger ones in an intake file. Never looks inside.

Note *Head room*. Our own header block is known only after the last octet. A large message's file therefore begins
with reserved octets, which the block fills at the commit (`mail.trace.padded`). They are a whole number of pages, so
that what was received can be mapped into memory by itself: readers want a real mmap that begins with the message.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from zope.interface import implementer

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.spool import MAX_HEAD, IIncoming
from unitymail.mail.trace import padded
from unitymail.spool.places import unlink_if_there
from unitymail.spool.trouble import try_again

IN_MEMORY = 64 * 1024
HEAD_ROOM = -(-MAX_HEAD // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY


@implementer(IIncoming)
class Incoming:
    """`path` is the intake file, whether it exists yet or not. `settle` and `remove` are for the committer."""

    def __init__(self, trace: str, path: str, disk: IDisk, arrived: float | None = None) -> None:
        self.trace = trace
        self.arrived = arrived
        self.path = path
        self.size = 0
        self.head = 0
        self._disk = disk
        self._blocks: list[bytes] = []
        self._fd: int | None = None
        self._hash = hashlib.sha256()
        self._created = False
        self._over = False

    # while it is received (reactor thread)

    def write(self, block: bytes) -> None:
        if self._over:
            raise TryAgain(why="written after it was abandoned")
        try:
            if self._fd is None and self.size + len(block) > IN_MEMORY:
                self._spill()
            if self._fd is None:
                self._blocks.append(block)
            else:
                self._hash.update(block)
                self._disk.write(self._fd, block)
        except OSError as error:
            self.abandon()
            raise try_again(error) from error
        self.size += len(block)

    def _spill(self) -> None:
        received = b"".join(self._blocks)
        self._disk.write(self._create(), bytes(HEAD_ROOM) + received)
        self._hash.update(received)
        self._blocks = []

    @contextmanager
    def content(self) -> Iterator[bytes | mmap.mmap]:
        if self._fd is None:
            yield self._received()
            return
        with mmap.mmap(self._fd, self.size, access=mmap.ACCESS_READ, offset=HEAD_ROOM) as view:
            yield view

    def in_memory(self) -> bool:
        return self._fd is None

    def abandon(self) -> None:
        if not self._over:
            self.remove()

    # at the commit (any thread)

    @property
    def total(self) -> int:
        """Octets of the whole file, once the head is known."""
        return self.head + self.size

    def settle(self, head: bytes) -> None:
        """Write what is not written yet; `flush` must follow. Raises OSError."""
        if self._fd is None:
            received = self._received()
            self._hash.update(received)
            self.head = len(head)
            self._disk.write(self._create(), head + received)
        else:
            self.head = HEAD_ROOM
            self._disk.write_at(self._fd, padded(head, HEAD_ROOM), 0)

    def flush(self) -> None:
        """Return once the octets are durable, and close the file. Raises OSError."""
        assert self._fd is not None
        self._disk.flush(self._fd)
        self._close()
        self._over = True
        self._blocks = []

    def sha256(self) -> str:
        """Of the octets received, our head not counted."""
        return self._hash.hexdigest()

    def remove(self) -> None:
        """Take the file away, as far as the disk lets us; what stays is removed at the next start."""
        self._over = True
        self._blocks = []
        with suppress(OSError):
            self._close()
            if self._created:
                unlink_if_there(self._disk, self.path)

    def _received(self) -> bytes:
        if len(self._blocks) != 1:
            self._blocks = [b"".join(self._blocks)]
        return self._blocks[0]

    def _create(self) -> int:
        self._fd = self._disk.create(self.path)
        self._created = True
        return self._fd

    def _close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            self._disk.close(fd)


def owner_of(name: str) -> tuple[str, str]:
    """(trace, owner) of the name of an intake file."""
    trace, _, owner = os.path.basename(name).partition(".")
    return trace, owner
