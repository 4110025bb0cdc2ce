"""The Date field (RFC 5322 3.3 and its obsolete and broken forms) as a moment. Reads no clock."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from unitymail.mail.lexical import unfold, without_comments

_DATE = re.compile(
    rb"(?:[A-Za-z]{2,9}\.?,?\s*)?(\d{1,2})[\s-]+([A-Za-z]{3})[A-Za-z]*\.?[\s,-]+(\d{2,4})"
    rb"(?:[\s,]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?\s*([+-]\d{4}|[+-]\d{2}:\d{2}|[A-Za-z]{1,5})?)?"
)
_USUAL = re.compile(
    rb"[ \t]{0,9}(?:[A-Za-z]{3}, )?(\d{1,2} [A-Za-z]{3} \d{4}) (\d\d):(\d\d):(\d\d) ([+-]\d{4})"
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"), 1
    )
}
_ZONES = {b"EST": -300, b"EDT": -240, b"CST": -360, b"CDT": -300, b"MST": -420, b"MDT": -360, b"PST": -480,
          b"PDT": -420}
_EPOCH = date(1970, 1, 1).toordinal()


class Moment(NamedTuple):
    """`seconds` since 1970 UTC; `zone` the sender's offset in minutes, so that the day as written can be found."""

    seconds: int
    zone: int

    @property
    def day(self) -> int:
        """The day as the sender wrote it, counted from 1970-01-01: what SEARCH SENTON compares."""
        return (self.seconds + self.zone * 60) // 86_400


def read_date(raw: bytes) -> Moment | None:
    """The body of a Date field, as stored; None when it is no date. A missing time is midnight, a missing zone UTC."""
    usual = _USUAL.match(raw)
    if usual is not None:
        day, hour, minute, second, zone = usual.groups()
        return _moment(_usual_days(day), int(hour), int(minute), int(second), _zone(zone))
    found = _DATE.match(without_comments(unfold(raw[:200])).lstrip())
    if found is None:
        return None
    return _moment(
        _days(found[1], found[2], found[3]),
        int(found[4] or 0), int(found[5] or 0), int(found[6] or 0), _zone(found[7] or b""),
    )  # fmt: skip


def _moment(days: int | None, hour: int, minute: int, second: int, zone: int) -> Moment | None:
    if days is None or hour > 24 or minute > 59 or second > 60:
        return None
    return Moment(days * 86_400 + hour * 3_600 + minute * 60 + second - zone * 60, zone)


def _days(day: bytes, month: bytes, year: bytes) -> int | None:
    """Days since 1970, None when there is no such day."""
    number = _MONTHS.get(month.lower())
    try:
        return None if number is None else date(_full_year(year), number, int(day)).toordinal() - _EPOCH
    except ValueError:
        return None


@lru_cache(maxsize=1_024)
def _usual_days(written: bytes) -> int | None:
    return _days(*written.split(b" "))


def _full_year(digits: bytes) -> int:
    """RFC 5322 4.3: two digits below 50 are this century's, three digits count from 1900."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


@lru_cache(maxsize=256)
def _zone(text: bytes) -> int:
    if text[:1] in (b"+", b"-"):
        digits = text[1:].replace(b":", b"")
        minutes = int(digits[:2]) * 60 + int(digits[2:])
        return 0 if minutes >= 24 * 60 else (-minutes if text[:1] == b"-" else minutes)
    return _ZONES.get(text.upper(), 0)
