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
    """A number beyond the last message is an error, and so is a result that was never saved."""
    for text in (b"4", b"1:4", b"$"):
        with pytest.raises(Bad):
            spans_of(VIEW, parse(text), by_uid=False)
    with pytest.raises(Bad):
        spans_of(VIEW, parse(b"$"), by_uid=True)
