"""A moment that is put off: when it comes, and how many timers that takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from unitymail.relay.deadline import Deadline


class Watched:
    def __init__(self):
        self.clock = Clock()
        self.passed = []
        self.deadline = Deadline(self.clock, lambda: self.passed.append(self.clock.seconds()))


@pytest.mark.parametrize(("first", "then"), [(10, 50), (50, 10), (10, 10)])
def test_the_last_one_counts(first, then):
    """A shorter one after a longer, and the other way round."""
    watched = Watched()
    watched.deadline.set(first)
    watched.clock.advance(5)
    watched.deadline.set(then)
    watched.clock.pump([1.0] * 100)
    assert watched.passed == [5 + then]
    assert watched.clock.getDelayedCalls() == []


def test_lifted():
    """Nothing comes until another is set."""
    watched = Watched()
    watched.deadline.set(10)
    watched.deadline.lift()
    watched.clock.advance(20)
    assert watched.passed == []
    watched.deadline.set(10)
    watched.clock.advance(10)
    assert watched.passed == [30]


def test_the_end():
    """No timer outlives it."""
    watched = Watched()
    watched.deadline.set(10)
    watched.deadline.end()
    watched.deadline.end()
    assert watched.clock.getDelayedCalls() == []
    watched.clock.advance(20)
    assert watched.passed == []


def test_another_from_within():
    """Who hears that it passed may set the next."""
    clock, passed = Clock(), []
    deadline = Deadline(clock, lambda: passed.append(clock.seconds()) or deadline.set(5))
    deadline.set(10)
    clock.pump([1.0] * 17)
    assert passed == [10, 15]


def test_a_reply_costs_no_timer():
    """A thousand moments, each put off by the next, are one timer that rings a few times."""
    watched, made = Watched(), []
    call_later, watched.clock.callLater = watched.clock.callLater, lambda *args: made.append(args) or call_later(*args)
    for _ in range(1_000):
        watched.deadline.set(300)
        watched.clock.advance(1)
    assert (watched.passed, len(watched.clock.getDelayedCalls())) == ([], 1)
    assert len(made) <= 5


@given(st.lists(st.tuples(st.sampled_from(["set", "lift", "wait"]), st.integers(1, 30)), max_size=30))
def test_as_one_timer_each(steps):
    """Whatever is set, lifted and waited for: it passes when the newest does."""
    watched, due, expected = Watched(), None, []
    for what, seconds in steps:
        if what == "set":
            watched.deadline.set(seconds)
            due = watched.clock.seconds() + seconds
        elif what == "lift":
            watched.deadline.lift()
            due = None
        else:
            for _ in range(seconds):
                watched.clock.advance(1)
                if due == watched.clock.seconds():
                    expected.append(due)
                    due = None
    assert watched.passed == expected
