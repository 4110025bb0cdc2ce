"""What a client is told: applied as a client would, it always leads to the folder as it is."""

import time
from array import array

from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.difference import changed_indexes, diff, gone_from, without
from unitymail.imap.telling import Manner, octets_of
from unitymail.imap.view import View
from unitymail.interfaces.store import Snapshot

COMBINATIONS = (frozenset(), frozenset({"\\Seen"}), frozenset({"\\Seen", "\\Deleted"}), frozenset({"work"}))


def snapshot(messages, serial=1, keywords=()):
    """From {uid: combination index}."""
    uids = sorted(messages)
    return Snapshot(
        serial, 1, (uids[-1] if uids else 0) + 1, serial, array("L", uids), array("L", [messages[u] for u in uids]),
        array("Q", [serial] * len(uids)), COMBINATIONS, keywords,
    )


MESSAGES = st.dictionaries(st.integers(1, 30), st.integers(0, 3), max_size=15)


@st.composite
def histories(draw):
    """A folder's states one after the other: some messages go, some change, new ones come above all there ever were."""
    state = draw(MESSAGES)
    states = [state]
    above = max([*state, 0])
    for _ in range(draw(st.integers(1, 4))):
        living = {u: f for u, f in state.items() if draw(st.booleans())}
        kept = {u: draw(st.integers(0, 3)) if draw(st.booleans()) else f for u, f in living.items()}
        new = {above + n: draw(st.integers(0, 3)) for n in draw(st.sets(st.integers(1, 5)))}
        state = {**kept, **new}
        above = max([*new, above])
        states.append(state)
    return states, draw(st.lists(st.booleans(), min_size=len(states), max_size=len(states)))


@given(histories())
def test_a_client_that_does_as_told_agrees(history):
    """EXPUNGE, EXISTS and FETCH FLAGS, in that order, turn the old folder into the new one; held back or not."""
    states, allowed = history
    view = View(snapshot(states[0]))
    client = [(uid, states[0][uid]) for uid in sorted(states[0])]
    for serial, (state, expunges) in enumerate(zip(states[1:], allowed[1:], strict=True), 2):
        told = diff(view, snapshot(state, serial), expunges=expunges)
        for number in told.expunged:
            del client[number - 1]
        assert not told.expunged or expunges
        if told.exists is not None:
            client += [(told.uids[i], told.flags[i]) for i in range(len(client), told.exists)]
        for at in told.changed:
            assert client[at][1] != told.flags[at]
            client[at] = (client[at][0], told.flags[at])
        view.become(told)
        assert [uid for uid, _ in client] == list(view.uids)
        assert [flags for _, flags in client] == list(view.flags)
        for uid, flags in client:
            assert state.get(uid, flags) == flags
        if expunges:
            assert dict(client) == state
            assert view.uids is view.snapshot.uids and not view.withheld


@given(histories())
def test_nothing_new_says_nothing(history):
    """Once told, the same snapshot is no news."""
    view = View(snapshot(history[0][0]))
    view.become(diff(view, snapshot(history[0][-1], 9), expunges=True))
    assert not view.differs(view.snapshot, expunges=True)
    again = diff(view, view.snapshot, expunges=True)
    assert (again.expunged, again.exists, again.changed, again.keywords) == ((), None, (), None)


@given(st.sets(st.integers(1, 3000)), st.data())
def test_gone(uids, data):
    """Which are gone, whether few or most of many."""
    old = sorted(uids)
    kept = set(data.draw(st.lists(st.sampled_from(old)))) if old and data.draw(st.booleans()) else set(old[::2])
    new = [u for u in old if u in kept] + [4000]
    gone = gone_from(array("L", old), array("L", new))
    assert [old[i] for i in gone] == [u for u in old if u not in kept]
    assert list(without(array("L", old), gone)) == [u for u in old if u in kept]


def test_gone_from_large_folders():
    """Half of 100,000 gone, or a single one, takes a moment only."""
    old = array("L", range(1, 100_001))
    began = time.process_time()
    assert len(gone_from(old, old[::2])) == 50_000
    assert gone_from(old, old[:50_000] + old[50_001:]) == [50_000]
    assert changed_indexes(old, old[:99_000] + array("L", [5]) + old[99_001:]) == [99_000]
    assert time.process_time() - began < 3


def test_octets():
    """What goes over the wire, highest EXPUNGE first."""
    view = View(snapshot({1: 0, 2: 0, 3: 0, 4: 1}), [(3, 4)])
    told = diff(view, snapshot({1: 1, 3: 0, 7: 3}, 2, ("work",)), expunges=True)
    view.add_recent(7, 7)
    view.become(told)
    assert octets_of(told, view) == (
        b"* 4 EXPUNGE\r\n* 2 EXPUNGE\r\n"
        b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work)\r\n"
        b"* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work \\*)]"
        b" These can be changed for good\r\n"
        b"* 3 EXISTS\r\n* 2 RECENT\r\n"
        b"* 1 FETCH (FLAGS (\\Seen))\r\n"
    )
    assert b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n" in octets_of(told, view, Manner(uid=True))


def test_recent():
    """\\Recent is a matter of spans that were claimed."""
    view = View(snapshot({3: 0, 5: 1, 9: 0}), [(1, 0)])
    view.add_recent(4, 5)
    view.add_recent(6, 8)
    assert [view.is_recent(u) for u in (3, 5, 9)] == [False, True, False]
    assert view.recent == [(4, 8)] and view.recent_count() == 1
    assert view.flags_octets(1, True) == b"(\\Recent \\Seen)"
    assert view.flags_octets(1, False) == b"(\\Seen)"


def test_numbers():
    """Sequence numbers and UIDs lead to each other."""
    view = View(snapshot({3: 0, 5: 1, 9: 0}))
    assert [view.sequence_of(u) for u in (3, 4, 9, 10)] == [1, 0, 3, 0]
    assert view.uid_at(2) == 5
    assert view.first_unseen() == 1
    assert View(snapshot({3: 1, 5: 1})).first_unseen() == 0


def test_silent_changes_are_not_told():
    """What STORE.SILENT did is believed; what somebody else did at the same time is told."""
    view = View(snapshot({1: 0, 2: 0, 3: 0}))
    after = snapshot({1: 1, 2: 2, 3: 0}, 2)
    view.take_flags(after, [1, 2], "add", ["\\seen"])
    told = diff(view, after, expunges=True)
    assert [told.uids[i] for i in told.changed] == [2]


def test_silent_changes_of_everything():
    """The same for the whole folder at once, and while expunges are held back."""
    view = View(snapshot({1: 0, 2: 0}))
    after = snapshot({1: 1, 2: 1}, 2)
    view.take_flags(after, [1, 2], "replace", ["\\Seen"])
    assert diff(view, after, expunges=True).changed == ()
    view = View(snapshot({1: 0, 2: 0, 3: 0}))
    view.become(diff(view, snapshot({2: 0, 3: 0}, 2), expunges=False))
    after = snapshot({2: 1, 3: 0, 4: 0}, 3)
    view.take_flags(after, [1, 2, 3])
    told = diff(view, after, expunges=True)
    assert (told.expunged, told.exists, told.changed) == ((1,), 3, ())


def test_newer_combinations_can_be_rendered():
    """Flags taken over from a newer snapshot may use a set of flags that the view's own did not know."""
    view = View(snapshot({1: 0}))
    fresh = Snapshot(2, 1, 2, 2, array("L", [1]), array("L", [4]), array("Q", [2]), (*COMBINATIONS, frozenset({"new"})))
    view.take_flags(fresh, [1])
    assert view.flags_octets(view.flags[0], False) == b"(new)"
