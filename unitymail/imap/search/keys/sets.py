"""Sequence sets, UID sets, the saved result `$` (RFC 5182) and ALL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from unitymail.imap.search import mask
from unitymail.imap.search.key import Arguments, key
from unitymail.imap.search.leaf import YES, Probe, Verdicts, ViewProbe
from unitymail.imap.view import View
from unitymail.imap.wire.sequence import SequenceSet, Span


@dataclass(frozen=True, slots=True)
class All:
    def probes(self) -> tuple[Probe, ...]:
        return (ViewProbe(lambda view: bytes([YES]) * len(view)),)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Message sequence numbers; what is beyond the last message matches nothing."""

    numbers: SequenceSet

    def probes(self) -> tuple[Probe, ...]:
        return (ViewProbe(self._judge),)

    def _judge(self, view: View) -> Verdicts:
        if self.numbers.dollar:
            return mask.verdicts(view.saved, len(view))
        return spans(len(view), self.numbers.spans_of_numbers(len(view)))


@dataclass(frozen=True, slots=True)
class Uids:
    uids: SequenceSet

    def probes(self) -> tuple[Probe, ...]:
        return (ViewProbe(self._judge),)

    def _judge(self, view: View) -> Verdicts:
        if self.uids.dollar:
            return mask.verdicts(view.saved, len(view))
        return spans(len(view), self.uids.spans_of_uids(view.uids))


def spans(count: int, inside: Iterable[Span]) -> Verdicts:
    """YES within the half-open spans, NO elsewhere."""
    verdicts = bytearray(count)
    for begin, end in inside:
        verdicts[begin:end] = bytes([YES]) * (end - begin)
    return verdicts


@key("ALL")
def _all(arguments: Arguments, name: str) -> All:
    return All()


@key("UID")
def _uid(arguments: Arguments, name: str) -> Uids:
    arguments.reader.space()
    return Uids(arguments.here.of_uids(arguments.reader.sequence_set()))
