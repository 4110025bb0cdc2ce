"""The watch over reactor turns counts the CPU time between two waits."""

from unitymail.turns import EVENTS_A_TURN, TurnWatch


class FakePoller:
    def poll(self, timeout, events):
        return [(timeout, events)]

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
        assert reactor._poller.poll(1, 2) == [(1, 2)]
    assert [round(took, 3) for took in heard] == [0.020]
    assert (round(watch.longest, 3), watch.long_turns) == (0.020, 1)


def test_a_crowd_is_served_over_several_turns():
    """However many sockets are ready, a turn serves a few: those who come behind them wait for those only."""
    reactor = FakeReactor()
    TurnWatch(print).watch(reactor)
    assert reactor._poller.poll(0, 5_000) == [(0, EVENTS_A_TURN)]


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
