"""A message's octets from its file: whole, in blocks, or looked through. Blocking: for threads.

Knows the file, how much of it is kept in memory, and the form for hops that take no 8-bit text; refuses to know who
waits for the octets.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from unitymail.interfaces.relay import Outgoing
from unitymail.mail.part import Octets
from unitymail.mail.recoding import Hindrance, Plan, plan, written
from unitymail.mail.structure import scan
from unitymail.relay.fitting import Nature

BLOCK = 131_072
SMALL = 65_536
"""Octets up to which a message is read at once."""


class Form(Protocol):
    """How octets go over the wire (`relay.stuffing`)."""

    def block(self, octets: bytes) -> bytes: ...

    def end(self) -> bytes: ...


def whole(outgoing: Outgoing, form: Form, made: Plan | None = None) -> bytes:
    """The whole message in the form given, ended; for small ones. Raises OSError."""
    blocks = Blocks(outgoing, form, made)
    try:
        return blocks.all()
    finally:
        blocks.close()


def whole_if_cached(outgoing: Outgoing, form: Form) -> bytes | None:
    """As `whole`, where no disk need be waited for; None where one may have to be. Raises OSError."""
    if outgoing.content:
        return form.block(outgoing.head + outgoing.content) + form.end()
    expected = outgoing.size - len(outgoing.head)
    octets = bytearray(expected + 1)
    file = os.open(outgoing.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.preadv(file, [octets], outgoing.offset, os.RWF_NOWAIT) != expected:
            return None
    except OSError:
        # EAGAIN: not cached. EOPNOTSUPP: this file system cannot say.
        return None
    finally:
        os.close(file)
    octets.pop()
    return form.block(outgoing.head + octets) + form.end()


class Blocks:
    """The message in blocks of some `BLOCK` octets, the last with what ends it; by the plan `made`, where there is one.

    Raises OSError for a file of another size: half a message must not look whole.
    """

    def __init__(self, outgoing: Outgoing, form: Form, made: Plan | None = None) -> None:
        self._form = form
        self._head = outgoing.head
        self._offset = outgoing.offset
        self._file = os.open(outgoing.path, os.O_RDONLY | os.O_CLOEXEC)
        self._size = os.fstat(self._file).st_size - self._offset
        self._left = made.size if made is not None else self._size
        self._octets = written(made, self._read) if made is not None else self._as_they_are()
        self.at_end = False
        if self._size != outgoing.size - len(outgoing.head):
            self.close()
            raise OSError(f"the message file has {self._size + self._offset:,} octets, which is not what was accepted")

    def next(self) -> bytes:
        """Once `at_end`, there are no more. Raises OSError when the file has become shorter."""
        found = [self._head]
        size, self._head = 0, b""
        while size < min(BLOCK, self._left):
            found.append(next(self._octets))
            size += len(found[-1])
        self._left -= size
        self.at_end = not self._left
        return self._ready(b"".join(found))

    def _as_they_are(self) -> Iterator[bytes]:
        for start in range(0, self._size, BLOCK):
            yield self._read(start, min(start + BLOCK, self._size))

    def _read(self, start: int, end: int) -> bytes:
        octets = os.pread(self._file, end - start, self._offset + start)
        if len(octets) < end - start:
            raise OSError("the message file has become shorter while it was read")
        return octets

    def _ready(self, octets: bytes) -> bytes:
        ready = self._form.block(octets)
        return ready + self._form.end() if self.at_end else ready

    def all(self) -> bytes:
        """Everything that is left."""
        found = self.next()
        while not self.at_end:
            found += self.next()
        return found

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class _Untouched:
    def block(self, octets: bytes) -> bytes:
        return octets

    def end(self) -> bytes:
        return b""


def nature_of(outgoing: Outgoing, seven_bit: bool = False) -> Nature:
    """The least that a server must take to get this message unharmed; with `seven_bit` how to do without, if need be.

    Raises OSError.
    """
    ascii_only, ascii_header = _look(outgoing)
    if ascii_only:
        return Nature("7bit", ascii_header)
    return Nature("8bitmime", ascii_header, _without_eight_bit(outgoing) if seven_bit else None)


def _without_eight_bit(outgoing: Outgoing) -> Plan | Hindrance:
    with _received(outgoing) as buffer:
        return plan(buffer, scan(buffer), eight_bit=False)


@contextmanager
def _received(outgoing: Outgoing) -> Iterator[Octets]:
    """What the file holds of the message; large ones are mapped, not read."""
    with open(outgoing.path, "rb") as file:
        size = os.fstat(file.fileno()).st_size - outgoing.offset
        if size > SMALL and outgoing.offset % mmap.ALLOCATIONGRANULARITY == 0:
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ, offset=outgoing.offset) as view:
                yield view
        else:
            file.seek(outgoing.offset)
            yield file.read()


def _look(outgoing: Outgoing) -> tuple[bool, bool]:
    """(whether all of it is ASCII, whether its header is)."""
    blocks = Blocks(outgoing, _Untouched())
    header, all_ascii, header_ascii, last = True, True, True, b""
    try:
        while not blocks.at_end:
            octets = blocks.next()
            all_ascii = all_ascii and octets.isascii()
            if header:
                seen = last + octets
                end = seen.find(b"\r\n\r\n")
                header_ascii = header_ascii and (seen if end < 0 else seen[:end]).isascii()
                header, last = end < 0, seen[-3:]
    finally:
        blocks.close()
    return all_ascii, header_ascii
