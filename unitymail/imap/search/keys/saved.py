"""SAVEDBEFORE, SAVEDON, SAVEDSINCE and SAVEDATESUPPORTED (RFC 8514): when a message came into this mailbox.

Save dates are moments without a time zone of their own: their day is that of UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unitymail.imap.search.key import Arguments, key
from unitymail.imap.search.keys.dates import DAY_S, EPOCH, Days, days
from unitymail.imap.search.keys.sets import All
from unitymail.imap.search.leaf import Probe, RowProbe, Verdicts


@dataclass(frozen=True, slots=True)
class Saved:
    days: Days

    def probes(self) -> tuple[Probe, ...]:
        return (RowProbe(("saved",), self._judge),)

    def _judge(self, moments: Sequence[int]) -> Verdicts:
        begin, end = (self.days.first - EPOCH) * DAY_S, (self.days.last - EPOCH + 1) * DAY_S
        return bytes([begin <= moment < end for moment in moments])


@key("SAVEDBEFORE", "SAVEDON", "SAVEDSINCE")
def _saved(arguments: Arguments, name: str) -> Saved:
    return Saved(days(arguments, name.removeprefix("SAVED")))


@key("SAVEDATESUPPORTED")
def _supported(arguments: Arguments, name: str) -> All:
    """Every mailbox here keeps save dates."""
    return All()
