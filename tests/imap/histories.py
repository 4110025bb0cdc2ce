"""Folders as they change, for tests of what clients are told: snapshots made by hand, and made-up histories."""

from array import array

from hypothesis import strategies as st

from unitymail.interfaces.store import Snapshot

COMBINATIONS = (frozenset(), frozenset({"\\Seen"}), frozenset({"\\Seen", "\\Deleted"}), frozenset({"work"}))


def snapshot(messages, serial=1, keywords=(), modseqs=None):
    """From {uid: combination index}; every message changed with the number `serial`, unless `modseqs` has others."""
    uids = sorted(messages)
    changed = modseqs or {}
    return Snapshot(
        serial, 1, (uids[-1] if uids else 0) + 1, serial, array("L", uids), array("L", [messages[u] for u in uids]),
        array("Q", [changed.get(u, serial) for u in uids]), COMBINATIONS, keywords,
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
