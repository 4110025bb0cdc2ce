"""A message's octets from its file: whole, in blocks, or looked through. Blocking: for threads.

Knows the file and how much of it is kept in memory; refuses to know who waits for the octets.
"""

from __future__ import annotations

import os
from typing import Protocol

from unitymail.interfaces.relay import Outgoing
from unitymail.mail.envelope import Body
from unitymail.relay.fitting import Nature

BLOCK = 131_072
SMALL = 65_536
"""Octets up to which a message is read at once."""
LONGEST_LINE = 998
"""RFC 5321 4.5.3.1.6: longer lines are no text (RFC 2045 2.8)."""


class Form(Protocol):
    """How octets go over the wire (`relay.stuffing`)."""

    def block(self, octets: bytes) -> bytes: ...

    def end(self) -> bytes: ...


def whole(outgoing: Outgoing, form: Form) -> bytes:
    """The whole message in the form given, ended; for small ones. Raises OSError."""
    blocks = Blocks(outgoing, form)
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
    """The message in blocks of some `BLOCK` octets, the last with what ends it. Raises OSError for a file of another
    size: half a message must not look whole.
    """

    def __init__(self, outgoing: Outgoing, form: Form) -> None:
        self._form = form
        self._head = outgoing.head
        self._file = os.open(outgoing.path, os.O_RDONLY | os.O_CLOEXEC)
        self._size = os.fstat(self._file).st_size
        self._at = outgoing.offset
        self.at_end = False
        if self._size - self._at != outgoing.size - len(outgoing.head):
            self.close()
            raise OSError(f"the message file has {self._size:,} octets, which is not what was accepted")

    def next(self) -> bytes:
        """Once `at_end`, there are no more. Raises OSError when the file has become shorter."""
        octets = os.pread(self._file, max(0, min(BLOCK, self._size - self._at)), self._at)
        self._at += len(octets)
        self.at_end = self._at >= self._size
        if not octets and not self.at_end:
            raise OSError("the message file has become shorter while it was read")
        if self._head:
            octets, self._head = self._head + octets, b""
        return self._ready(octets)

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


def nature_of(outgoing: Outgoing) -> Nature:
    """The least that a server must take to get this message unharmed."""
    blocks = Blocks(outgoing, _Untouched())
    try:
        look = _Look(text=outgoing.body == "8bitmime")
        while not blocks.at_end:
            look.at(blocks.next())
        return look.finding()
    finally:
        blocks.close()


class _Look:
    """What is known so far of a message whose lines end with CRLF; `_line` is the length of the one not ended.

    What was declared as `text` is that, however long its lines are: those go on as they came.
    """

    def __init__(self, *, text: bool) -> None:
        self._declared = text
        self._ascii = True
        self._text = True
        self._ascii_header = True
        self._in_header = True
        self._line = 0
        self._last = b""

    def at(self, octets: bytes) -> None:
        if self._in_header:
            self._look_at_header(octets)
        self._ascii = self._ascii and octets.isascii()
        if self._text and not self._declared:
            self._text = b"\0" not in octets and self._lines_are_short(octets)

    def _look_at_header(self, octets: bytes) -> None:
        seen = self._last + octets
        end = seen.find(b"\r\n\r\n")
        self._ascii_header = self._ascii_header and (seen if end < 0 else seen[:end]).isascii()
        self._in_header = end < 0
        self._last = seen[-3:]

    def _lines_are_short(self, octets: bytes) -> bool:
        first, *others = octets.split(b"\n")
        self._line += len(first)
        if not others:
            return self._line <= LONGEST_LINE + 1
        longest = max(self._line, *map(len, others))
        self._line = len(others[-1])
        return longest <= LONGEST_LINE + 1

    def finding(self) -> Nature:
        body: Body = "binarymime"
        if self._text:
            body = "7bit" if self._ascii else "8bitmime"
        return Nature(body, self._ascii_header)
