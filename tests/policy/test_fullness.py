"""How full a mailbox is, and that hovering around a limit is no news."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.people.user import Quota
from unitymail.policy.fullness import SLACK, Level, level_known, level_of, limit_of

QUOTA = Quota(warning=1000, send=2000, receive=3000)


@pytest.mark.parametrize(("octets", "level"), [
    (0, Level.ROOM), (999, Level.ROOM), (1000, Level.WARNING), (1999, Level.WARNING), (2000, Level.SEND),
    (3000, Level.RECEIVE), (10**9, Level.RECEIVE),
])  # fmt: skip
def test_the_highest_limit_counts(octets, level):
    """From the very octet on."""
    assert level_of(octets, QUOTA) is level


def test_limits_that_are_not_there():
    """0 is unlimited: such a limit is never reached, whichever it is."""
    assert level_of(10**12, Quota(0, 0, 0)) is Level.ROOM
    assert level_of(10**12, Quota(1, 0, 0)) is Level.WARNING
    assert level_of(0, Quota(0, 0, 0)) is Level.ROOM
    assert [limit_of(level, QUOTA) for level in Level] == [0, 1000, 2000, 3000]


@pytest.mark.parametrize(("told", "octets", "known"), [
    (Level.WARNING, 1500, Level.WARNING), (Level.WARNING, 950, Level.WARNING), (Level.WARNING, 949, Level.ROOM),
    (Level.RECEIVE, 2900, Level.RECEIVE), (Level.RECEIVE, 2800, Level.SEND), (Level.RECEIVE, 10, Level.ROOM),
    (Level.ROOM, 5000, Level.ROOM), (Level.SEND, 1899, Level.WARNING),
])  # fmt: skip
def test_what_is_forgotten(told, octets, known):
    """A level is known until the mailbox is well below it."""
    assert level_known(told, octets, QUOTA) is known


LIMITS = st.just(0) | st.integers(1, 5000)


@given(st.builds(Quota, LIMITS, LIMITS, LIMITS), st.lists(st.integers(0, 6000), max_size=30))
def test_told_once_a_crossing(quota, story):
    """Between two tellings of a level the mailbox was below its limit by the slack; what is reached is always told."""
    told, lowest = Level.ROOM, dict.fromkeys(Level, -1)
    for octets in story:
        lowest = {level: min(low, octets) for level, low in lowest.items()}
        known = level_known(told, octets, quota)
        told = max(known, level_of(octets, quota))
        assert told >= level_of(octets, quota)
        if told > known:
            limit = limit_of(told, quota)
            assert octets >= limit and lowest[told] < limit - limit // SLACK
        for level in Level:
            if level <= told:
                lowest[level] = octets
