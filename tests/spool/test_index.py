"""Which items wait, in memory."""

import time
import tracemalloc

from unitymail.spool.index import Index


def due(index, now=100.0):
    found = []
    while (trace := index.due(now)) is not None:
        found.append(trace)
    return found


def test_urgent_first_then_the_longest_due():
    """Among what is due urgent items go first; each is handed out once."""
    index = Index()
    index.load([("a", 5.0, False), ("b", 3.0, False), ("c", 50.0, True), ("d", 101.0, True)])
    assert due(index) == ["c", "b", "a"]
    assert due(index) == []
    assert due(index, 101.0) == ["d"]


def test_again_and_drop():
    """An item that was handed out comes back when it is put again, with its urgency, and never after it left."""
    index = Index()
    index.put("a", 1.0, True)
    index.put("b", 1.0, False)
    assert due(index) == ["a", "b"]
    index.again("a", 200.0)
    index.drop("b")
    assert index.next_time() == 200.0
    assert due(index, 300.0) == ["a"]
    assert (len(index), "b" in index, "a" in index) == (1, False, True)


def test_next_time_passes_over_what_is_claimed():
    """Nobody is woken for items in hand."""
    index = Index()
    index.put("a", 1.0, False)
    index.put("b", 7.0, False)
    index.claim("a")
    assert index.next_time() == 7.0
    index.drop("b")
    assert index.next_time() is None


def test_a_derived_item_waits_for_its_parent():
    """A report is not sent on while its own message is in hand or due: its outcome is written first."""
    index = Index()
    index.put("t-r0", 1.0, True)
    index.put("t", 1.0, False)
    assert due(index) == ["t"]
    assert due(index, 102.0) == []
    index.again("t", 500.0)
    assert due(index, 104.0) == ["t-r0"]


def test_an_orphan_waits_for_nobody():
    """When its parent is gone a derived item is like any other."""
    index = Index()
    index.put("t-r0", 1.0, False)
    assert due(index) == ["t-r0"]


def test_a_hundred_thousand_items():
    """100,000 items load in a second or two of processor time and take less than 100 MB."""
    tracemalloc.start()
    began = time.process_time()
    index = Index()
    index.load((f"{n:020d}", 1_000.0 + n, n % 50 == 0) for n in range(100_000))
    assert index.due(500_000.0) is not None
    spent, (used, _) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 100_000_000
    assert spent < 5
