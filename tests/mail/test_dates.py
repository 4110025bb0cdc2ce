"""Dates as senders write them."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from unitymail.mail.dates import Moment, read_date

NOON = int(datetime(2014, 3, 10, 12, 0, 5, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(("raw", "seconds", "zone"), [
    (b" Mon, 10 Mar 2014 12:00:05 +0000\r\n", NOON, 0),
    (b"10 Mar 2014 08:00:05 -0400", NOON, -240),
    (b"Mon, 10 Mar 2014 08:00:05 -0400 (EDT)", NOON, -240),
    (b"Mon, 10 Mar 14 12:00:05 GMT", NOON, 0),
    (b"Mon,10 Mar 2014 13:00:05 +01:00", NOON, 60),
    (b"Monday, 10-Mar-2014 08:00:05 EDT", NOON, -240),
    (b"Mon, 10\r\n Mar (x) 2014 12:00:05", NOON, 0),
    (b"Mon, 10 Mar 114 12:00:05 Z", NOON, 0),
    (b"10 March 2014 12.00.05 UT", NOON, 0),
    (b"Mon, 10 Mar 2014 12:00:05.123 +0000", NOON, 0),
    (b"10 Mar 2014", NOON - 43_205, 0),
    (b"Mon, 10 Mar 2014 12:00:05 +9999", NOON, 0),
])
def test_forms(raw, seconds, zone):
    """Obsolete and broken forms are dates too; a zone that cannot be is UTC."""
    assert read_date(raw) == Moment(seconds, zone)


@pytest.mark.parametrize("raw", [b"", b"yesterday", b"31 Feb 2014 10:00:00 +0000", b"10 Foo 2014 10:00:00 +0000",
                                 b"10 Mar 2014 25:00:00 +0000", b"10 Mar 2014 10:61:00 +0000", b"0 Mar 0000"])
def test_no_dates(raw):
    """What is no date is None, never a guess."""
    assert read_date(raw) is None


def test_the_day_is_the_senders():
    """SEARCH SENTON goes by the day as written, whatever the zone."""
    assert read_date(b"10 Mar 2014 23:30:00 -0400").day == read_date(b"10 Mar 2014 00:30:00 +1300").day
    assert read_date(b"1 Jan 1970 00:00:00 +0000").day == 0


@given(st.datetimes(datetime(1950, 1, 1), datetime(2099, 1, 1)), st.integers(-719, 719))
def test_what_others_write(moment, minutes):
    """What the standard library writes is read to the second."""
    written = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    assert read_date(format_datetime(written).encode()) == Moment(int(written.timestamp()), minutes)


@given(
    st.sampled_from([b"", b" ", b" Mon, ", b"Monday, ", b"\t"]),
    st.integers(0, 40), st.sampled_from([b"Mar", b"dec", b"Foo"]),
    st.sampled_from([b"2014", b"0000", b"14", b"114"]), st.integers(0, 26), st.integers(0, 66),
    st.sampled_from([b"+0000", b"-0430", b"+9999", b"EST", b"", b"+01:00", b"+02001"]),
    st.sampled_from([b"", b" (x)", b"\r"]),
)  # fmt: skip
def test_the_usual_form_is_read_as_all_others(before, day, month, year, hour, minute, zone, after):
    """As nearly everybody writes a date it is read at once, and by the grammar of all forms alike."""
    raw = b"%b%d %b %b %02d:%02d:%02d %b%b" % (before, day, month, year, hour, minute, minute, zone, after)
    assert read_date(raw) == read_date(b"()" + raw)


@given(garbage)
def test_garbage(octets):
    """Anything is a date or none."""
    read_date(octets)
    read_date(b"10 Mar 2014 " + octets)
