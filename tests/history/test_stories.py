"""Stories come back whole and in order, by their id or by what is known of them."""

import os
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.history.letters import CHRIS, NOON, ROBIN, batch_of, received, told_by_peer, trace_of
from unitymail.disk import Disk
from unitymail.history.file import HistoryFile
from unitymail.history.schema import DAY_S
from unitymail.history.stories import Stories, in_order
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.history import Event


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "history.sqlite")


@pytest.fixture
def write(path):
    file = HistoryFile(path, Disk())
    yield file.write
    file.close()


@pytest.fixture
def stories(path):
    return Stories(path)


def traces(found):
    return [story.trace for story in found]


def test_nothing_was_ever_written(stories, path):
    """No answer, and no file either."""
    assert stories.story("x") is None
    assert stories.find(sender=ROBIN) == []
    assert not os.path.exists(path)


def test_a_story(stories, write):
    """Its people, its Message-ID, its events: received first, though the delivery was noted before."""
    write(batch_of(1, NOON))
    write({trace_of(1): [(NOON + 60, "read", {"account": "u-chris"})]})
    story = stories.story(trace_of(1))
    assert (story.trace, story.message_id, story.sender, story.recipients) == (
        trace_of(1), "<m1@example.com>", ROBIN, (CHRIS,)
    )  # fmt: skip
    assert [(event.event, event.time) for event in story.events] == [
        ("received", NOON), ("decided", NOON), ("delivered", NOON), ("read", NOON + 60)
    ]  # fmt: skip
    assert story.events[1].facts["secure"] is False, "what is left out in the file is told"
    assert all(event.facts["trace"] == trace_of(1) for event in story.events)


def test_what_is_derived_is_part_of_it(stories, write):
    """Reports and converted copies, by either id; the neighbours in the file are not."""
    write({"abc": [(NOON, "received", received())]})
    write({"abc-r0": [(NOON + 1, "delivered", {"account": "u1", "address": ROBIN})]})
    write({"abc-v0-r1": [(NOON + 2, "bad-mail", {"reason": "x"})]})
    write({"abcd": [(NOON, "received", received())], "ab": [(NOON, "received", received())]})
    for id in ("abc", "abc-r0", "abc-v0-r1", "abc-nosuch"):
        assert [event.facts["trace"] for event in stories.story(id).events] == ["abc", "abc-r0", "abc-v0-r1"]


def test_by_the_name_at_a_peer(stories, write):
    """With what the peer sent again of it."""
    write({"here": [(NOON, "received", received(came_from=told_by_peer("there")))]})
    write({"later": [(NOON + 9, "sent-again", {"xid": "n1.there", "recipients": 1})]})
    story = stories.story("there")
    assert (story.trace, [event.event for event in story.events]) == ("here", ["received", "sent-again"])


def test_newest_first_and_not_too_many(stories, write):
    """The newest that fit; over midnight too."""
    for n in range(6):
        write(batch_of(n, NOON + n * DAY_S / 3))
    assert traces(stories.find(recipient=CHRIS)) == [trace_of(n) for n in (5, 4, 3, 2, 1, 0)]
    assert traces(stories.find(recipient=CHRIS, most=2)) == [trace_of(5), trace_of(4)]
    assert traces(stories.find(recipient=CHRIS, since=NOON + DAY_S)) == [trace_of(5), trace_of(4), trace_of(3)]


def test_all_that_is_given_must_fit(stories, write):
    """Sender and recipient together; of several spellings any."""
    write(batch_of(1, NOON))
    write(batch_of(2, NOON, ("sam@example.com",)))
    write(batch_of(3, NOON, sender="pat@example.com"))
    assert traces(stories.find(sender=ROBIN, recipient=CHRIS)) == [trace_of(1)]
    assert traces(stories.find(sender=ROBIN.upper(), recipient=["nobody@x", "sam@example.com"])) == [trace_of(2)]
    assert traces(stories.find(sender=(ROBIN, "pat@example.com"), recipient=CHRIS)) == [trace_of(3), trace_of(1)]
    assert traces(stories.find(message_id="<m2@example.com>", recipient=CHRIS)) == []
    assert stories.find() == []


def test_a_message_with_many_rows_is_one_match(stories, write):
    """Told once, however often its addresses were noted."""
    write(batch_of(1, NOON))
    write(batch_of(1, NOON + 3_600))
    assert traces(stories.find(sender=ROBIN)) == [trace_of(1)]


def test_found_while_a_node_writes(stories, path):
    """A transaction under way is no obstacle."""
    file = HistoryFile(path, Disk())
    file.write(batch_of(1, NOON))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert traces(stories.find(sender=ROBIN)) == [trace_of(1)]
    other.execute("ROLLBACK")
    other.close()
    file.close()


def test_the_newest_of_many(stories, write):
    """Of a hundred the two newest, by one address or by several; what is not asked for is left without a word."""
    batch = {}
    for n in range(100):
        batch |= batch_of(n, NOON + n, sender=(ROBIN, "pat@example.com")[n % 2])
    write(batch)
    assert traces(stories.find(recipient=CHRIS, most=2)) == [trace_of(99), trace_of(98)]
    assert traces(stories.find(sender=(ROBIN, "pat@example.com"), most=2)) == [trace_of(99), trace_of(98)]
    assert traces(stories.find(sender=ROBIN, recipient=(CHRIS, "x@y"), most=2)) == [trace_of(98), trace_of(96)]


def test_an_unreadable_file(stories, path):
    """Said as what it is, not as a traceback of SQL."""
    with open(path, "wb") as file:
        file.write(b"no database" * 100)
    with pytest.raises(TryAgain, match="cannot be read"):
        stories.story("x")


def event(time, name, trace="t"):
    return Event(time, name, {"trace": trace})


def test_a_later_decision_keeps_its_place():
    """Bad mail that was sent back in is decided again a day later, and that is where it stands."""
    events = [event(1.0, "received"), event(1.0, "decided"), event(1.0, "bad-mail"), event(9_999.0, "decided")]
    assert in_order(reversed(events))[-1].time == 9_999.0


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from(["received", "decided", "delivered", "read"]))))
def test_order(pairs):
    """Nothing is lost, and what follows from a reception never comes before it."""
    events = [event(time, name) for time, name in pairs]
    ordered = in_order(events)
    assert sorted(each.event for each in ordered) == sorted(each.event for each in events)
    times = [each.time for each in ordered]
    assert times == sorted(times)
    if events and min(events, key=lambda each: each.time).time > max(times) - 5 and any(
        each.event == "received" for each in events
    ):
        assert ordered[0].event == "received"
