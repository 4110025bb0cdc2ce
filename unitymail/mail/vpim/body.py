"""A part's decoded body as a file: read and sought in without the whole of it ever being in memory.

Knows base64 and quoted-printable in pieces, to the same octets as `transfer` gives for the whole; refuses to know
what the octets mean.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from unitymail.mail.part import Octets, Part
from unitymail.mail.transfer import from_base64, from_quoted_printable
from unitymail.mail.windows import let_go

BLOCK = 1 << 16
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_LONGEST_QUOTED_LINE = 1 << 20


class _Mark(NamedTuple):
    """Decoding goes on at `raw` of the message with `carry` in hand, and has given `decoded` octets before."""

    decoded: int
    raw: int
    carry: bytes


class Body(io.RawIOBase):
    """The body of one leaf part, seekable, for one reader. Reading gives at most what one block decodes to."""

    def __init__(self, buffer: Octets, part: Part) -> None:
        super().__init__()
        self._buffer = buffer
        self._end = part.end
        self._encoding = part.encoding
        self._marks = [_Mark(0, part.body, b"")]
        self._size: int | None = None
        self._at = 0
        self._block = b""
        self._block_at = 0
        self._next = self._marks[0]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset += self._at
        elif whence == io.SEEK_END:
            offset += self.size
        if offset < 0:
            raise ValueError("a place before the beginning")
        self._at = offset
        return offset

    @property
    def size(self) -> int:
        """Octets decoded; finding out reads on to the end."""
        if self._size is None:
            self._go_to(self._marks[-1])
            while self._advance():
                pass
        assert self._size is not None
        return self._size

    def readinto(self, into: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._reach():
            return 0
        start = self._at - self._block_at
        octets = self._block[start : start + len(into)]
        into[: len(octets)] = octets
        self._at += len(octets)
        return len(octets)

    def blocks(self) -> Iterator[bytes]:
        """What is left, in pieces of no certain size."""
        while self._reach():
            octets = self._block[self._at - self._block_at :]
            self._at += len(octets)
            yield octets

    def _reach(self) -> bool:
        """Have the block in hand that `_at` lies in; False beyond the end."""
        if not self._is_in_hand():
            mark = self._marks[bisect_right(self._marks, self._at, key=lambda mark: mark.decoded) - 1]
            if self._at < self._block_at or mark.raw > self._next.raw:
                self._go_to(mark)
        while not self._is_in_hand():
            if not self._advance():
                return False
        return True

    def _is_in_hand(self) -> bool:
        return self._block_at <= self._at < self._block_at + len(self._block)

    def _go_to(self, mark: _Mark) -> None:
        self._block, self._block_at, self._next = b"", mark.decoded, mark

    def _advance(self) -> bool:
        """Decode the next block; False when there is none."""
        mark = self._next
        if mark.raw >= self._end:
            self._size = mark.decoded
            return False
        stop = self._stop(mark.raw)
        raw = mark.carry + self._buffer[mark.raw : stop]
        let_go(self._buffer, mark.raw, stop)
        self._block, carry = self._decoded(raw, last=stop >= self._end)
        self._block_at = mark.decoded
        self._next = _Mark(mark.decoded + len(self._block), stop, carry)
        self._remember(self._next)
        return True

    def _remember(self, mark: _Mark) -> None:
        """The last place with so many octets before it: who comes back need not read again what decodes to nothing."""
        last = self._marks[-1]
        if mark.raw > last.raw:
            if mark.decoded == last.decoded:
                self._marks.pop()
            self._marks.append(mark)

    def _stop(self, start: int) -> int:
        stop = min(start + BLOCK, self._end)
        if self._encoding != "quoted-printable" or stop == self._end:
            return stop
        line_end = self._buffer.find(b"\n", stop, min(stop + _LONGEST_QUOTED_LINE, self._end))
        return stop if line_end < 0 else line_end + 1

    def _decoded(self, raw: bytes, *, last: bool) -> tuple[bytes, bytes]:
        if self._encoding == "quoted-printable":
            return from_quoted_printable(raw), b""
        if self._encoding != "base64":
            return raw, b""
        if last:
            return from_base64(raw), b""
        clean = raw.translate(None, _NOT_BASE64)
        open_from = clean.rfind(b"=") + 1
        keep = len(clean) - (len(clean) - open_from) % 4
        return from_base64(clean[:open_from]) + from_base64(clean[open_from:keep]), clean[keep:]
