"""What one client has been told of its folder: numbers, \\Recent, and what its own STOREs did."""

from array import array

from tests.imap.histories import COMBINATIONS, snapshot
from unitymail.imap.difference import diff
from unitymail.imap.view import View
from unitymail.interfaces.store import Snapshot


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


def test_highest_modseq_waits_for_what_is_withheld():
    """It does not pass a message that is gone and may not be told of yet."""
    view = View(snapshot({1: 0, 2: 0}))
    view.become(diff(view, snapshot({2: 1}, 7), expunges=False))
    assert (view.highest_modseq, view.withheld) == (1, True)
    view.become(diff(view, snapshot({2: 1}, 8), expunges=True))
    assert (view.highest_modseq, view.withheld) == (8, False)
