"""Where a client's beliefs agree with the folder: the same as looking at each message."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.agreement import agreeing, settled
from unitymail.imap.view import View
from unitymail.interfaces.store import Snapshot


def snapshot(modseqs):
    uids = sorted(modseqs)
    return Snapshot(1, 1, 99, 99, array("L", uids), array("L", [0] * len(uids)),
                    array("Q", [modseqs[uid] for uid in uids]), (frozenset(),))  # fmt: skip


FOLDERS = st.dictionaries(st.integers(1, 20), st.integers(1, 3))


@given(FOLDERS, FOLDERS, st.sets(st.integers(1, 20)))
def test_agreeing(mine, theirs, asked):
    """Messages of which both sides know the same MODSEQ, in spans of the view."""
    view = View(snapshot(mine))
    spans = agreeing(view, snapshot(theirs), array("L", sorted(asked)))
    found = [view.uids[at] for begin, end in spans for at in range(begin, end)]
    assert found == [uid for uid in sorted(asked) if uid in mine and mine[uid] == theirs.get(uid)]


def test_side_by_side():
    """A run of messages is one span."""
    folder = dict.fromkeys(range(1, 10), 1)
    assert agreeing(View(snapshot(folder)), snapshot(folder), array("L", [3, 4, 5])) == [(2, 5)]


@given(FOLDERS, st.sets(st.integers(1, 20)), st.data())
def test_settled(folder, asked, data):
    """Neither what was left alone nor what is gone counts as reached; only what is gone is gone."""
    failed = sorted(data.draw(st.sets(st.sampled_from(sorted(asked & folder.keys()))))) if asked & folder.keys() else []
    reached, gone = settled(array("L", sorted(asked)), failed, snapshot(folder))
    assert set(reached) == (asked & folder.keys()) - set(failed)
    assert gone == bool(asked - folder.keys())
