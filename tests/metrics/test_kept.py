"""A text that takes a while to make, and many who ask for it."""

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from unitymail.metrics.kept import Kept


class Making:
    """Each text waits for the test."""

    def __init__(self):
        self.clock = Clock()
        self.made = []
        self.kept = Kept(self.make, seconds=1.0, clock=self.clock)

    async def make(self):
        waiting = Deferred()
        self.made.append(waiting)
        return await waiting

    def ask(self):
        found = []
        self.kept.get().addBoth(found.append)
        return found


@pytest.fixture
def making():
    return Making()


def test_all_who_ask_at_once_get_one(making):
    """It is made once for them."""
    first, second = making.ask(), making.ask()
    [one] = making.made
    one.callback(b"x")
    assert (first, second, len(making.made)) == ([b"x"], [b"x"], 1)


def test_it_is_shown_again_for_a_moment(making):
    """Within a second; then it is made anew, as it is when the clock was put back."""
    making.ask()
    making.made[0].callback(b"x")
    making.clock.advance(0.9)
    assert making.ask() == [b"x"]
    making.clock.advance(0.2)
    later = making.ask()
    assert later == []
    making.made[1].callback(b"y")
    assert later == [b"y"]
    making.clock.rightNow -= 100
    making.ask()
    assert len(making.made) == 3


def test_a_failure_is_everybodys_and_not_kept(making):
    """Who asks afterwards has it tried again."""
    first, second = making.ask(), making.ask()
    making.made[0].errback(OSError("no disk"))
    assert [found[0].value.args for found in (first, second)] == [("no disk",)] * 2
    again = making.ask()
    making.made[1].callback(b"x")
    assert again == [b"x"]
