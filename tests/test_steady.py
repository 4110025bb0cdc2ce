"""The reactor's clock only goes on; the wall's says what time it is."""

import time

from twisted.internet.epollreactor import EPollReactor

from unitymail.steady import WallClock, make_steady


def test_a_clock_that_is_set_moves_no_time_limit(monkeypatch):
    """An hour forward ends nothing early, an hour back nothing late; dates follow both."""
    shift, real, called = [0.0], time.time, []
    monkeypatch.setattr(time, "time", lambda: real() + shift[0])
    reactor = EPollReactor()
    make_steady(reactor)
    wall = WallClock(reactor)
    before = reactor.seconds()
    assert abs(before - real()) < 1
    for jump in (3_600.0, -3_600.0):
        shift[0] = jump
        late = reactor.callLater(600, called.append, "late")
        reactor.callLater(0, called.append, jump)
        reactor.iterate(0)
        assert called == [jump] and late.active()
        assert abs(wall.seconds() - real() - jump) < 1 and abs(reactor.seconds() - before) < 5
        late.cancel()
        called.clear()
    reactor.disconnectAll()


def test_once_is_enough():
    """Whoever asks again changes nothing."""
    reactor = EPollReactor()
    make_steady(reactor)
    steady = reactor.seconds
    make_steady(reactor)
    assert reactor.seconds is steady


def test_the_wall_clock_is_the_reactor_otherwise():
    """What is asked of it besides the time, the reactor does."""
    reactor = EPollReactor()
    wall = WallClock(reactor)
    call = wall.callLater(5, print)
    assert call in reactor.getDelayedCalls()
    call.cancel()
