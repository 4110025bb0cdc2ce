"""Which messages a command names."""

import asyncio
from array import array
from types import SimpleNamespace

import pytest

from unitymail.imap.chosen import named_spans, named_uids, spans_of, uids_of
from unitymail.imap.registry import Bad
from unitymail.imap.search import mask
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


@pytest.mark.parametrize(("text", "in_thread"), [(b"1:*", False), (b"1,3", False), (b"$", True)])
def test_many_are_looked_for_in_threads(text, in_thread):
    """A saved result of many scattered messages, or thousands of numbers, hold nobody up; what is little is at hand."""
    uids = array("L", range(1, 10_001))
    none = array("L", bytes(uids.itemsize * len(uids)))
    view = View(Snapshot(1, 1, 10_001, 1, uids, none, none, (frozenset(),)))
    view.saved = mask.from_indexes(range(0, 10_000, 2), 10_000)
    ran = []

    async def run(function, *args):
        ran.append(function)
        return function(*args)

    session = SimpleNamespace(view=view, run=run)
    found = asyncio.run(named_spans(session, parse(text), by_uid=True))
    assert found == spans_of(view, parse(text), by_uid=True) and bool(ran) == in_thread
    assert asyncio.run(named_uids(session, parse(text), by_uid=True)) == uids_of(view, parse(text), by_uid=True)
    ran.clear()
    asyncio.run(named_uids(session, parse(b",".join(b"%d" % n for n in range(1, 9_999, 2))), by_uid=True))
    assert ran


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
