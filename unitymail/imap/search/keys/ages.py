"""OLDER and YOUNGER (RFC 5032): how long ago a message arrived, in seconds, by its internal date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unitymail.imap.search.key import Arguments, key
from unitymail.imap.search.leaf import Probe, RowProbe, Verdicts


@dataclass(frozen=True, slots=True)
class Younger:
    """Arrived at this moment (Unix seconds) or later."""

    than: float

    def probes(self) -> tuple[Probe, ...]:
        return (RowProbe(("date",), self._judge),)

    def _judge(self, moments: Sequence[int]) -> Verdicts:
        than = self.than
        return bytes([moment >= than for moment in moments])


@dataclass(frozen=True, slots=True)
class Older:
    """Arrived at this moment or earlier: a message on the boundary is both (RFC 5032, 3)."""

    than: float

    def probes(self) -> tuple[Probe, ...]:
        return (RowProbe(("date",), self._judge),)

    def _judge(self, moments: Sequence[int]) -> Verdicts:
        than = self.than
        return bytes([moment <= than for moment in moments])


@key("OLDER")
def _older(arguments: Arguments, name: str) -> Older:
    return Older(arguments.here.now - _interval(arguments))


@key("YOUNGER")
def _younger(arguments: Arguments, name: str) -> Younger:
    return Younger(arguments.here.now - _interval(arguments))


def _interval(arguments: Arguments) -> int:
    arguments.reader.space()
    return arguments.reader.number(low=1)
