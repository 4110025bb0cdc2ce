"""The watch over reactor turns counts the CPU time between two waits."""

from unitymail.turns import EVENTS_A_TURN, SHARE_S, TurnWatch


class FakePoller:
    ready = 1

    def poll(self, timeout, most):
        return [(timeout, most)] * min(most, self.ready)

    def register(self, fd):
        return fd


class FakeReactor:
    def __init__(self):
        self._poller = FakePoller()


def test_a_long_turn_is_told():
    """A turn of 20 ms CPU is heard of, one of 1 ms is not."""
    now, heard = [0.0], []
    watch = TurnWatch(heard.append, lambda: now[0])
    reactor = FakeReactor()
    assert watch.watch(reactor)
    for took in (0.0, 0.001, 0.020):
        now[0] += took
        assert list(reactor._poller.poll(1, 2)) == [(1, 2)]
    assert [round(took, 3) for took in heard] == [0.020]
    assert (round(watch.longest, 3), watch.long_turns) == (0.020, 1)


def test_a_crowd_is_served_over_several_turns():
    """However many sockets are ready, a turn serves a few: those who come behind them wait for those only."""
    reactor = FakeReactor()
    reactor._poller.ready = 5_000
    TurnWatch(print).watch(reactor)
    assert list(reactor._poller.poll(0, 5_000)) == [(0, EVENTS_A_TURN)] * EVENTS_A_TURN


def test_a_crowd_that_costs_much_is_served_over_more_turns():
    """Once its share is used a turn leaves the others to the next, which asks for as many as there was time for."""
    now, heard = [0.0], []
    watch, reactor = TurnWatch(heard.append, lambda: now[0]), FakeReactor()
    reactor._poller.ready = 5_000
    watch.watch(reactor)
    served = []
    for cost in (SHARE_S / 2.5, SHARE_S / 2.5, SHARE_S * 1.1, SHARE_S / 100, SHARE_S / 100):
        served.append(0)
        for _ in reactor._poller.poll(0, 5_000):
            now[0] += cost
            served[-1] += 1
    assert served == [3, 3, 1, 1, 2]
    for _ in range(EVENTS_A_TURN):
        turn = sum(1 for _ in reactor._poller.poll(0, 5_000))
    assert turn == EVENTS_A_TURN
    assert heard == []


def test_the_poller_keeps_its_other_methods():
    """What the reactor asks of its poller still works."""
    reactor = FakeReactor()
    TurnWatch(print).watch(reactor)
    assert reactor._poller.register(3) == 3


def test_start_up_is_forgotten():
    """Loading the directory is not held against the node."""
    now = [0.0]
    watch = TurnWatch(lambda took: None, lambda: now[0])
    watch.waits()
    now[0] = 1.0
    watch.waits()
    watch.forget()
    watch.waits()
    assert watch.longest == 0.0


def test_a_reactor_without_a_poller_is_left_alone():
    """Other reactors run unwatched."""
    assert not TurnWatch(print).watch(object())
