"""OBJECTID (RFC 8474): names of mailboxes and messages that stay."""

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.disk import Disk
from unitymail.store import Store

OBJECT_ID = r"\(([A-Za-z0-9_-]{1,255})\)"


class ObjectIds(SynchronousTestCase):
    def setUp(self):
        self.store = Store(self.mktemp(), disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
        self.addCleanup(self.store.close)

    def clients(self):
        """The same conversation with either store."""
        for house in (House(), House(store=self.store)):
            self.house, self.client = house, house.signed_in()
            yield self.client

    def say(self, line):
        self.client.send(line if isinstance(line, bytes) else line.encode() + b"\r\n")
        for _ in range(5):
            self.house.clock.advance(0.01)
        return self.client.heard().split("\r\n")[:-1]

    def found(self, pattern, heard):
        found = re.search(pattern, "\n".join(heard))
        self.assertIsNotNone(found, heard)
        return found[1]

    def test_mailboxes(self):
        """CREATE, SELECT, EXAMINE and STATUS say the same name, which stays when the mailbox is renamed."""
        for _ in self.clients():
            made = self.found(r"a OK \[MAILBOXID " + OBJECT_ID + r"\] ", self.say("a CREATE foo"))
            other = self.found(r"a OK \[MAILBOXID " + OBJECT_ID + r"\] ", self.say("a CREATE bar"))
            self.assertNotEqual(made, other)
            self.assertEqual(self.found(r"\* OK \[MAILBOXID " + OBJECT_ID, self.say("a SELECT foo")), made)
            self.assertEqual(self.found(r"\* OK \[MAILBOXID " + OBJECT_ID, self.say("a EXAMINE foo")), made)
            status = self.say("a STATUS foo (MAILBOXID)")
            self.assertEqual(status, [f"* STATUS foo (MAILBOXID ({made}))", "a OK STATUS completed"])
            self.assertTrue(self.say("a RENAME foo renamed")[-1].startswith("a OK"))
            self.assertEqual(self.found(r"MAILBOXID " + OBJECT_ID, self.say("a STATUS renamed (MAILBOXID)")), made)
            self.assertTrue(self.say("a DELETE renamed")[-1].startswith("a OK"))
            again = self.found(r"a OK \[MAILBOXID " + OBJECT_ID, self.say("a CREATE foo"))
            self.assertNotEqual(again, made)

    def test_messages(self):
        """EMAILID belongs to the message: another's differs, a moved one keeps its own."""
        for _ in self.clients():
            for octets in (MESSAGE, MESSAGE + b"more\r\n"):
                self.say(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(octets), octets))
            self.say("a SELECT INBOX")
            first = self.found(r"\* 1 FETCH \(EMAILID " + OBJECT_ID + r"\)", self.say("a FETCH 1 EMAILID"))
            second = self.found(r"\* 2 FETCH \(UID 2 EMAILID " + OBJECT_ID, self.say("a UID FETCH 2 EMAILID"))
            self.assertNotEqual(first, second)
            self.say("a MOVE 1 Junk")
            self.say("a SELECT Junk")
            self.assertEqual(self.found(r"EMAILID " + OBJECT_ID, self.say("a FETCH 1 EMAILID")), first)
            self.assertEqual(self.say(f"a SEARCH EMAILID {first}")[0], "* SEARCH 1")

    def test_conversations(self):
        """THREADID is the same for a message and the answer to it."""
        for _ in self.clients():
            asked = b"Message-ID: <a@b>\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"
            answer = b"Message-ID: <c@d>\r\nReferences: <a@b>\r\nSubject: Re: Lunch\r\n\r\nYes.\r\n"
            for octets in (asked, answer):
                self.say(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(octets), octets))
            self.say("a SELECT INBOX")
            heard = self.say("a FETCH 1:2 THREADID")
            self.assertTrue(heard[-1].startswith("a OK"), heard)
            first, second = (re.search(r"THREADID (NIL|" + OBJECT_ID + ")", line)[1] for line in heard[:2])
            self.assertEqual(first, second)

    def test_announced(self):
        """The capability is there."""
        for client in self.clients():
            self.assertIn(" OBJECTID ", client.say("a CAPABILITY")[0])
