"""How long a client may take: counted from the last whole thing that it said, not from its last octet.

Knows the limits and what counts as getting on; refuses to know timers, and what a client is told when one is over.

*Note: an octet a minute.* Who counts silence only keeps a connection for ever on which somebody says an octet a minute.
So a line must be whole within the time that silence may last. A message is allowed the time that its octets take at a
pace which any line reached thirty years ago. And who keeps saying whole lines, but neither begins nor ends a message,
has made no use of its place for so long that somebody else may have it. Recipients count for something: thousands of
them, each asked for in a round trip of its own over a slow line, take longer than that.
"""

from __future__ import annotations

import math

LINE_S = 300.0
"""RFC 5321 4.5.3.2.7: a server waits at least five minutes for the next command."""
SILENT_S = 180.0
"""RFC 5321 4.5.3.2.5, the client's own limit for a block of a message."""
PACE = 500
"""Octets of a message a second, beyond what `LINE_S` allows it."""
FRUITLESS_S = 1_800.0
RECIPIENT_S = 1.0
"""What each recipient that was accepted adds: the round trip of a line by satellite, and then some."""
HANDSHAKE_S = 60.0


class Patience:
    """One session's, from its banner on. Moments are seconds of any one clock; `octets` are all that came so far."""

    __slots__ = ("_before", "_begun", "_fruit", "_got_on", "_handshake_ends", "_heard")

    def __init__(self, now: float) -> None:
        self._heard = self._got_on = self._fruit = self._begun = now
        self._before = 0
        self._handshake_ends = math.inf

    def heard(self, now: float) -> None:
        """Octets came."""
        self._heard = now

    def got_on(self, now: float) -> None:
        """A line was whole, or it is the client's turn again."""
        self._heard = self._got_on = now

    def message_begins(self, now: float, octets: int) -> None:
        self._heard = self._begun = now
        self._before = octets

    def message_ends(self, now: float) -> None:
        self._heard = self._got_on = self._fruit = now

    def shakes_hands(self, now: float) -> None:
        """TLS begins."""
        self._handshake_ends = now + HANDSHAKE_S

    def shook_hands(self, now: float) -> None:
        self._handshake_ends = math.inf
        self.got_on(now)

    @property
    def in_handshake(self) -> bool:
        return self._handshake_ends < math.inf

    def left(self, now: float, *, receiving: bool, octets: int, recipients: int = 0) -> float:
        """Seconds until it is over, if nothing more comes.

        `receiving`: in a message, between its chunks too; `recipients`: of the message that is to come.
        """
        if self.in_handshake:
            ends = self._handshake_ends
        elif receiving:
            ends = min(self._heard + SILENT_S, self._begun + LINE_S + (octets - self._before) / PACE)
        else:
            ends = min(self._got_on + LINE_S, self._fruit + FRUITLESS_S + recipients * RECIPIENT_S)
        return ends - now
