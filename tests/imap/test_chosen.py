"""Which messages a command names."""

from array import array

import pytest

from unitymail.imap.chosen import spans_of, uids_of
from unitymail.imap.registry import Bad
from unitymail.imap.view import View
from unitymail.imap.wire.sequence import parse
from unitymail.interfaces.store import Snapshot

VIEW = View(Snapshot(1, 1, 99, 1, array("L", [3, 5, 9]), array("L", [0, 0, 0]), array("Q", [1, 1, 1]), (frozenset(),)))


@pytest.mark.parametrize(("text", "by_uid", "uids"), [
    (b"1:*", False, [3, 5, 9]), (b"3,1", False, [3, 9]), (b"*", False, [9]), (b"4:8", True, [5]), (b"1,2", True, []),
    (b"20:*", True, [9]),
])
def test_uids(text, by_uid, uids):
    """By number or by UID; `*` is the last message."""
    assert list(uids_of(VIEW, parse(text), by_uid=by_uid)) == uids


def test_refused():
    """A number beyond the last message is an error."""
    for text in (b"4", b"1:4"):
        with pytest.raises(Bad):
            spans_of(VIEW, parse(text), by_uid=False)


def test_saved_result():
    """`$` names the messages of the saved result, by number and by UID alike; nothing when nothing was saved."""
    view = View(VIEW.snapshot)
    for by_uid in (False, True):
        view.saved = 0
        assert (spans_of(view, parse(b"$"), by_uid=by_uid), list(uids_of(view, parse(b"$"), by_uid=by_uid))) == ([], [])
        view.saved = 0b101
        assert spans_of(view, parse(b"$"), by_uid=by_uid) == [(0, 1), (2, 3)]
        assert list(uids_of(view, parse(b"$"), by_uid=by_uid)) == [3, 9]
