"""What the courier knows of next hops: the state machine as a table, room, probes."""

import pytest

from unitymail.courier.destinations import AFTER, IN_HAND, Condition, Destinations, Event
from unitymail.interfaces.spool import Outcome

UP, DOWN, PROBED = Condition.UP, Condition.DOWN, Condition.PROBED
REFUSED = Outcome("try-again", "4.4.1", "It does not answer.")
HOP = "smart-host"


def hops_that_are_down(at=0.0):
    hops = Destinations()
    hops.admit(HOP, "t0", 2, at)
    assert hops.unreachable(HOP, "t0", REFUSED, at, at)
    hops.over("t0", at)
    return hops


@pytest.mark.parametrize(("before", "event", "after"), [
    (UP, Event.TRIED, UP), (UP, Event.ANSWERED, UP), (UP, Event.UNREACHABLE, DOWN), (UP, Event.LEFT, UP),
    (DOWN, Event.TRIED, PROBED), (DOWN, Event.ANSWERED, UP), (DOWN, Event.UNREACHABLE, DOWN), (DOWN, Event.LEFT, DOWN),
    (PROBED, Event.TRIED, PROBED), (PROBED, Event.ANSWERED, UP), (PROBED, Event.UNREACHABLE, DOWN),
    (PROBED, Event.LEFT, DOWN),
    (UP, Event.RENEWED, UP), (DOWN, Event.RENEWED, UP), (PROBED, Event.RENEWED, UP),
])
def test_the_table(before, event, after):
    """Each condition with each event; what is not in the table changes nothing."""
    assert AFTER.get((before, event), before) is after


def test_a_hop_that_cannot_be_used_is_left_alone_longer_each_time():
    """1, 2, 5, 10 … minutes between probes, and nobody else goes in between."""
    hops, now, waits = hops_that_are_down(), 0.0, []
    for number in range(8):
        probe_at = hops.probe_at(HOP)
        waits.append((probe_at - now) / 60)
        assert HOP in hops.closed(probe_at - 1)
        assert not hops.admit(HOP, "too-early", 2, probe_at - 1)
        now = probe_at
        assert HOP not in hops.closed(now)
        assert hops.admit(HOP, f"p{number}", 2, now)
        assert hops.unreachable(HOP, f"p{number}", REFUSED, now, now)
        hops.over(f"p{number}", now)
    assert waits == [1, 2, 5, 10, 20, 40, 60, 60]


def test_exactly_one_probes():
    """While one item probes, the hop stays closed for all others."""
    hops = hops_that_are_down()
    assert hops.admit(HOP, "probe", 2, 60)
    assert HOP in hops.closed(60)
    assert not hops.admit(HOP, "other", 2, 60)
    assert hops.is_open(HOP, "probe")
    assert not hops.is_open(HOP, "other")
    assert hops.answered(HOP, "probe", 61)
    assert HOP not in hops.closed(61)
    assert hops.admit(HOP, "other", 2, 61)
    assert hops.trouble(HOP) is None


def test_an_item_known_to_be_for_the_hop_is_the_probe():
    """Taken up because the hop may be tried, it closes the hop for the next one at once."""
    hops = hops_that_are_down()
    hops.expect(HOP, "probe", 60)
    assert HOP in hops.closed(60)
    assert not hops.admit(HOP, "other", 2, 60)
    assert hops.admit(HOP, "probe", 2, 60)


def test_a_probe_that_never_went_lets_the_next_one_try():
    """A conversion failed, say: nothing is known of the hop, and the next item finds out at once."""
    hops = hops_that_are_down()
    hops.admit(HOP, "probe", 2, 60)
    hops.over("probe", 61)
    assert HOP not in hops.closed(61)
    assert hops.admit(HOP, "next", 2, 61)


def test_stragglers_bring_no_news():
    """Attempts that began before the hop went down, or before others had an answer, do not lengthen the wait."""
    hops = Destinations()
    for trace in ("a", "b", "c", "d"):
        hops.admit(HOP, trace, 2, 0)
    assert hops.unreachable(HOP, "a", REFUSED, 0, 30)
    assert not hops.unreachable(HOP, "b", REFUSED, 0, 40)
    assert hops.probe_at(HOP) == 90
    assert hops.answered(HOP, "c", 50)  # c went well after all
    assert HOP not in hops.closed(50)
    assert not hops.unreachable(HOP, "d", REFUSED, 45, 55)
    assert hops.admit(HOP, "e", 2, 55)


