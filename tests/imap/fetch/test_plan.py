"""A plan writes each message's line with one formatting."""

import tracemalloc
from array import array

from unitymail.imap.fetch.block import Block, Shown, cut_out, split
from unitymail.imap.fetch.grammar import attributes
from unitymail.imap.fetch.plan import planned
from unitymail.imap.view import View
from unitymail.imap.wire.lexer import Reader
from unitymail.interfaces.store import Snapshot

ROWS = [(7, b'"date"', 9, b"(env)"), (8, b'"date"', 10, b"(env)")]


def plan_of(text, *, by_uid=False):
    return planned(attributes(Reader([text])), by_uid=by_uid)


def view_of(count, recent=()):
    return View(
        Snapshot(1, 1, 1000, 1, array("L", range(10, 10 + count)), array("L", [n % 2 for n in range(count)]),
                 array("Q", [1] * count), (frozenset(), frozenset({"\\Seen"}))),
        recent,
    )


def test_lines():
    """Flags first, then the UID, then what the index holds."""
    plan = plan_of(b"(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)")
    assert plan.columns == ("internaldate", "size", "envelope")
    assert plan.heads([1, 2], [b"FLAGS (a) ", b"FLAGS () "], ROWS) == [
        b'* 1 FETCH (FLAGS (a) UID 7 INTERNALDATE "date" RFC822.SIZE 9 ENVELOPE (env))\r\n',
        b'* 2 FETCH (FLAGS () UID 8 INTERNALDATE "date" RFC822.SIZE 10 ENVELOPE (env))\r\n',
    ]


def test_uid_fetch_tells_the_uid():
    """UID FETCH answers with the UID unasked; FETCH only when asked."""
    assert plan_of(b"FLAGS", by_uid=True).heads([3], [b"FLAGS () "], [(9,)]) == [b"* 3 FETCH (FLAGS () UID 9)\r\n"]
    assert plan_of(b"FLAGS").heads([3], [b"FLAGS ()"], [(9,)]) == [b"* 3 FETCH (FLAGS ())\r\n"]
    assert plan_of(b"RFC822.SIZE").heads([3], [b""], [(9, 5)]) == [b"* 3 FETCH (RFC822.SIZE 5)\r\n"]


def test_label_with_a_percent_sign():
    """A percent sign in a field's name is no formatting."""
    plan = plan_of(b'(BODY.PEEK[HEADER.FIELDS (Subject)] BODY.PEEK[HEADER.FIELDS ("%d")])', by_uid=True)
    assert plan.heads([1], [b""], [(2, b"Subject: 50%\r\n")]) == [
        b"* 1 FETCH (UID 2 BODY[HEADER.FIELDS (Subject)] {16}\r\nSubject: 50%\r\n\r\n "
    ]


def test_blocks():
    """Spans are cut into portions, order kept, small ones joined."""
    assert list(split([(0, 5), (7, 8), (9, 12)], 4)) == [[(0, 4)], [(4, 5), (7, 8), (9, 11)], [(11, 12)]]
    assert list(split([], 4)) == []


def test_cut_out():
    """A block has numbers, UIDs and flags; the session's recent messages say so."""
    view = view_of(6, recent=[(12, 13), (15, 15)])
    block = cut_out(view, [(1, 4), (5, 6)], Shown(flags=True, follow=b" "))
    assert (list(block.sequences), list(block.uids)) == ([2, 3, 4, 6], [11, 12, 13, 15])
    assert block.flags == [
        b"FLAGS (\\Seen) ", b"FLAGS (\\Recent) ", b"FLAGS (\\Recent \\Seen) ", b"FLAGS (\\Recent \\Seen) ",
    ]
    only = cut_out(view, [(0, 3)], Shown(marked={11}, follow=b" "))
    assert only.flags == [b"", b"FLAGS (\\Seen) ", b""]
    assert cut_out(view, [(0, 3)], Shown()).flags == [b"", b"", b""]


def test_without_the_gone():
    """Messages that are gone leave the block; the others keep their numbers."""
    assert Block([1, 2, 3], [4, 5, 6], [b"a", b"b", b"c"]).only({4, 6}) == Block([1, 3], [4, 6], [b"a", b"c"])


def test_long_lists_are_not_remembered():
    """What a client asks for is remembered when it is short: lists of fields as long as a command fill no memory."""
    short = b"(UID BODY.PEEK[HEADER.FIELDS (Subject X-Odd)])"
    assert plan_of(short) is plan_of(short)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(30):
            names = b" ".join(b"X%d-%d" % (number, field) for field in range(5_000))
            assert plan_of(b"BODY.PEEK[HEADER.FIELDS (%b)]" % names).contents[0].section.names[0] == b"X%d-0" % number
        assert tracemalloc.get_traced_memory()[0] - before < 500_000
    finally:
        tracemalloc.stop()
