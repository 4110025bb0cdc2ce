"""What one IMAP connection tells the metrics: its octets, its tagged responses, how long they took.

Refuses to know the connection. Octets are told with the next tagged response, not one by one.
"""

from __future__ import annotations

from unitymail.interfaces.metrics import IMetrics

CLIENTS_TIME = frozenset(("IDLE", "AUTHENTICATE"))
"""How long these take is up to the client."""


class Meter:
    """`since` is when the connection came (seconds), `octets_in` what it said so far: the connection counts that."""

    __slots__ = ("_door", "_metrics", "_told_in", "_told_out", "octets_in", "since")

    def __init__(self, door: str, metrics: IMetrics, since: float) -> None:
        self._door = door
        self._metrics = metrics
        self._told_in = self._told_out = 0
        self.octets_in = 0
        self.since = since

    def replied(self, status: bytes) -> None:
        """The word of a response: OK, NO, BAD or BYE."""
        self._metrics.replied(self._door, status.decode("ascii"))

    def answered(self, verb: str, status: bytes, seconds: float, octets_out: int) -> None:
        """A command has its tagged response; `octets_out` is all that was written so far."""
        self.replied(status)
        if verb not in CLIENTS_TIME:
            self._metrics.took(self._door, verb, max(seconds, 0.0))
        self._tell(octets_out)

    def closed(self, octets_out: int) -> None:
        """The connection has ended."""
        self._tell(octets_out)
        self._metrics.disconnected(self._door)

    def _tell(self, octets_out: int) -> None:
        self._metrics.octets_in(self._door, self.octets_in - self._told_in)
        self._metrics.octets_out(self._door, octets_out - self._told_out)
        self._told_in, self._told_out = self.octets_in, octets_out
