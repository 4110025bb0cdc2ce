"""Calls that wait for the disk are made side by side, and all of them are made."""

from threading import Barrier

import pytest

from unitymail.spool.flushers import Flushers


@pytest.mark.parametrize("size", [0, 1, 4])
def test_every_call_is_made(size):
    """However many threads there are, `make` returns when each call was made once."""
    flushers, made = Flushers(size), []
    for _ in range(20):
        flushers.make([lambda n=n: made.append(n) for n in range(10)])
        assert sorted(made) == list(range(10))
        made.clear()
    flushers.stop()


def test_they_are_made_side_by_side():
    """Five calls that wait for each other come to an end with four threads besides the caller's."""
    flushers, barrier = Flushers(4), Barrier(5, timeout=10)
    flushers.make([lambda: barrier.wait() and None for _ in range(5)])
    assert not barrier.broken
    flushers.stop()
