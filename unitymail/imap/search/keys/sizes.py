"""LARGER and SMALLER: octets of the message in its CRLF form, as RFC822.SIZE has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unitymail.imap.search.key import Arguments, key
from unitymail.imap.search.leaf import Probe, RowProbe, Verdicts

MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Larger:
    octets: int

    def probes(self) -> tuple[Probe, ...]:
        return (RowProbe(("size",), self._judge),)

    def _judge(self, sizes: Sequence[int]) -> Verdicts:
        return bytes([size > self.octets for size in sizes])


@dataclass(frozen=True, slots=True)
class Smaller:
    octets: int

    def probes(self) -> tuple[Probe, ...]:
        return (RowProbe(("size",), self._judge),)

    def _judge(self, sizes: Sequence[int]) -> Verdicts:
        return bytes([size < self.octets for size in sizes])


@key("LARGER")
def _larger(arguments: Arguments, name: str) -> Larger:
    arguments.reader.space()
    return Larger(arguments.reader.number(high=MOST))


@key("SMALLER")
def _smaller(arguments: Arguments, name: str) -> Smaller:
    arguments.reader.space()
    return Smaller(arguments.reader.number(high=MOST))
