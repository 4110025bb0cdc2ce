"""Later, and in time: FUTURERELEASE and DELIVERBY."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.conversation import LETTER, Conversation, codes
from unitymail.people.access import AccessRule
from unitymail.smtp import moments
from unitymail.smtp.commands import BadSyntax
from unitymail.smtp.extensions import Situation, mail_fields
from unitymail.smtp.moments import By, read_by, read_hold_for, read_hold_until, settle_moments

NOW = 1_800_000_000.0
"""2027-01-15T08:00:00Z"""
SENDER = Situation(0, starttls=False, auth=False, tls=True, submission=True, now=NOW)
MAX = moments.LONGEST_HOLD_S


def settled(parameters):
    fields = mail_fields(parameters, lambda: SENDER)
    settle_moments(fields, NOW)
    return fields


def refused(parameters):
    with pytest.raises(BadSyntax) as bad:
        settled(parameters)
    return bad.value.reply


def test_hold():
    """Both ways of saying it give the moment of release."""
    assert settled("HOLDFOR=60") == {"hold_until": NOW + 60}
    assert settled("HOLDUNTIL=2027-01-15T08:01:00Z") == {"hold_until": NOW + 60}
    assert settled("HOLDUNTIL=2027-01-15T09:01:00+01:00") == {"hold_until": NOW + 60}
    assert settled("holduntil=2027-01-15t03:01:00.25-05:00") == {"hold_until": NOW + 60}


def test_the_bounds_of_a_hold():
    """What was announced is taken, a second more is not; what is past is not sent at once instead."""
    latest = datetime.fromtimestamp(NOW + MAX, UTC)
    assert moments.future_release(NOW) == f"FUTURERELEASE {MAX} {latest:%Y-%m-%dT%H:%M:%SZ}"
    assert settled(f"HOLDFOR={MAX}") == {"hold_until": NOW + MAX}
    assert settled(f"HOLDUNTIL={latest:%Y-%m-%dT%H:%M:%SZ}") == {"hold_until": NOW + MAX}
    assert refused(f"HOLDFOR={MAX + 1}") == moments.HOLD_TOO_LONG
    assert refused(f"HOLDUNTIL={latest + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}") == moments.HOLD_TOO_LONG
    assert refused("HOLDUNTIL=2027-01-15T08:00:00Z") == moments.HOLD_IN_THE_PAST
    assert refused("HOLDFOR=60 HOLDUNTIL=2027-01-15T08:01:00Z") == moments.ONE_HOLD


@pytest.mark.parametrize(
    "parameter",
    ["HOLDFOR", "HOLDFOR=0", "HOLDFOR=-1", "HOLDFOR=1.5", "HOLDFOR=1234567890", "HOLDFOR=٣", "HOLDUNTIL",
     "HOLDUNTIL=2027-01-15", "HOLDUNTIL=2027-01-15T08:00:00", "HOLDUNTIL=2027-02-30T08:00:00Z", "HOLDUNTIL=tomorrow",
     "HOLDUNTIL=2027-01-15T25:00:00Z", "HOLDUNTIL=2027-01-15T08:00Z", "HOLDUNTIL=2027-01-15T08:00:00+25:00"],
)
def test_holds_that_cannot_be_read(parameter):
    """501 5.5.4, with an example."""
    assert refused(parameter) == moments.BAD_HOLD


def test_a_leap_second():
    """RFC 3339 has one in its examples."""
    assert read_hold_until("1990-12-31T23:59:60Z") == read_hold_until("1990-12-31T23:59:59Z")


def test_deliver_by():
    """Seconds from now, what happens then, and the trace switch."""
    assert settled("BY=120;R") == {"deliver_by": NOW + 120, "deliver_by_mode": "R", "deliver_by_trace": False}
    assert settled("BY=+98765;nt") == {"deliver_by": NOW + 98_765, "deliver_by_mode": "N", "deliver_by_trace": True}
    assert settled("BY=-5;N")["deliver_by"] == NOW - 5
    assert settled("BY=0;N")["deliver_by_mode"] == "N"


@pytest.mark.parametrize("parameter", ["BY", "BY=5", "BY=5;", "BY=5;X", "BY=;R", "BY=0;R", "BY=-5;R", "BY=1234567890;N",
                                       "BY=5;RR", "BY=5;NTT", "BY=5;N;T", "BY=++5;N"])
def test_deadlines_that_cannot_be(parameter):
    """501 5.5.4; R without time makes no sense (RFC 2852 4)."""
    assert refused(parameter) == moments.BAD_BY


def test_the_least_time():
    """Below what EHLO announces nobody can promise to deliver or return; a notice can always be sent."""
    assert settled(f"BY={moments.SHORTEST_BY_S};R")
    assert refused(f"BY={moments.SHORTEST_BY_S - 1};R") == moments.BY_TOO_SOON
    assert settled("BY=1;N")


def test_hold_and_deadline_together():
    """A deadline before the release cannot be met (RFC 4865 4)."""
    assert settled("HOLDFOR=60 BY=120;R").keys() == {
        "hold_until", "deliver_by", "deliver_by_mode", "deliver_by_trace",
    }
    assert refused("HOLDFOR=120 BY=120;R") == moments.BY_BEFORE_RELEASE
    assert refused("BY=60;N HOLDUNTIL=2027-01-15T08:02:00Z") == moments.BY_BEFORE_RELEASE


@given(st.text(max_size=30))
def test_garbage_is_bad_syntax(text):
    """Nothing else is ever raised."""
    for read in (read_hold_for, read_hold_until, read_by):
        try:
            assert read(text) is not None
        except BadSyntax:
            pass


@given(st.datetimes(datetime(1970, 1, 2), datetime(9990, 1, 1)), st.integers(-1439, 1439))
def test_every_zone(moment, minutes):
    """The moment is the same however the zone is written."""
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    there = moment.astimezone(timezone(timedelta(minutes=minutes)))
    assert read_hold_until(there.isoformat()) == moment.timestamp()


@given(st.integers(-999_999_999, 999_999_999), st.sampled_from("NR"), st.sampled_from(["", "T"]))
def test_every_deadline(seconds, mode, trace):
    """What RFC 2852 allows is read as it is meant."""
    if mode == "R" and seconds <= 0:
        return
    assert read_by(f"{seconds};{mode}{trace}") == By(seconds, mode, bool(trace))


# At the doors


def submitting(door="submission", **options):
    return Conversation(door=door, ip="127.0.0.1", access=(AccessRule("127.0.0.1", allow=True),), **options)


def test_who_signed_in_may_send_later():
    """FUTURERELEASE and DELIVERBY are shown after AUTH, on submission doors; the envelope has the moments."""
    c = submitting()
    c.heard()
    hello = c.say("EHLO client.example")
    assert "FUTURERELEASE" not in hello and "DELIVERBY" not in hello
    assert c.codes("AUTH PLAIN AHJvYmluAHNlY3JldA==") == ["235 2.7.0"]
    hello = c.say("EHLO client.example")
    assert f"FUTURERELEASE {MAX} 2027-02-14T08:00:00Z" in hello and "DELIVERBY 10" in hello
    c.say("MAIL FROM:<robin@vm1.example.com> HOLDFOR=3600 BY=7200;N", "RCPT TO:<chris@vm1.example.com>", "DATA")
    assert codes(c.send(LETTER + b".\r\n")) == ["250 2.0.0"]
    envelope = c.spool.committed[0].envelope
    assert (envelope.hold_until, envelope.deliver_by, envelope.deliver_by_mode) == (NOW + 3600, NOW + 7200, "N")


def test_it_works_without_a_second_ehlo():
    """Hardly any client says EHLO again after AUTH."""
    c = submitting().signed_in()
    assert c.codes("MAIL FROM:<robin@vm1.example.com> HOLDFOR=3600") == ["250 2.1.0"]


def test_other_doors_hold_nothing():
    """On the mta door it is an unknown parameter, signed in or not (RFC 4865: submission only)."""
    for c in (submitting("mta").greeted(), submitting("mta").signed_in()):
        assert "FUTURERELEASE" not in c.say("EHLO client.example")
        assert c.codes("MAIL FROM:<robin@vm1.example.com> HOLDFOR=3600") == ["555 5.5.4"]


def test_a_refused_moment_leaves_no_transaction():
    """After the 501 the client may try another one."""
    c = submitting().signed_in()
    assert c.codes("MAIL FROM:<robin@vm1.example.com> HOLDUNTIL=2026-01-15T08:00:00Z",
                   "MAIL FROM:<robin@vm1.example.com> HOLDFOR=1") == ["501 5.5.4", "250 2.1.0"]


def test_requiretls_is_offered_and_taken_under_tls_only():
    """RFC 8689 2: the whole way is to be encrypted, so the first hop is."""
    c = submitting("mta", tls=object()).greeted()
    assert c.codes("MAIL FROM:<robin@vm1.example.com> REQUIRETLS") == ["530 5.7.0"]
    assert "REQUIRETLS" not in c.say("EHLO client.example")
    c.say("STARTTLS")
    assert "250-REQUIRETLS\r\n" in c.say("EHLO client.example")
    assert c.codes("MAIL FROM:<robin@vm1.example.com> REQUIRETLS=1") == ["501 5.5.4"]
    c.say("MAIL FROM:<robin@vm1.example.com> REQUIRETLS", "RCPT TO:<chris@vm1.example.com>", "DATA")
    assert codes(c.send(LETTER + b".\r\n")) == ["250 2.0.0"]
    assert c.spool.committed[0].envelope.require_tls
