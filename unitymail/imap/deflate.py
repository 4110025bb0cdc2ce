"""A connection's octets made small (RFC 1951) on their way out, and large again on their way in; both in bounded steps.

Knows zlib and the reactor's time; refuses to know what the octets mean.

Note *What it costs.* A compressor holds about 260 KiB, so one that had nothing to do for `REST_S` is thrown away: what
it wrote ends at a whole octet, and a new one simply goes on behind it, without the memory of what was said before. What
opens the client's octets cannot be thrown away, since they may refer to the last 32 KiB; it holds about 40 KiB.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable
from typing import Any

from unitymail.interfaces.turns import ITurns

RAW = -15
LEVEL = 6
STEP = 32_768
"""Octets compressed at a time: some 0.6 ms."""
PIECE = 65_536
"""Octets opened at a time; how few of the client's these come from makes no difference."""
REST_S = 5.0


class Garbled(Exception):
    """What the client sends cannot be opened."""


class Deflating:
    """`write` takes octets, `out` gets what becomes of them. `waiting`: octets for which this turn had no time.

    `emptied` is called when nothing waits any more. While `held`, nothing is made of what waits: whoever reads it is
    full.
    """

    __slots__ = ("_clock", "_coming", "_emptied", "_out", "_pieces", "_resting", "_squeeze", "_turns", "_unflushed",
                 "_used", "held", "waiting")  # fmt: skip

    def __init__(
        self, out: Callable[[bytes], None], *, turns: ITurns, clock: Any, emptied: Callable[[], None]
    ) -> None:
        self.waiting = 0
        self.held = False
        self._out = out
        self._turns = turns
        self._clock = clock
        self._emptied = emptied
        self._pieces: deque[memoryview] = deque()
        self._squeeze: Any = None
        self._unflushed = self._coming = self._used = False
        self._resting: Any = None

    def write(self, octets: bytes) -> None:
        if not self.waiting and len(octets) <= STEP:
            self._take(octets)
            return
        self.waiting += len(octets)
        self._pieces.append(memoryview(octets))
        self._come_back()

    def go_on(self) -> None:
        """There is room again."""
        self.held = False
        self._come_back()

    def finish(self) -> None:
        """Nothing more will be written: give out what is held back. For when nothing waits."""
        self._flush()

    def leave(self) -> None:
        """Nobody is left to read."""
        self.waiting = 0
        self._pieces.clear()
        self._squeeze = None
        self._unflushed = False
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None

    def _come_back(self) -> None:
        if self.waiting and not self._coming and not self.held:
            self._coming = True
            self._turns.queue(self._work)

    def _work(self) -> None:
        """What waits, in steps, while the turn lasts and there is room."""
        self._coming = False
        self._turns.begin()
        while self._pieces and not self.held:
            piece = self._pieces.popleft()
            if len(piece) > STEP:
                self._pieces.appendleft(piece[STEP:])
            self.waiting -= min(len(piece), STEP)
            self._take(piece[:STEP])
            if not self._turns.lasts():
                break
        self._turns.end()
        if self.waiting:
            self._come_back()
        else:
            self._emptied()

    def _take(self, octets: bytes | memoryview) -> None:
        if self._squeeze is None:
            self._squeeze = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW)
        if octets_out := self._squeeze.compress(octets):
            self._out(octets_out)
        if not self._unflushed:
            # What is said in one turn of the reactor leaves together.
            self._unflushed = True
            self._clock.callLater(0, self._flush)

    def _flush(self) -> None:
        if self._unflushed:
            self._unflushed = False
            self._used = True
            self._out(self._squeeze.flush(zlib.Z_SYNC_FLUSH))
            if self._resting is None:
                self._resting = self._clock.callLater(REST_S, self._rest)

    def _rest(self) -> None:
        self._resting = None
        if self._used or self._unflushed:
            self._used = False
            self._resting = self._clock.callLater(REST_S, self._rest)
        else:
            self._squeeze = None


class Inflating:
    """`feed` takes the client's octets, `more` opens a piece of them. `waiting`: octets not opened yet."""

    __slots__ = ("_more_inside", "_open", "_waiting")

    def __init__(self) -> None:
        self._open = zlib.decompressobj(RAW)
        self._waiting = b""
        self._more_inside = False

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def feed(self, octets: bytes) -> None:
        self._waiting += octets

    def more(self) -> bytes:
        """Up to `PIECE` octets; b"" when the client has to say more first. Raises Garbled."""
        if not self._waiting and not self._more_inside:
            return b""
        if self._open.eof:
            raise Garbled
        try:
            octets = self._open.decompress(self._waiting, PIECE)
        except zlib.error as error:
            raise Garbled from error
        self._waiting = self._open.unused_data if self._open.eof else self._open.unconsumed_tail
        # A piece that is full may leave octets inside, of which nothing is seen from here.
        self._more_inside = len(octets) == PIECE and not self._open.eof
        return octets
