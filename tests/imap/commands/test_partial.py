"""PARTIAL of UID FETCH (RFC 9394, 3.3), as a client sees it; SEARCH's half is in test_search."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.imap.commands.partial import on_page
from unitymail.imap.wire.partial import Page


class PartialFetchTests(SynchronousTestCase):
    """UIDs 2, 4 … 20."""

    def setUp(self):
        self.house = House()
        for uid in range(2, 21, 2):
            self.house.inbox._uidnext = uid
            self.house.inbox.put(b"Subject: x\r\n\r\nx\r\n", recent=False)
        self.client = self.house.selected()

    def uids(self, words):
        heard = self.client.say(f"a UID FETCH {words}")
        self.assertEqual(heard[-1], "a OK FETCH completed")
        return [int(line.partition("UID ")[2].rstrip(")").split()[0]) for line in heard if " FETCH (" in line]

    def test_offered(self):
        """The word is offered."""
        self.assertIn(" PARTIAL ", self.client.say("a CAPABILITY")[0])

    def test_pages(self):
        """The first, the last, those in between; counted among the messages that are there."""
        self.assertEqual(self.uids("1:15 (UID) (PARTIAL 1:3)"), [2, 4, 6])
        self.assertEqual(self.uids("1:15 (UID) (PARTIAL -1:-3)"), [10, 12, 14])
        self.assertEqual(self.uids("1:* (UID) (PARTIAL 5:4)"), [8, 10])
        self.assertEqual(self.uids("1:* (UID) (PARTIAL -3:-1)"), [16, 18, 20])
        self.assertEqual(self.uids("2,6,20 (UID) (partial 2:2)"), [6])

    def test_beyond(self):
        """Short pages and empty ones are no error."""
        self.assertEqual(self.uids("1:* (UID) (PARTIAL 9:500)"), [18, 20])
        self.assertEqual(self.uids("1:* (UID) (PARTIAL 500:600)"), [])
        self.assertEqual(self.uids("1:* (UID) (PARTIAL -9:-4294967295)"), [4, 2][::-1])
        self.assertEqual(self.uids("1:* (UID) (PARTIAL -11:-12)"), [])
        self.assertEqual(self.uids("100:200 (UID) (PARTIAL 1:10)"), [])

    def test_with_changedsince(self):
        """The page is one of those that changed, whichever modifier comes first."""
        self.client.say("x ENABLE CONDSTORE")
        since = self.house.inbox.snapshot.highest_modseq
        self.house.inbox.store([4, 12, 16, 18], "add", ["\\Seen"])
        self.client.say("y NOOP")
        for words in (f"PARTIAL -1:-2 CHANGEDSINCE {since}", f"CHANGEDSINCE {since} PARTIAL -1:-2"):
            self.assertEqual(self.uids(f"1:* (UID) ({words})"), [16, 18])

    def test_only_the_page_is_read(self):
        r"""Messages outside it do not get \Seen."""
        self.client.say("a UID FETCH 1:* BODY[] (PARTIAL 2:3)")
        marked = [uid for uid in self.house.inbox.snapshot.uids if self.house.inbox.flags_of(uid)]
        self.assertEqual(marked, [4, 6])

    def test_bad(self):
        """Ends have one sign and are no zeros; FETCH by number has no pages."""
        for words in (
            "UID FETCH 1 (UID) (PARTIAL)", "UID FETCH 1 (UID) (PARTIAL 1)", "UID FETCH 1 (UID) (PARTIAL 0:1)",
            "UID FETCH 1 (UID) (PARTIAL 1:-1)", "UID FETCH 1 (UID) (PARTIAL -1:1)", "UID FETCH 1 (UID) (PARTIAL 1:*)",
            "UID FETCH 1 (UID) (PARTIAL 1:4294967296)", "FETCH 1 (UID) (PARTIAL 1:1)",
        ):  # fmt: skip
            self.assertTrue(self.client.say(f"a {words}")[-1].startswith("a BAD"), words)
            self.client.say("b NOOP")


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), max_size=6), st.integers(1, 40), st.integers(1, 40),
    st.booleans(),
)  # fmt: skip
def test_spans_on_a_page(pieces, one, other, from_the_end):
    """The same as writing all messages down and taking a slice."""
    spans, at = [], 0
    for gap, length in pieces:
        spans.append((at + gap, at + gap + length))
        at += gap + length
    all_of_them = [n for begin, end in spans for n in range(begin, end)]
    low, high = min(one, other), max(one, other)
    page = Page(-one, -other) if from_the_end else Page(one, other)
    wanted = all_of_them[::-1][low - 1 : high][::-1] if from_the_end else all_of_them[low - 1 : high]
    found = on_page(spans, page)
    assert [n for begin, end in found for n in range(begin, end)] == wanted
    assert all(begin < end for begin, end in found)
