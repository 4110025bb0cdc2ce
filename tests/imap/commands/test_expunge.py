"""EXPUNGE and UID EXPUNGE, as a client sees them."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House


class Expunging(SynchronousTestCase):
    """Five messages, of which 2, 3 and 5 are marked as deleted."""

    def setUp(self):
        self.house = House()
        for n in range(1, 6):
            self.house.inbox.put(b"Subject: %d\r\n\r\n" % n, ["\\Deleted"] if n in (2, 3, 5) else [])
        self.client = self.house.selected()

    def test_expunge(self):
        """Those marked leave; each response has the number that is right when it is read."""
        self.assertEqual(self.client.say("a EXPUNGE"), [
            "* 5 EXPUNGE", "* 3 EXPUNGE", "* 2 EXPUNGE", "a OK EXPUNGE completed",
        ])
        self.assertEqual(list(self.house.inbox.snapshot.uids), [1, 4])
        self.assertEqual(self.client.say("a EXPUNGE"), ["a OK EXPUNGE completed"])

    def test_uid_expunge(self):
        """RFC 4315: only those named leave, and only when marked."""
        self.assertEqual(self.client.say("a UID EXPUNGE 1:3,99"), [
            "* 3 EXPUNGE", "* 2 EXPUNGE", "a OK EXPUNGE completed",
        ])
        self.assertEqual(list(self.house.inbox.snapshot.uids), [1, 4, 5])

    def test_saved_result(self):
        """RFC 5182: `$` names what was found before, of which again only those marked leave."""
        self.client.say("a UID SEARCH RETURN (SAVE) UID 1:3")
        self.assertEqual(self.client.say("b UID EXPUNGE $"), [
            "* 3 EXPUNGE", "* 2 EXPUNGE", "b OK EXPUNGE completed",
        ])

    def test_told(self):
        """The journal counts what left; another session sees it at its next command."""
        other = self.house.selected()
        self.client.say("a EXPUNGE")
        (event,) = self.house.journal.named("mailbox_changed")
        self.assertEqual(event.args, ("u-robin", "INBOX", "expunge", 3))
        self.assertEqual(self.house.doorbell.rings, [("u-robin", "INBOX")])
        self.assertEqual([line for line in other.say("a NOOP") if "EXPUNGE" in line],
                         ["* 5 EXPUNGE", "* 3 EXPUNGE", "* 2 EXPUNGE"])

    def test_count_with_arrivals(self):
        """A message that came meanwhile is not counted as one that left."""
        self.house.inbox.put(b"Subject: new\r\n\r\n")
        self.client.say("a UID EXPUNGE 2")
        (event,) = self.house.journal.named("mailbox_changed")
        self.assertEqual(event.args[-1], 1)

    def test_read_only(self):
        """A folder opened with EXAMINE keeps everything."""
        client = self.house.selected(command="EXAMINE")
        self.assertTrue(client.say("a EXPUNGE")[-1].startswith("a NO "))
        self.assertEqual(len(self.house.inbox.snapshot.uids), 5)

    def test_bad(self):
        """What makes no sense is BAD."""
        for line in ("EXPUNGE 1", "UID EXPUNGE", "UID EXPUNGE x"):
            self.assertTrue(self.client.say("a " + line)[-1].startswith("a BAD "), line)

    def test_capability(self):
        """The word is offered."""
        self.assertIn(" UIDPLUS", self.client.say("a CAPABILITY")[0])
