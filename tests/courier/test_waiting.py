"""When an item that is let go is looked at again."""

from tests.fakes import FakeBook
from unitymail.courier.waiting import Waiting, waiting
from unitymail.interfaces.spool import DONE, Item, Outcome, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.people.location import Location, LocationKind
from unitymail.routing.steps import Convert, Deliver, HandOver, RelayToSmartHost, RelayToUser, Report
from unitymail.settings.site import SiteSettings

HOUR = 3_600.0
PEER = Location("l-peer", LocationKind.PEER, "vm2", "vm2.example.com", "192.0.2.2")
NO_HOST = Location("l-far", LocationKind.VPIM, "Far", "far.example")
BOOK = FakeBook(PEER, NO_HOST, site=SiteSettings(smart_host_host="out.example"))
RELAY, OTHER, HAND = RelayToSmartHost("a@x"), RelayToUser("u", "b@x", "c@x"), HandOver("l-peer", "d@x")


def when(*states, opens=None):
    envelope = Envelope("a@b", (Recipient("c@d"),))
    item = Item("t1", "", 0.0, envelope, "email", "normal", False, "", "", "", 10, 5, states)
    return waiting(item, 100.0, BOOK, lambda key, now: (opens or {}).get(key, 0.0))


def test_one_hop_is_named():
    """The queue may pass the item over while that hop is closed, but not beyond the notice of delay."""
    assert when(StepState(RELAY, 1, 160), StepState(OTHER, 1, 220)) == Waiting(160, "smart-host", 4 * HOUR)
    assert when(StepState(RELAY, 1, 0, DONE), StepState(HAND, 0, 0)) == Waiting(0, "peer l-peer", 4 * HOUR)


def test_a_notice_of_delay_comes_before_the_next_try():
    """Its moment is one to look at the item, whatever else is due later and whether the hop is open."""
    assert when(StepState(RELAY, 9, 5 * HOUR)) == Waiting(4 * HOUR, "smart-host", 4 * HOUR)


def test_after_its_last_moment_it_waits_for_its_next_try_only():
    """Who waits for room is not given up; there is nothing else to look at it for."""
    envelope = Envelope("a@b", (Recipient("c@d"),))
    state = StepState(RELAY, 1, 60 * HOUR + 60)
    item = Item("t1", "", 0.0, envelope, "email", "normal", False, "", "", "", 10, 5, (state,))
    assert waiting(item, 60 * HOUR, BOOK, lambda key, now: 0.0) == Waiting(60 * HOUR + 60, "smart-host", 0.0)


def test_who_has_waited_long_for_room_is_looked_at_less_often():
    """Thousands may wait for room at several hops at once: each look reads a file."""
    states = StepState(RELAY), StepState(HAND)

    def next_look(now):
        envelope = Envelope("a@b", (Recipient("c@d"),))
        item = Item("t1", "", 0.0, envelope, "email", "normal", False, "", "", "", 10, 5, states)
        return waiting(item, now, BOOK, lambda key, now: now + 2).next_at - now

    assert [next_look(now) for now in (0.0, 40.0, 400.0, 10_000.0)] == [2, 2, 20, 60]


def test_the_hop_as_things_stand():
    """A location without a host of its own is reached through the smart host."""
    assert when(StepState(Convert("l-far", "", "9@far.example", "9@far.example"))).hop == "smart-host"


def test_several_hops_are_looked_at_when_the_first_opens():
    """None is named; the time is when one of them may be used, or somebody must hear of it."""
    states = StepState(RELAY, 1, 160), StepState(HAND)
    assert when(*states) == Waiting(0)
    assert when(*states, opens={"peer l-peer": 500.0}) == Waiting(160)
    assert when(*states, opens={"peer l-peer": 500.0, "smart-host": 400.0}) == Waiting(400)
    assert when(*states, opens={"peer l-peer": 9e9, "smart-host": 9e9}) == Waiting(4 * HOUR)


def test_work_on_this_node_waits_for_no_hop():
    """Deliveries and reports fall due by their own times."""
    assert when(StepState(Deliver("u", "a@x"), 1, 160), StepState(Report("a@b", ()), 1, 130)) == Waiting(130)


def test_who_waits_for_a_hop_that_is_down_is_due_when_that_opens():
    """Its own time is that of the probe: should the hop open before, it need not wait for it."""
    down = Outcome("try-again", "4.4.1", again_at=700.0)
    assert when(StepState(RELAY, 1, 700, last=down)) == Waiting(100, "smart-host", 4 * HOUR)
    states = StepState(RELAY, 1, 700, last=down), StepState(HAND, 1, 650)
    assert when(*states, opens={"smart-host": 700.0}) == Waiting(650)
    assert when(*states, opens={"smart-host": 300.0}) == Waiting(300)