def test_a_straggler_is_not_taken_for_the_probe():
    """What another item says while one probes decides nothing."""
    hops = Destinations()
    hops.admit(HOP, "slow", 2, 0)
    hops.admit(HOP, "first", 2, 0)
    hops.unreachable(HOP, "first", REFUSED, 0, 0)
    hops.over("first", 0)
    hops.over("slow", 59)
    hops.admit(HOP, "probe", 2, 60)
    assert not hops.unreachable(HOP, "slow", REFUSED, 0, 61)
    assert hops.is_open(HOP, "probe")


def test_a_hop_has_room_for_so_many():
    """A few times as many as may be under way are in hand; then it is closed until one is over."""
    hops = Destinations()
    for number in range(2 * IN_HAND):
        assert hops.admit(HOP, f"t{number}", 2, 0)
    assert HOP in hops.closed(0)
    assert not hops.admit(HOP, "one-more", 2, 0)
    assert hops.admit(HOP, "t0", 2, 0)  # has its place
    assert hops.opens_at(HOP, 0) > 0
    hops.over("t0", 0)
    assert HOP not in hops.closed(0)
    assert hops.opens_at(HOP, 0) == 0


def test_hops_do_not_matter_to_each_other():
    """One that is down closes nothing else."""
    hops = hops_that_are_down()
    assert hops.closed(1) == {HOP}
    assert hops.admit("peer p", "t1", 2, 1)


def test_what_is_over_is_forgotten():
    """Memory holds hops that are down or in use, no others."""
    hops = Destinations()
    for number in range(100):
        hops.admit(f"peer {number}", "t", 2, 0)
        hops.answered(f"peer {number}", "t", 0)
    hops.over("t", 0)
    assert hops._known == {}
    assert hops._keys_of == {}
    assert not hops.closed(0)


def test_when_the_next_probe_is():
    """The courier is woken for the first hop that may be tried again, not for one that may be tried already."""
    hops = hops_that_are_down()
    assert hops.next_probe(0) == 60
    assert hops.next_probe(60) is None


def test_what_an_administrator_asks_for_probes_at_once():
    """Of several one goes; when that fails too, the waiting begins anew. Nobody else profits, and no mark stays."""
    hops = hops_that_are_down()
    for now in (60, 180, 480):
        hops.admit(HOP, f"p{now}", 2, now)
        hops.unreachable(HOP, f"p{now}", REFUSED, now, now)
        hops.over(f"p{now}", now)
    hops.ask_for(["t1", "t2", "t3"], 500)
    assert not hops.admit(HOP, "other", 2, 500)
    assert hops.admit(HOP, "t1", 2, 500)
    assert not hops.admit(HOP, "t2", 2, 500)
    hops.over("t2", 500)
    hops.unreachable(HOP, "t1", REFUSED, 500, 501)
    hops.over("t1", 501)
    assert hops.probe_at(HOP) == 501 + 60
    assert not hops.admit(HOP, "t1", 2, 502)
    assert not hops.admit(HOP, "t2", 2, 502)
    assert not hops.admit(HOP, "t3", 2, 502)


def test_who_is_asked_for_is_forgotten_when_no_hop_is_down():
    """Marks do not pile up, and a hop that goes down later is left alone."""
    hops = Destinations()
    hops.ask_for(["t1"], 1)
    assert not hops._asked
    hops = hops_that_are_down()
    hops.ask_for(["never-taken-up"], 1)
    hops.admit(HOP, "probe", 2, 60)
    hops.answered(HOP, "probe", 61)
    assert not hops._asked


def test_a_hop_that_became_another_is_open():
    """What was known of the old one, and what attempts at it still say, counts no more."""
    hops = hops_that_are_down()
    hops.admit(HOP, "probe", 2, 60)
    hops.renewed(HOP, 70)
    assert HOP not in hops.closed(70)
    assert hops.trouble(HOP) is None
    assert not hops.unreachable(HOP, "probe", REFUSED, 60, 75)
    assert hops.admit(HOP, "next", 2, 75)
    assert hops.unreachable(HOP, "next", REFUSED, 75, 76)
    assert hops.probe_at(HOP) == 76 + 60
