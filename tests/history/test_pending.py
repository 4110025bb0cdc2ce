"""Events wait in memory, by message, and never more than there is room for."""

from unitymail.history.pending import Pending


def noted(batch):
    return {trace: [event for _, event, _ in events] for trace, events in batch.items()}


def test_gathered_by_message():
    """What happened to one message is together and in order."""
    pending = Pending()
    for trace, event in (("a", "received"), ("b", "received"), ("a", "delivered")):
        pending.add(trace, 1.0, event, {})
    assert noted(pending.take()) == {"a": ["received", "delivered"], "b": ["received"]}
    assert noted(pending.take()) == {}


def test_what_is_too_much_is_counted():
    """Beyond the bound events are dropped; those under way count until they are written."""
    pending = Pending(most=2)
    for event in ("one", "two", "three"):
        pending.add("a", 1.0, event, {})
    assert (len(pending), pending.take_dropped(), pending.take_dropped()) == (2, 1, 0)
    batch = pending.take()
    pending.add("a", 1.0, "four", {})
    assert pending.take_dropped() == 1
    pending.written(batch)
    pending.add("a", 1.0, "five", {})
    assert noted(pending.take()) == {"a": ["five"]}


def test_put_back_comes_first():
    """A batch that could not be written goes before what came since."""
    pending = Pending()
    pending.add("a", 1.0, "one", {})
    batch = pending.take()
    pending.add("a", 2.0, "two", {})
    pending.add("b", 2.0, "three", {})
    pending.put_back(batch)
    assert len(pending) == 3
    assert noted(pending.take()) == {"a": ["one", "two"], "b": ["three"]}
