"""Who has a place, how long it stays empty, and who accepts for whom."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.ledger.lending import Lending
from unitymail.ledger.local import LocalLedger
from unitymail.workers.berth import HUNG_AFTER_S, LONGEST_WAIT_S, STEADY_S, UNWELL_AFTER_S, Berth, covers


def berth(number=0):
    return Berth(number, Lending(LocalLedger()))


def test_who_dies_again_and_again_comes_back_later():
    """At once the first time, then after 1, 2, 4 … seconds, a minute at most; a steady one is forgiven."""
    place = berth()
    waits = []
    for _ in range(10):
        place.taken_by(object())
        place.age = STEADY_S - 1
        waits.append(place.left())
    assert waits == [0, 1, 2, 4, 8, 16, 32, LONGEST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S]
    place.taken_by(object())
    place.age = STEADY_S
    assert place.left() == 0
    assert place.restarts == 10


def test_nobody_at_all_is_not_steady():
    """Where no process can be made after one that lived long, the pauses grow, too: no busy loop."""
    place = berth()
    place.taken_by(object())
    place.age = STEADY_S
    assert [place.left() for _ in range(4)] == [0, 1, 2, 4]


def test_when_a_worker_is_well():
    """Once it serves, until it leaves or says nothing for a while; much later it counts as hung."""
    place = berth()
    assert not place.is_well()
    place.taken_by(object())
    assert not place.is_well()
    place.ready = True
    assert place.is_well()
    place.silent = UNWELL_AFTER_S
    assert not place.is_well() and not place.hangs()
    place.silent = HUNG_AFTER_S
    assert "said nothing" in place.hangs()
    place.silent, place.leaving = 0, True
    assert not place.is_well()


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_everybody_is_covered_once(well):
    """Each place whose worker is not well has exactly one that accepts for it, and the work is dealt out evenly."""
    places = [berth(number) for number in range(len(well))]
    for place, is_well in zip(places, well, strict=True):
        if is_well:
            place.taken_by(object())
            place.ready = True
    found = covers(places)
    assert set(found) == {number for number, is_well in enumerate(well) if is_well}
    if found:
        assert sorted(one for some in found.values() for one in some) == [n for n, w in enumerate(well) if not w]
        lengths = [len(some) for some in found.values()]
        assert max(lengths) - min(lengths) <= 1
