"""SEARCH and UID SEARCH, as a client sees them (what the keys find is tested in tests/imap/search)."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House


class Searching(SynchronousTestCase):
    """Three messages with UIDs 2, 3, 4."""

    def setUp(self):
        self.house = House()
        for subject in ("gone", "café", "Lunch", "lunch again"):
            self.house.inbox.put(f"Subject: {subject}\r\n\r\nBody of {subject}\r\n".encode(), recent=False)
        self.house.inbox.store([1], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.house.inbox.store([3], "add", ["\\Seen"])
        self.client = self.house.selected()

    def test_numbers_and_uids(self):
        """SEARCH answers with sequence numbers, UID SEARCH with UIDs, in one line."""
        self.assertEqual(self.client.say("a SEARCH SUBJECT lunch"), ["* SEARCH 2 3", "a OK SEARCH completed"])
        self.assertEqual(self.client.say("a UID SEARCH SUBJECT lunch"), ["* SEARCH 3 4", "a OK SEARCH completed"])
        self.assertEqual(self.client.say("a uid search unseen 1:2"), ["* SEARCH 2", "a OK SEARCH completed"])

    def test_nothing_found(self):
        """An empty result is an untagged SEARCH all the same."""
        self.assertEqual(self.client.say("a SEARCH FROM nobody"), ["* SEARCH", "a OK SEARCH completed"])
        self.assertEqual(self.client.say("a SEARCH 99"), ["* SEARCH", "a OK SEARCH completed"])

    def test_literal_and_charset(self):
        """Arguments come as literals, in UTF-8 when the charset says so (and when it does not)."""
        word = "CAFÉ".encode()
        for begin in (b"a SEARCH CHARSET UTF-8 SUBJECT ", b"a SEARCH TEXT "):
            self.client.send(begin + b"{%d}\r\n" % len(word))
            self.assertTrue(self.client.heard().startswith("+ "))
            self.client.send(word + b" UNSEEN\r\n")
            self.assertEqual(self.client.heard(), "* SEARCH 1\r\na OK SEARCH completed\r\n")

    def test_bad_charset(self):
        """Other charsets are refused, with the list."""
        self.assertTrue(
            self.client.say("a SEARCH CHARSET KOI8-R ALL")[-1].startswith("a NO [BADCHARSET (US-ASCII UTF-8)] ")
        )

    def test_bad(self):
        """What makes no sense is BAD; nesting and numbers have limits; the connection lives."""
        for line in ("SEARCH", "SEARCH FOO", "SEARCH (SEEN", "SEARCH " + "(" * 9_000 + "SEEN"):
            self.assertTrue(self.client.say("a " + line)[-1].startswith("a BAD "), line)
        self.assertTrue(self.client.say("a SEARCH" + " SEEN" * 300)[-1].startswith("a NO [LIMIT] "))
        self.assertFalse(self.client.closed)

    def test_withheld_expunges(self):
        """By sequence number no EXPUNGE comes in between; by UID it may."""
        self.house.inbox.store([2], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.assertNotIn("* 1 EXPUNGE", self.client.say("a SEARCH SUBJECT lunch"))
        heard = self.client.say("a UID SEARCH SUBJECT lunch")
        self.assertIn("* SEARCH 3 4", heard)
        self.assertIn("* 1 EXPUNGE", heard)

    def test_large_result(self):
        """Thousands of numbers are one line."""
        for _ in range(12_000):
            self.house.inbox._add(b"Subject: x\r\n\r\n", 0, 0.0)
        self.house.inbox._renew()
        self.client.say("a NOOP")
        self.client.send("a SEARCH UNSEEN\r\n")
        while not (heard := self.client.heard()):
            self.house.clock.advance(0.01)
        line, _, _ = heard.split("\r\n")
        self.assertEqual(line.split(), ["*", "SEARCH", "1", "3", *map(str, range(4, 12_004))])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 60), max_size=6), st.sampled_from([
    b'a SEARCH CHARSET UTF-8 OR SUBJECT {5}\r\nlunch (HEADER {7}\r\nSubject {0}\r\n NOT SEEN) UID 1:*\r\n',
    b"a UID FETCH 1:3 (UID FLAGS BODY.PEEK[HEADER.FIELDS ({7}\r\nSubject)]<0.9>)\r\n",
    b"a UID STORE 1:* +FLAGS (\\Seen work)\r\n",
    b"a UID COPY 1:* {4}\r\nJunk\r\n",
]))
def test_split_points(sizes, command):
    """However the octets are cut on their way, the answer is the same."""
    def answer(pieces):
        house = House()
        for n in range(3):
            house.inbox.put(b"Subject: lunch %d\r\n\r\n" % n)
        client = house.selected()
        for piece in pieces:
            client.send(piece)
        return "".join(line + "\r\n" for line in client.heard().split("\r\n") if line and line[0] != "+")

    pieces, at = [], 0
    for size in sizes:
        pieces.append(command[at : at + size])
        at += size
    cut = answer([*pieces, command[at:]])
    assert cut == answer([command])
    assert "a OK" in cut
