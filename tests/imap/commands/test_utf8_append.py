"""APPEND with UTF-8 in the header (RFC 6855, 9755)."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House

MESSAGE = "From: J\u00f8rgen <j\u00f8rgen@bl\u00e5b\u00e6r.example>\r\nSubject: Gr\u00fc\u00dfe\r\n\r\nhi\r\n".encode()


class Utf8Append(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.client = self.house.signed_in()

    def append(self, words):
        self.client.send(b"a APPEND INBOX " + words + b"\r\n")
        return self.client.heard().split("\r\n")[-2]

    def utf8(self, octets=MESSAGE, mark=b"~"):
        return b"UTF8 (%b{%d+}\r\n%b)" % (mark, len(octets), octets)

    def test_enabled(self):
        """The form of RFC 6855, alone, with flags, among several, and as a part of CATENATE."""
        self.client.say("a ENABLE UTF8=ACCEPT")
        self.assertEqual(self.append(self.utf8()), "a OK [APPENDUID 1001 1] APPEND completed")
        several = b"(\\Seen) " + self.utf8() + b" " + self.utf8()
        self.assertEqual(self.append(several), "a OK [APPENDUID 1001 2:3] APPEND completed")
        catenated = b"CATENATE (" + self.utf8() + b" TEXT {2+}\r\nhi)"
        self.assertEqual(self.append(catenated), "a OK [APPENDUID 1001 4] APPEND completed")
        inbox = self.house.inbox
        self.assertEqual([inbox.octets(uid) for uid in (1, 2, 3, 4)], [MESSAGE] * 3 + [MESSAGE + b"hi"])
        self.assertEqual(inbox.flags_of(2), {"\\Seen"})

    def test_synchronising(self):
        """The client waits for `+`, and closes the parenthesis after the message."""
        self.client.say("a ENABLE UTF8=ACCEPT")
        self.assertEqual(self.client.say(f"b APPEND INBOX UTF8 (~{{{len(MESSAGE)}}}"), ["+ Ready for the message"])
        self.client.send(MESSAGE + b")\r\n")
        self.assertIn("b OK", self.client.heard())

    def test_not_enabled(self):
        """Before ENABLE the form is refused, with what to do."""
        self.assertEqual(self.append(self.utf8()), "a NO [CANNOT] ENABLE UTF8=ACCEPT comes first")
        self.assertEqual(self.client.say("b NOOP"), ["b OK NOOP completed"])

    def test_plain_form(self):
        """RFC 9755 needs no form of its own; and old messages with 8-bit headers can be moved here by any client."""
        plain = b"{%d+}\r\n%b" % (len(MESSAGE), MESSAGE)
        self.assertIn("a OK", self.append(plain))
        self.client.say("a ENABLE UTF8=ACCEPT")
        self.assertIn("a OK", self.append(plain))

    def test_grammar(self):
        """A literal8 in parentheses, and nothing else."""
        self.client.say("a ENABLE UTF8=ACCEPT")
        without_mark, open_end = self.utf8(mark=b""), b"UTF8 (~{3+}\r\nabc"
        for words in (without_mark, open_end, b"UTF8 {3+}\r\nabc", b"UTF8 (", b"UTF8 (hello)", b"UTF8"):
            self.assertTrue(self.append(words).startswith("a BAD"), words)
        self.assertEqual(self.append(self.utf8(b"")), "a NO [CANNOT] An empty message cannot be kept")
        self.assertEqual(list(self.house.inbox.snapshot.uids), [])
