"""How long a step may wait, and when it must be looked at."""

from dataclasses import replace

from unitymail.courier.patience import began, deadline, look_at, notices_at, tried_until
from unitymail.interfaces.spool import DONE, Item, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.routing.steps import BadMail, Deliver, RelayToSmartHost, Report
from unitymail.settings.site import SiteSettings

SITE = SiteSettings()
HOUR = 3_600.0
DAY = 24 * HOUR
RELAY = RelayToSmartHost("c@d")
OWN = Deliver("u-robin", "c@d")
ENVELOPE = Envelope("a@b", (Recipient("c@d"),))
ITEM = Item("t1", "", 1_000.0, ENVELOPE, "email", "normal", False, "", "", "", 10, 5, (StepState(RELAY),))


def with_envelope(**facts):
    return replace(ITEM, envelope=replace(ENVELOPE, **facts))


def test_two_days_of_patience():
    """What leaves is tried for relay.retry_for, what stays here for two days at least."""
    assert deadline(ITEM, RELAY, SITE) == 1_000 + 2 * DAY
    none = replace(SITE, relay_retry_for=0)
    assert deadline(ITEM, RELAY, none) == 1_000
    assert deadline(ITEM, OWN, none) == 1_000 + 2 * DAY


def test_future_release_starts_the_clock():
    """A message held back for a week has not waited a week."""
    held = with_envelope(hold_until=1_000 + 7 * DAY)
    assert began(held) == 1_000 + 7 * DAY
    assert deadline(held, RELAY, SITE) == 1_000 + 9 * DAY
    assert notices_at(held, RELAY, SITE) == (1_000 + 7 * DAY + 4 * HOUR,)


def test_deliver_by_return_ends_patience():
    """Mode R wants the message back at that moment; mode N only wants to know."""
    back = with_envelope(deliver_by=1_000 + HOUR, deliver_by_mode="R")
    assert deadline(back, RELAY, SITE) == deadline(back, OWN, SITE) == 1_000 + HOUR
    assert deadline(back, Report("a@b", ()), SITE) == 1_000 + 2 * DAY
    notice = with_envelope(deliver_by=1_000 + HOUR, deliver_by_mode="N")
    assert deadline(notice, RELAY, SITE) == 1_000 + 2 * DAY
    assert notices_at(notice, RELAY, SITE) == (1_000 + 4 * HOUR, 1_000 + HOUR)
    assert notices_at(notice, BadMail("x"), SITE) == ()


def test_no_notice_where_the_site_wants_none():
    """relay.delay_notice = 0 leaves only the sender's own moment."""
    silent = replace(SITE, relay_delay_notice=0)
    assert notices_at(ITEM, RELAY, silent) == ()
    assert notices_at(with_envelope(deliver_by=5_000.0, deliver_by_mode="N"), RELAY, silent) == (5_000,)


def test_the_moments_to_look():
    """First the delay notice, then the end, then nothing more."""
    state = StepState(RELAY)
    assert look_at(ITEM, state, SITE, 1_000) == 1_000 + 4 * HOUR
    assert look_at(ITEM, state, SITE, 1_000 + 4 * HOUR) == 1_000 + 2 * DAY
    assert look_at(ITEM, state, SITE, 1_000 + 2 * DAY) == 0


def test_a_deliver_by_time_after_the_notice_of_delay():
    """Whatever the hop does, somebody looks at both: the later one may be all that the sender wants to hear of."""
    late = with_envelope(deliver_by=1_000 + 12 * HOUR, deliver_by_mode="N")
    state = StepState(RELAY)
    assert look_at(late, state, SITE, 1_000) == 1_000 + 4 * HOUR
    assert look_at(late, state, SITE, 1_000 + 4 * HOUR) == 1_000 + 12 * HOUR
    assert look_at(late, state, SITE, 1_000 + 12 * HOUR) == 1_000 + 2 * DAY


def test_until_when_it_is_tried():
    """A notice of delay promises as much as the most patient step that waits."""
    assert tried_until(ITEM, SITE) == 1_000 + 2 * DAY
    report = StepState(Report("a@b", ()))
    back = with_envelope(deliver_by=1_000 + 5 * HOUR, deliver_by_mode="R")
    assert tried_until(replace(back, steps=(StepState(RELAY), report)), SITE) == 1_000 + 5 * HOUR
    assert tried_until(replace(ITEM, steps=(StepState(RELAY, 1, 0, DONE), report)), SITE) == 1_000 + 2 * DAY
