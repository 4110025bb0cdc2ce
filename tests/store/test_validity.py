"""UIDVALIDITY outlives the index."""

import os

import pytest

from unitymail.disk import Disk
from unitymail.interfaces.errors import Never
from unitymail.store.validity import FILE, HIGHEST, next_uidvalidity


@pytest.fixture
def give(tmp_path):
    """Asks for a value at a moment."""
    return lambda now, floor=0: next_uidvalidity(
        Disk(), str(tmp_path), now, floor, lambda: str(tmp_path / "temporary")
    )


def test_at_least_the_time_and_only_growing(give):
    """Each value is new and higher, at least the current time, even when the clock goes back."""
    assert [give(1000.9), give(1000.9), give(5.0), give(2000.0)] == [1000, 1001, 1002, 2000]


def test_a_lost_file_does_not_repeat_values(give, tmp_path):
    """Without the file, or with a damaged one, the index's own highest value is the floor."""
    assert give(100.0) == 100
    os.unlink(tmp_path / FILE)
    assert give(50.0, 100) == 101
    (tmp_path / FILE).write_bytes(b"garbage")
    assert give(50.0, 101) == 102


def test_thirty_two_bits(give):
    """A value beyond 32 bits is refused rather than wrapped round."""
    assert give(HIGHEST) == HIGHEST
    with pytest.raises(Never):
        give(5.0)
