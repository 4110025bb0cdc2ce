"""BEFORE, ON, SINCE and SENTBEFORE, SENTON, SENTSINCE: days as they were written, whatever the time zone.

Days are `datetime.date` ordinals. The index keeps the moment of the Date field in UTC, which settles all messages but
those within a day of the date asked for; only these look at the field itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from unitymail.imap.kept import body_of, picker
from unitymail.imap.search.key import Arguments, key
from unitymail.imap.search.leaf import NO, UNSURE, YES, Probe, RowProbe, Verdicts
from unitymail.mail.dates import read_date

EPOCH = date(1970, 1, 1).toordinal()
DAY_S = 86_400
_dates = picker([b"date"])


@dataclass(frozen=True, slots=True)
class Days:
    """From `first` to `last`, both included; 0 is no beginning, `date.max` no end."""

    first: int = 0
    last: int = date.max.toordinal()

    def __contains__(self, day: int) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Arrived:
    """By the internal date."""

    days: Days

    def probes(self) -> tuple[Probe, ...]:
        return (RowProbe(("day",), self._judge),)

    def _judge(self, days: Sequence[int]) -> Verdicts:
        first, last = self.days.first, self.days.last
        return bytes([first <= day <= last for day in days])


@dataclass(frozen=True, slots=True)
class Sent:
    """By the Date field; a message without a usable one counts by its internal date."""

    days: Days

    def probes(self) -> tuple[Probe, ...]:
        return RowProbe(("sent",), self._by_moment), RowProbe(("sent", "fields"), self._by_field)

    def _by_moment(self, moments: Sequence[int]) -> Verdicts:
        """The time zone is not known here: the day as written may be one off either way."""
        first, last = self.days.first - EPOCH, self.days.last - EPOCH
        surely_from, surely_below = (first + 1) * DAY_S, last * DAY_S
        maybe_from, maybe_below = (first - 1) * DAY_S, (last + 2) * DAY_S
        return bytes([
            YES if surely_from <= moment < surely_below else UNSURE if maybe_from <= moment < maybe_below else NO
            for moment in moments
        ])

    def _by_field(self, rows: Sequence[tuple[int, bytes]]) -> Verdicts:
        return bytes([EPOCH + as_written(moment, kept) in self.days for moment, kept in rows])


def as_written(moment: int, kept: bytes) -> int:
    """The day of the Date field as the sender wrote it, that of the moment where there is none; counted from 1970."""
    dates = _dates(kept)
    written = read_date(body_of(dates[0])) if dates else None
    return written.day if written else moment // DAY_S


def days(arguments: Arguments, relation: str) -> Days:
    arguments.reader.space()
    day = arguments.reader.date().toordinal()
    return {"BEFORE": Days(last=day - 1), "ON": Days(day, day), "SINCE": Days(first=day)}[relation]


@key("BEFORE", "ON", "SINCE")
def _arrived(arguments: Arguments, name: str) -> Arrived:
    return Arrived(days(arguments, name))


@key("SENTBEFORE", "SENTON", "SENTSINCE")
def _sent(arguments: Arguments, name: str) -> Sent:
    return Sent(days(arguments, name.removeprefix("SENT")))
