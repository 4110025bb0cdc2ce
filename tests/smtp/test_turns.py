"""Sessions share the reactor's time: nobody starves, no turn is long."""

from twisted.internet.task import Clock

from unitymail.smtp.turns import GAP_S, SHARE_S, Turns


class Busy(Clock):
    """A clock on which work takes time, and which runs the reactor turn by turn."""

    def works(self, seconds):
        self.rightNow += seconds

    def turn(self):
        """What is due now, and not what is asked for meanwhile."""
        due, self.calls = self.calls, []
        for call in due:
            call.called = True
            call.func(*call.args, **call.kw)


def session(name, turns, clock, done, jobs, cost=0.001):
    """Handles `jobs` commands of a millisecond, as a session does."""
    left = [jobs]

    def work():
        turns.begin()
        while left[0]:
            if not turns.lasts():
                turns.queue(work)
                break
            clock.works(cost)
            left[0] -= 1
            done.append(name)
        turns.end()

    return work


def test_a_turn_is_shared():
    """Ten busy sessions in one turn take no longer than one."""
    clock, done = Busy(), []
    clock.works(1)
    turns = Turns(clock)
    began = clock.seconds()
    for name in range(10):
        session(name, turns, clock, done, 20)()
    assert clock.seconds() - began <= SHARE_S + 0.001
    assert set(done) == {0}


def test_everybody_gets_a_turn():
    """Those who wait are served in order, a share of a turn each round, until all is done."""
    clock, done = Busy(), []
    clock.works(1)
    turns = Turns(clock)
    for name in range(4):
        session(name, turns, clock, done, 12)()
    longest = 0
    for _ in range(100):
        began = clock.seconds()
        clock.turn()
        longest = max(longest, clock.seconds() - began)
    assert sorted(done) == sorted(list(range(4)) * 12)
    assert longest <= SHARE_S + 0.001
    assert set(done[:25]) == {0, 1, 2, 3}, "each had its first turn early"


def test_a_quiet_node_starts_afresh():
    """After a pause the whole share is there again, without waiting."""
    clock, done = Busy(), []
    clock.works(1)
    turns = Turns(clock)
    session("a", turns, clock, done, 5)()
    clock.works(2 * GAP_S)
    session("b", turns, clock, done, 5)()
    assert done == ["a"] * 5 + ["b"] * 5 and not clock.calls
