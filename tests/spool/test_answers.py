"""Many are answered, each in its turn, and none keeps the reactor for itself."""

import pytest
from twisted.internet.task import Clock

from unitymail.spool.answers import A_TURN_S, Answers


class Turns:
    """A clock that moves with the work, and the calls of later turns."""

    def __init__(self):
        self.now, self.later = 0.0, []

    def seconds(self):
        return self.now

    def callLater(self, delay, call):
        self.later.append(call)

    def turn(self):
        self.later.pop()()


def test_few_milliseconds_a_turn():
    """What takes longer goes on in the next turns, in order, with what came meanwhile at the end."""
    turns, given = Turns(), []
    answers = Answers(turns)

    def answer(number):
        given.append(number)
        turns.now += A_TURN_S * 0.6

    answers.give([lambda n=n: answer(n) for n in range(3)])
    assert given == [0, 1]
    answers.give([lambda: answer(3), lambda: answer(4)])
    assert given == [0, 1]
    turns.turn()
    assert given == [0, 1, 2, 3]
    turns.turn()
    assert given == [0, 1, 2, 3, 4]
    assert not turns.later


def test_none_is_made_before_its_turn():
    """Answers to a hundred thousand take no room while they wait: each is asked for when it is given."""
    turns, made = Turns(), []
    answers = Answers(turns)

    def answer():
        turns.now += A_TURN_S

    def waiting():
        for number in range(3):
            made.append(number)
            yield answer

    answers.give(waiting())
    answers.give(waiting())
    assert made == [0]
    while turns.later:
        turns.turn()
    assert made == [0, 1, 2, 0, 1, 2]


def test_quick_ones_share_a_turn():
    """A thousand that cost nothing are answered at once."""
    clock, given = Clock(), []
    Answers(clock).give([lambda n=n: given.append(n) for n in range(1_000)])
    assert given == list(range(1_000))
    assert not clock.getDelayedCalls()


def test_an_answer_that_leads_to_others():
    """They come after those that wait already, in the same turn while there is time, never one inside the other."""
    clock, given = Clock(), []
    answers = Answers(clock)

    def first():
        answers.give([lambda: given.append("third")])
        given.append("first")

    answers.give([first, lambda: given.append("second")])
    assert given == ["first", "second", "third"]


def test_one_that_raises():
    """Its trouble is told to the caller; whoever waits behind it, and whoever comes later, is answered."""
    clock, given = Clock(), []
    answers = Answers(clock)

    def bad():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answers.give([lambda: given.append(0), bad, lambda: given.append(1)])
    answers.give([lambda: given.append(2)])
    clock.advance(0)
    assert given == [0, 1, 2]
    with pytest.raises(ZeroDivisionError):
        answers.give([bad])
    clock.advance(0)
    answers.give([lambda: given.append(3)])
    assert given == [0, 1, 2, 3]
    assert not clock.getDelayedCalls()
