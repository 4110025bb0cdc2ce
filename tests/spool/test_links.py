"""What is linked at the commit and what the courier does: decided by the message alone, the same after a crash."""

from dataclasses import replace

from tests.spool.room import NOW
from unitymail.interfaces.spool import Item, StepState
from unitymail.mail.envelope import Envelope
from unitymail.routing.steps import Deliver, LearnContact, RelayToSmartHost
from unitymail.spool.links import AT_ONCE, split

ENVELOPE = Envelope("c@x", ())
PLAIN = [StepState(Deliver(f"u-{n}", f"u{n}@x")) for n in range(AT_ONCE + 5)]
VPIM = StepState(Deliver("u-robin", "robin@x", from_vpim=True))
LEARN, RELAY = StepState(LearnContact("l-1")), StepState(RelayToSmartHost("a@x"))


def an_item(*steps, **facts):
    item = Item("t", "", NOW, ENVELOPE, "email", "normal", False, "", "", "", 1, 1, tuple(steps))
    return replace(item, envelope=replace(ENVELOPE, **facts))


def test_deliveries_now_the_rest_later():
    """Plain deliveries are links, up to a hundred; everything else waits."""
    assert split(an_item(*PLAIN[:2])) == (tuple(PLAIN[:2]), ())
    assert split(an_item(RELAY, PLAIN[0], RELAY)) == ((PLAIN[0],), (RELAY, RELAY))
    assert split(an_item(*PLAIN, RELAY)) == (tuple(PLAIN[:AT_ONCE]), (*PLAIN[AT_ONCE:], RELAY))
    assert split(an_item(RELAY)) == ((), (RELAY,))
    assert split(an_item()) == ((), ())


def test_what_must_be_converted_first_waits():
    """A message from a VPIM location is not linked as it came."""
    assert split(an_item(VPIM, LEARN)) == ((), (VPIM, LEARN))
    assert split(an_item(VPIM, PLAIN[0])) == ((PLAIN[0],), (VPIM,))


def test_future_release():
    """Until then nothing is anywhere; a time that is over when the message comes in is no reason to wait."""
    assert split(an_item(PLAIN[0], hold_until=NOW + 1)) == ((), (PLAIN[0],))
    assert split(an_item(PLAIN[0], hold_until=NOW)) == ((PLAIN[0],), ())
