"""Counting at the doors: every number under its labels, so many and no more, and cheap enough for every reply."""

import time

from zope.interface.verify import verifyObject

from unitymail.interfaces.metrics import IMetrics, Unmeasured
from unitymail.metrics.counts import MOST_KEYS, Counts
from unitymail.metrics.families import BOUNDS


def test_it_keeps_its_promise():
    """Each count of the interface has a method of the same shape, in both who count and who do not."""
    verifyObject(IMetrics, Counts())
    verifyObject(IMetrics, Unmeasured())


def test_what_a_door_did():
    """One of each, where it belongs."""
    counts = Counts()
    counts.connected("mta")
    counts.connected("mta")
    counts.disconnected("mta")
    counts.turned_away("mta", "554")
    counts.replied("mta", "250")
    counts.signed_in("imap", "PLAIN", "ok")
    counts.octets_in("imaps", 10)
    counts.octets_in("imaps", 5)
    counts.octets_out("imaps", 7)
    found = counts.snapshot()
    assert found.counters == {
        ("connections", "mta"): 2, ("turned-away", "mta", "554"): 1, ("replies", "mta", "250"): 1,
        ("sign-ins", "imap", "PLAIN", "ok"): 1, ("octets-in", "imaps"): 15, ("octets-out", "imaps"): 7,
    }
    assert found.gauges == {("open", "mta"): 1}


def test_how_long_answers_took():
    """Each in its bucket, an end of a bucket within it, the longest beyond the last; and their sum."""
    counts = Counts()
    for seconds in (0, BOUNDS[0], BOUNDS[0] * 1.01, BOUNDS[-1] + 1):
        counts.took("mta", "message", seconds)
    [(key, buckets)] = counts.snapshot().times.items()
    assert key == ("took", "mta", "message")
    assert (buckets[0], buckets[1], buckets[-2], sum(buckets[:-1])) == (2, 1, 1, 4)
    assert abs(buckets[-1] - (BOUNDS[0] * 2.01 + BOUNDS[-1] + 1)) < 1e-9


def test_a_snapshot_is_of_its_moment():
    """What is counted afterwards does not change it."""
    counts = Counts()
    counts.took("mta", "AUTH", 1)
    before = counts.snapshot()
    counts.replied("mta", "250")
    counts.took("mta", "AUTH", 1)
    assert not before.counters
    assert sum(before.times["took", "mta", "AUTH"][:-1]) == 1


def test_labels_are_bounded():
    """Were a label ever a client's own word, memory would not grow with it."""
    counts = Counts()
    for number in range(MOST_KEYS + 100):
        counts.replied("mta", str(number))
        counts.took("mta", str(number), 0.1)
    found = counts.snapshot()
    assert len(found.counters) == len(found.times) == MOST_KEYS + 1
    assert found.counters["replies", "other", "other"] == 100
    assert sum(found.times["took", "other", "other"][:-1]) == 100


def test_it_costs_next_to_nothing():
    """900 messages a second with 8 replies each must not be felt: 7,200 counts in well under a hundredth of it."""
    counts = Counts()

    def cpu():
        before = time.thread_time()
        for _ in range(7_200):
            counts.replied("submission", "250")
        return time.thread_time() - before

    assert min(cpu() for _ in range(5)) < 0.02
