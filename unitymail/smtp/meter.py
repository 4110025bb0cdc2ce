"""What a session tells those who watch: octets, replies by their codes, and how long an answer took that had to wait.

Knows how replies look on the wire; refuses to know what they mean. Called for every read and every write: one pass of a
compiled expression for all replies of a write, and no other work.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from unitymail.interfaces.metrics import IMetrics

_codes = re.compile(rb"^([2-5][0-9][0-9]) ", re.MULTILINE).findall
"""Of each reply its last line, the one without a hyphen (RFC 5321 4.2)."""
_NAMES = {b"%d" % code: str(code) for code in range(200, 600)}


class Meter:
    """One session's."""

    __slots__ = ("_asked", "_door", "_metrics", "_seconds", "_what", "began", "octets_in", "octets_out")

    def __init__(self, door: str, metrics: IMetrics, seconds: Callable[[], float]) -> None:
        self._door = door
        self._metrics = metrics
        self._seconds = seconds
        self._what = ""
        self._asked = 0.0
        self.began = seconds()
        self.octets_in = self.octets_out = 0

    def heard(self, octets: int) -> None:
        self.octets_in += octets
        self._metrics.octets_in(self._door, octets)

    def said(self, replies: bytes) -> None:
        """Whole replies, or a banner."""
        self.octets_out += len(replies)
        metrics, door = self._metrics, self._door
        metrics.octets_out(door, len(replies))
        for code in _codes(replies):
            metrics.replied(door, _NAMES[code])

    def asked(self, what: str, began: float) -> None:
        """An answer is on its way since then: to a verb, or to a whole `message`."""
        self._what, self._asked = what, began

    def answered(self) -> None:
        """An answer is there; one that had to wait is told of. The clock may have been set back meanwhile."""
        if self._what:
            self._metrics.took(self._door, self._what, max(self._seconds() - self._asked, 0.0))
            self._what = ""
