"""Whether a change of flags explains what became of a message."""

from array import array

import pytest

from unitymail.imap.expectation import Expectation

COMBINATIONS = (frozenset(), frozenset({"\\Seen"}), frozenset({"\\Seen", "work"}), frozenset({"Work"}))


@pytest.mark.parametrize(
    ("change", "flags", "explained"),
    [
        ("add", {"\\seen"}, {(0, 1), (1, 1), (2, 2), (3, 2)}),
        ("remove", {"WORK"}, {(0, 0), (1, 1), (2, 1), (3, 0)}),
        ("replace", {"work"}, {(old, 3) for old in range(4)}),
        (None, set(), {(old, new) for old in range(4) for new in range(4)}),
    ],
)
def test_meets(change, flags, explained):
    """Letter case aside, exactly what the change would make of it; without a change everything is explained."""
    expected = Expectation(COMBINATIONS, change, frozenset(flags))
    for _ in range(2):
        assert {(a, b) for a in range(4) for b in range(4) if expected.meets(a, b)} == explained
    assert expected.meets_all(array("L", [0, 0]), array("L", [1, 1])) is ((0, 1) in explained)
