"""What an attempt means for its step."""

from dataclasses import replace

import pytest

from unitymail.courier.outcomes import after, given_up, is_due, of_trouble, too_late
from unitymail.interfaces.errors import DISK_FULL, Never, TryAgain
from unitymail.interfaces.spool import DONE, Item, Outcome, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.routing.steps import Deliver, RelayToSmartHost, Report
from unitymail.settings.site import SiteSettings

SITE = SiteSettings()
ITEM = Item("t1", "", 1_000.0, Envelope("a@b", (Recipient("c@d"),)), "email", "normal", False, "", "", "", 10, 5, ())
RELAY = StepState(RelayToSmartHost("c@d"))
BUSY = Outcome("try-again", "4.4.1", "The next server does not answer.")


def test_done_and_failed_end_a_step():
    """Both are kept with the number of attempts."""
    assert after(RELAY, DONE, ITEM, 1_000, SITE) == replace(RELAY, attempts=1, outcome=DONE)
    failed = Outcome("failed", "5.1.1", "Nobody there.")
    assert after(RELAY, failed, ITEM, 1_000, SITE).outcome == failed


def test_a_passing_failure_waits():
    """The step waits by the schedule of its attempts."""
    once = after(RELAY, BUSY, ITEM, 1_000, SITE)
    assert (once.attempts, once.next_at, once.outcome, once.last) == (1, 1_060, None, BUSY)
    assert after(once, BUSY, ITEM, 1_060, SITE).next_at == 1_060 + 120


def test_later_costs_no_attempt():
    """A step may ask to wait without an attempt being counted."""
    later = after(RELAY, Outcome("later", again_at=5_000.0), ITEM, 1_000, SITE)
    assert (later.attempts, later.next_at, later.outcome) == (0, 5_000.0, None)


def test_the_last_attempt_is_at_the_deadline():
    """The waiting never passes the deadline by; at the deadline a passing failure is final."""
    deadline = ITEM.arrived + SITE.relay_retry_for
    late = after(replace(RELAY, attempts=30), BUSY, ITEM, deadline - 60, SITE)
    assert late.next_at == deadline
    why = "The next server does not answer. This mail system tried for 2 days."
    assert after(late, BUSY, ITEM, deadline, SITE).outcome == replace(BUSY, kind="failed", why=why)


def test_no_patience_is_unity_connection():
    """relay.retry_for = 0 reports the first failure, but our own mailboxes are given two days."""
    site = replace(SITE, relay_retry_for=0)
    assert after(RELAY, BUSY, ITEM, 1_000, site).outcome is not None
    assert after(StepState(Deliver("u-robin", "c@d")), BUSY, ITEM, 1_000, site).outcome is None


@pytest.mark.parametrize(
    ("status", "final"),
    [("4.2.2", "4.2.2"), ("4.7.4", "5.7.4"), ("5.7.1", "5.7.1"), ("4.0.0", "4.4.7"), ("", "4.4.7"), ("2.0.0", "4.4.7")],
)
def test_giving_up_keeps_the_cause(status, final):
    """The status of the real cause goes into the report; without one it is 4.4.7."""
    assert given_up(Outcome("try-again", status), 0).status == final


def test_a_hop_says_when_to_come_again():
    """Where the hop is down, all who wait for it come again at its moment, not by their own schedule."""
    again = replace(BUSY, again_at=9_999.0)
    assert after(replace(RELAY, attempts=5), again, ITEM, 1_000, SITE).next_at == 9_999


def test_who_waits_for_a_hop_goes_as_soon_as_that_is_open():
    """The moment that the hop named was a guess; a step that waits by its own schedule, or for its deadline, is not
    early."""
    waits = after(RELAY, replace(BUSY, again_at=9_999.0), ITEM, 1_000, SITE)
    assert is_due(waits, 1_001)
    assert not is_due(after(RELAY, BUSY, ITEM, 1_000, SITE), 1_059)
    deadline = ITEM.arrived + SITE.relay_retry_for
    assert not is_due(after(RELAY, replace(BUSY, again_at=deadline + 60), ITEM, deadline - 60, SITE), deadline - 1)


def test_waiting_for_a_hop_that_is_down_ends_too():
    """No attempt is counted, but at the deadline the cause of the hop is the step's."""
    down = replace(BUSY, kind="later")
    assert after(RELAY, down, ITEM, 5_000, SITE) == RELAY
    ended = after(RELAY, down, ITEM, ITEM.arrived + SITE.relay_retry_for, SITE)
    assert (ended.attempts, ended.outcome.kind, ended.outcome.status) == (0, "failed", "4.4.1")


def test_waiting_for_room_never_ends_a_step():
    """A busy hop is no cause of failure."""
    assert after(RELAY, Outcome("later"), ITEM, 1e12, SITE) == RELAY


def test_too_late_for_its_sender():
    """RFC 2852: from the moment of deliver-by on with mode R, whatever the step waits for; reports go on."""
    item = replace(ITEM, envelope=replace(ITEM.envelope, deliver_by=2_000.0, deliver_by_mode="R"))
    assert not too_late(RELAY, item, 1_999)
    assert too_late(RELAY, item, 2_000)
    assert not too_late(StepState(Report("a@b", ())), item, 2_000)
    assert not too_late(RELAY, replace(item, envelope=replace(item.envelope, deliver_by_mode="N")), 2_000)


def test_troubles_are_outcomes():
    """What a performer raises of the two families is an outcome with the reply's status."""
    assert of_trouble(TryAgain(DISK_FULL)) == Outcome("try-again", "4.3.1", DISK_FULL.text)
    assert of_trouble(Never()).kind == "failed"
    assert of_trouble(OSError(28, "No space left on device")) == Outcome("try-again", "4.3.1", DISK_FULL.text)
    assert of_trouble(OSError(24, "Too many open files")).status == "4.3.0"
