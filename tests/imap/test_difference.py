"""What a client is told: applied as a client would, it always leads to the folder as it is."""

import time
from array import array

from hypothesis import given
from hypothesis import strategies as st

from tests.imap.histories import histories, snapshot
from unitymail.imap.difference import changed_indexes, diff, gone_from, without
from unitymail.imap.view import View


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


@given(histories())
def test_who_comes_back_with_the_number_misses_nothing(history):
    """What was told, and what left or changed after `highest_modseq`, is the folder; whenever the client leaves."""
    states, allowed = history
    modseqs = dict.fromkeys(states[0], 1)
    left = []
    view = View(snapshot(states[0], 1, modseqs=modseqs))
    client = {uid: (states[0][uid], 1) for uid in states[0]}
    steps = list(zip(states, states[1:], allowed[1:], strict=False))
    for serial, (before, after, expunges) in enumerate(steps, 2):
        left += [(serial, uid) for uid in before if uid not in after]
        modseqs = {uid: modseqs[uid] if before.get(uid) == after[uid] else serial for uid in after}
        told = diff(view, snapshot(after, serial, modseqs=modseqs), expunges=expunges, modseqs=True)
        for uid in told.vanished:
            del client[uid]
        assert list(told.vanished) == sorted(view.uids[number - 1] for number in told.expunged)
        assert list(told.came) == [uid for uid in told.uids if uid not in client]
        for at in (*told.changed, *range(told.known, len(told.uids))):
            client[told.uids[at]] = (told.flags[at], told.modseqs[at])
        view.become(told)
        here = {uid: (after[uid], modseqs[uid]) for uid in after}
        since = view.highest_modseq
        known = {uid: state for uid, state in client.items() if uid not in {u for at, u in left if at > since}}
        assert {**known, **{uid: state for uid, state in here.items() if state[1] > since}} == here
        assert not expunges or since == serial


def test_a_change_and_back_again():
    """A flag set and cleared is news only to who compares MODSEQs."""
    view = View(snapshot({1: 0, 2: 0}))
    after = snapshot({1: 0, 2: 0}, 5, modseqs={1: 1, 2: 5})
    assert diff(view, after, expunges=True).changed == ()
    assert diff(view, after, expunges=True, modseqs=True).changed == (1,)
    beyond = snapshot({2: 0}, 6, modseqs={2: 5})
    assert diff(view, beyond, expunges=False, modseqs=True).changed == (1,)
    assert diff(view, beyond, expunges=True, modseqs=True).changed == (0,)


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
