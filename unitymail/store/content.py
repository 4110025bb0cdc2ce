"""The octets of one message, in CRLF form whatever the file's line ends.

Knows small and large files and line ends; refuses to know whose message it is.
"""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Callable
from io import IncrementalNewlineDecoder

from zope.interface import implementer

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.store import IContent
from unitymail.mail.windows import blocks
from unitymail.store.keeping import copy_to, open_plain

SMALL = 64 * 1024
CONVERT_IN_MEMORY = 1024 * 1024
FIRST_LINE = 1024


class MappedFile(mmap.mmap):
    """A file as memory, and the file itself: a read can fail with OSError where touching memory ends the process."""

    descriptor = -1

    @classmethod
    def over(cls, descriptor: int) -> MappedFile:
        """Of the whole file; the descriptor stays the caller's."""
        mapped = cls(descriptor, 0, access=mmap.ACCESS_READ)
        mapped.descriptor = os.dup(descriptor)
        return mapped

    def read_at(self, offset: int, length: int) -> bytes:
        octets = os.pread(self.descriptor, length, offset)
        if len(octets) < length:
            raise OSError(errno.EIO, "the file of a message has become shorter")
        return octets

    def close(self) -> None:
        super().close()
        if self.descriptor >= 0:
            descriptor, self.descriptor = self.descriptor, -1
            os.close(descriptor)


@implementer(IContent)
class Content:
    """`buffer` is bytes for small messages and a mapping of the file for others."""

    def __init__(self, buffer: bytes | mmap.mmap) -> None:
        self.buffer = buffer
        self.size = len(buffer)

    def read(self, offset: int, length: int) -> bytes:
        if isinstance(self.buffer, MappedFile):
            return self.buffer.read_at(offset, length)
        return self.buffer[offset : offset + length]

    def close(self) -> None:
        if isinstance(self.buffer, mmap.mmap):
            self.buffer.close()


def open_file(path: bytes) -> bytes | mmap.mmap:
    """The file as it is. Raises FileNotFoundError, also for what is no file: a link would lead elsewhere."""
    descriptor = open_plain(path)
    try:
        octets = os.read(descriptor, SMALL + 1)
        return octets if len(octets) <= SMALL else MappedFile.over(descriptor)
    finally:
        os.close(descriptor)


def is_in_crlf_form(buffer: bytes | mmap.mmap) -> bool:
    """Whether no line feed stands alone. The decoder goes through it once, in a third of the time of counting; files
    of other programs mostly tell by their first line.
    """
    first = buffer.find(b"\n", 0, FIRST_LINE)
    if first >= 0 and buffer[first - 1 : first] != b"\r":
        return False
    decoder = IncrementalNewlineDecoder(None, translate=False)
    for block in (buffer,) if isinstance(buffer, bytes) else blocks(buffer, 0, len(buffer)):
        decoder.decode(block.decode("latin-1"))
    newlines = decoder.newlines or ()
    return "\n" not in ((newlines,) if isinstance(newlines, str) else newlines)


def crlf_size(buffer: bytes | mmap.mmap) -> int:
    """How long the CRLF form is."""
    if is_in_crlf_form(buffer):
        return len(buffer)
    return len(buffer) + sum(map(_bare_line_feeds, blocks(buffer, 0, len(buffer))))


def _bare_line_feeds(block: bytes) -> int:
    """To look for one octet is far quicker than for two: files of other programs mostly have no CR at all."""
    return block.count(b"\n") - (block.count(b"\r\n") if b"\r" in block else 0)


def in_crlf_form(buffer: bytes | mmap.mmap, disk: IDisk, temporary: Callable[[], str]) -> bytes | mmap.mmap:
    """The CRLF form of a buffer that has bare line feeds; a large one by way of a file that has no name any more."""
    if len(buffer) <= CONVERT_IN_MEMORY:
        return converted(buffer[:])
    pieces = map(converted, blocks(buffer, 0, len(buffer)))
    path = temporary()
    try:
        copy_to(disk, lambda _: next(pieces, b""), path)
        return open_file(os.fsencode(path))
    finally:
        if os.path.lexists(path):
            disk.unlink(path)


def converted(octets: bytes) -> bytes:
    """Every bare LF as CRLF; what is CRLF already stays."""
    if b"\r" in octets:
        octets = octets.replace(b"\r\n", b"\n")
    return octets.replace(b"\n", b"\r\n")
