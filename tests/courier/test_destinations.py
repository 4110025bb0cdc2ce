"""What the courier knows of next hops: the state machine as a table, room, probes."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from unitymail.courier.destinations import AFTER, FULL_S, IN_HAND, UNKNOWN_MOST, Condition, Destinations, Event
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


def test_when_a_hop_opens():
    """One that is down when it may be probed, one without room in a moment; another now."""
    hops = hops_that_are_down()
    assert hops.opens_at(HOP, 10.0) == hops.probe_at(HOP) == 60.0
    assert hops.opens_at(HOP, 59.0) == 59.0 + FULL_S
    assert hops.opens_at(HOP, 60.0) == hops.opens_at("unknown", 10.0) == 0.0
    for trace in ("a", "b"):
        hops.admit("full", trace, 1, 5.0)
    assert hops.opens_at("full", 10.0) == 10.0 + FULL_S


def test_a_hop_that_was_up_again_is_left_alone_for_a_minute_only():
    """What it did before is forgotten with the first answer, though others are still in hand for it."""
    hops = hops_that_are_down()
    for now in (60, 180):
        hops.admit(HOP, f"p{now}", 2, now)
        hops.unreachable(HOP, f"p{now}", REFUSED, now, now)
    hops.admit(HOP, "back", 2, 480)
    hops.answered(HOP, "back", 481)
    for trace in ("stays", "fails"):
        assert hops.admit(HOP, trace, 2, 482)
    assert hops.answered(HOP, "other", 483) is False
    assert hops.unreachable(HOP, "fails", REFUSED, 484, 485)
    assert hops.probe_at(HOP) == 485 + 60


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


def test_who_failed_here_and_lasts_elsewhere_holds_up_no_probe():
    """A message for two hops, of which one is down and the other takes for ever, has no place at the first any more."""
    hops = Destinations()
    hops.admit(HOP, "both", 2, 0)
    hops.admit("peer p", "both", 2, 0)
    hops.unreachable(HOP, "both", REFUSED, 0, 0)
    assert HOP not in hops.closed(60)
    assert hops.admit(HOP, "next", 2, 60)


def test_a_probe_that_gives_its_place_back_lets_the_next_one_try():
    """Its message lasts elsewhere, say, and is not sent there after all; who has no place there gives none back."""
    hops = hops_that_are_down()
    hops.admit("peer p", "probe", 2, 60)
    hops.admit(HOP, "probe", 2, 60)
    hops.left(HOP, "stranger", 61)
    assert not hops.admit(HOP, "next", 2, 61)
    hops.left(HOP, "probe", 61)
    assert HOP not in hops.closed(61)
    assert hops.admit(HOP, "next", 2, 61)
    hops.left("unknown", "probe", 61)
    assert set(hops._known) == {HOP, "peer p"}


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
    assert set(hops._asked) == {"t3"}  # whose run is not over


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


def test_how_much_a_hop_takes_is_known_at_once():
    """The first that comes to a hop finds out; who waits behind the guess may come then."""
    hops = Destinations()
    for number in range(UNKNOWN_MOST * IN_HAND):
        hops.expect(HOP, f"t{number}", 0)
    assert HOP in hops.closed(0)
    assert hops.admit(HOP, "t0", UNKNOWN_MOST + 1, 0)
    assert HOP not in hops.closed(0)
    assert hops.admit(HOP, "t0", UNKNOWN_MOST, 0)
    assert HOP in hops.closed(0)


def test_a_question_leaves_no_trace():
    """Asking about a hop that nobody uses keeps nothing of it; nor does its becoming another one."""
    hops = hops_that_are_down()
    hops.renewed(HOP, 1)
    hops.renewed("peer p", 1)
    assert (hops.probe_at("peer q"), hops.opens_at("peer q", 1), hops.is_open("peer q", "t")) == (0.0, 0.0, True)
    assert hops._known == {}


class Traffic(RuleBasedStateMachine):
    """Items come and go in any order, some with several groups or hops, as the courier and Dispatch have them do."""

    traces = st.sampled_from([f"t{number}" for number in range(7)])
    keys = st.sampled_from(["a", "b"])

    def __init__(self):
        super().__init__()
        self.hops, self.now, self.begun, self.sending = Destinations(), 1_000.0, set(), []

    @rule(seconds=st.sampled_from([0.0, 1.0, 60.0, 4_000.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(trace=traces, key=keys)
    def an_item_is_taken_up(self, trace, key):
        if trace not in self.begun and key not in self.hops.closed(self.now):
            self.begun.add(trace)
            self.hops.expect(key, trace, self.now)

    @rule(trace=traces, key=keys, most=st.sampled_from([1, 2]))
    def a_group_of_it_is_sent(self, trace, key, most):
        if trace in self.begun and self.hops.admit(key, trace, most, self.now):
            assert self.hops.is_open(key, trace)
            self.sending.append((trace, key, self.now))

    @precondition(lambda self: self.sending)
    @rule(which=st.integers(0, 50), how=st.sampled_from(["answered", "unreachable", "untried", "lost"]))
    def it_ends(self, which, how):
        trace, key, began = self.sending.pop(which % len(self.sending))
        if how == "answered":
            self.hops.answered(key, trace, self.now)
            assert self.hops.trouble(key) is None
        elif how == "unreachable":
            self.hops.unreachable(key, trace, REFUSED, began, self.now)
        elif how == "untried":
            self.hops.left(key, trace, self.now)

    @rule(trace=traces)
    def an_administrator_asks(self, trace):
        self.hops.ask_for([trace], self.now)

    @rule(key=keys)
    def a_hop_becomes_another(self, key):
        self.hops.renewed(key, self.now)

    @rule(trace=traces)
    def its_run_is_over(self, trace):
        if trace in self.begun and not any(trace == one for one, _, _ in self.sending):
            self.begun.remove(trace)
            self.hops.over(trace, self.now)

    @invariant()
    def what_is_closed_has_no_room(self):
        known = self.hops._known.values()
        assert self.hops.closed(self.now) == {hop.key for hop in known if not hop.has_room(self.now)}

    @invariant()
    def at_most_one_probes(self):
        for hop in self.hops._known.values():
            if hop.condition is not UP:
                assert sum(self.hops.is_open(hop.key, trace) for trace in self.begun) <= 1

    def teardown(self):
        """When everybody has left, nothing is held: a hop is up and forgotten, or down until its next probe."""
        for trace, key, began in self.sending:
            self.hops.unreachable(key, trace, REFUSED, began, self.now)
        for trace in self.begun:
            self.hops.over(trace, self.now)
        assert self.hops._keys_of == {}
        assert all(hop.condition is DOWN and not hop.in_hand for hop in self.hops._known.values())
        assert not self.hops.closed(self.now + 4_000)


Traffic.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestTraffic = Traffic.TestCase
