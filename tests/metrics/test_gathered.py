"""The numbers of several processes: added up, never backwards, and nothing of what cannot be read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.metrics.counts import Counts
from unitymail.metrics.families import FAMILIES
from unitymail.metrics.gathered import Gathered
from unitymail.metrics.snapshot import LENGTH, Snapshot, added, from_json


def counted(replies, connections=0, seconds=()):
    counts = Counts()
    for _ in range(replies):
        counts.replied("mta", "250")
    for _ in range(connections):
        counts.connected("mta")
    for each in seconds:
        counts.took("mta", "message", each)
    return counts.snapshot()


def test_all_processes_together():
    """Counts, connections and times of the parent and its workers; the longest turn is the longest of all."""
    gathered = Gathered()
    gathered.heard(1, counted(2, 1, (0.1,)).as_json())
    gathered.heard(2, Snapshot({}, {("longest-turn",): 0.008}).as_json())
    found = added((*gathered.each(), counted(1, 2, (0.2,)), Snapshot({}, {("longest-turn",): 0.002})))
    assert (found.counters["replies", "mta", "250"], found.gauges["open", "mta"]) == (3, 3)
    assert found.gauges[("longest-turn",)] == 0.008
    times = found.times["took", "mta", "message"]
    assert (sum(times[:-1]), round(times[-1], 6)) == (2, 0.3)
    assert len(gathered) == 2


def test_a_newer_report_replaces_the_one_before():
    """Each holds all that its process ever counted."""
    gathered = Gathered()
    for replies in (1, 5):
        gathered.heard(1, counted(replies).as_json())
    assert added(gathered.each()).counters["replies", "mta", "250"] == 5


def test_counters_never_go_backwards_when_a_worker_dies():
    """What it had counted stays; its connections are gone; who takes its place begins at nothing."""
    gathered = Gathered()
    gathered.heard(1, counted(5, 2, (0.1,)).as_json())
    gathered.heard(1, None)
    found = added(gathered.each())
    assert found.counters["replies", "mta", "250"] == 5
    assert sum(found.times["took", "mta", "message"][:-1]) == 1
    assert found.gauges == {}
    gathered.heard(1, counted(1, 1).as_json())
    gathered.heard(1, None)
    assert added(gathered.each()).counters["replies", "mta", "250"] == 6


def test_the_end_of_one_that_said_nothing():
    """A worker that died before its first report leaves nothing."""
    gathered = Gathered()
    gathered.heard(1, None)
    assert added(gathered.each()) == Snapshot()


@pytest.mark.parametrize("value", [
    7, "x", [], {}, {"counters": [], "gauges": []}, {"counters": {}, "gauges": [], "times": []},
    *({"counters": [row], "gauges": [], "times": []} for row in (
        [], ["replies"], ["replies", "mta", "250"], ["replies", "mta", "250", "1"], ["replies", "mta", 250, 1],
        ["replies", "mta", "250", True], ["replies", "mta", "250", float("inf")],
        ["replies", "mta", "250", float("nan")], ["replies", "mta", "250", 1, 2], ["nothing", 1],
        ["open", "mta", 1], 5, [[]],
    )),
    {"counters": [], "gauges": [], "times": [["took", "mta", "AUTH", 1]]},
])
def test_what_is_no_report(value):
    """A process of another version, or a broken one, changes nothing."""
    gathered = Gathered()
    gathered.heard(1, counted(5).as_json())
    with pytest.raises(ValueError, match=r"\S"):
        gathered.heard(1, value)
    assert added(gathered.each()).counters["replies", "mta", "250"] == 5


words = st.text(max_size=5)
numbers = st.integers(0, 10**6)


@st.composite
def snapshots(draw):
    found = {"counter": {}, "gauge": {}, "histogram": {}}
    for word in draw(st.lists(st.sampled_from(sorted(FAMILIES)), max_size=6)):
        family = FAMILIES[word]
        key = (word, *(draw(words) for _ in family.labels))
        value = tuple(draw(numbers) for _ in range(LENGTH)) if family.kind == "histogram" else draw(numbers)
        found[family.kind][key] = value
    return Snapshot(found["counter"], found["gauge"], found["histogram"])


@given(snapshots())
def test_what_travels_arrives(snapshot):
    """Through JSON and back it is the same."""
    assert from_json(json.loads(json.dumps(snapshot.as_json()))) == snapshot


@given(st.lists(snapshots(), max_size=4), st.randoms())
def test_order_does_not_matter(each, random):
    """Sums are the same whoever spoke first."""
    other = list(each)
    random.shuffle(other)
    assert added(each) == added(other)
