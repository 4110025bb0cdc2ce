"""MOVE and UID MOVE (RFC 6851), as a client sees them."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House


class Moving(SynchronousTestCase):
    """Five messages in INBOX, UIDs 1 to 5."""

    def setUp(self):
        self.house = House()
        for n in range(1, 6):
            self.house.inbox.put(b"Subject: %d\r\n\r\n" % n)
        self.client = self.house.selected()
        self.trash = self.house.account.folder("Deleted Items")

    def test_order_of_responses(self):
        """First the COPYUID, then the EXPUNGEs, then the tagged OK."""
        self.assertEqual(self.client.say('a MOVE 2:3,5 "Deleted Items"'), [
            f"* OK [COPYUID {self.trash.snapshot.uidvalidity} 2:3,5 1:3] Moved",
            "* 5 EXPUNGE", "* 3 EXPUNGE", "* 2 EXPUNGE",
            "a OK MOVE completed",
        ])
        self.assertEqual(list(self.house.inbox.snapshot.uids), [1, 4])
        self.assertEqual(self.trash.octets(3), b"Subject: 5\r\n\r\n")

    def test_uid_move(self):
        """By UID; UIDs that are not there are no error."""
        heard = self.client.say('a UID MOVE 4:9 "Deleted Items"')
        self.assertEqual(heard[1:], ["* 5 EXPUNGE", "* 4 EXPUNGE", "a OK MOVE completed"])
        self.assertEqual(
            self.client.say('a UID MOVE 9 "Deleted Items"'), ["a OK MOVE completed: no such messages"]
        )

    def test_told(self):
        """Both folders' doorbells ring, and another session of INBOX sees the messages go."""
        other = self.house.selected()
        self.client.say('a MOVE 1 "Deleted Items"')
        self.assertEqual(set(self.house.doorbell.rings), {("u-robin", "Deleted Items"), ("u-robin", "INBOX")})
        (event,) = self.house.journal.named("mailbox_changed")
        self.assertEqual(event.args, ("u-robin", "Deleted Items", "move", 1))
        self.assertIn("* 1 EXPUNGE", other.say("a NOOP"))

    def test_refused(self):
        """No such folder, EXAMINE: nothing moves."""
        self.assertTrue(self.client.say("a MOVE 1 Nowhere")[-1].startswith("a NO [TRYCREATE] "))
        examining = self.house.selected(command="EXAMINE")
        self.assertTrue(examining.say("a MOVE 1 Junk")[-1].startswith("a NO "))
        self.assertEqual(len(self.house.inbox.snapshot.uids), 5)

    def test_a_full_mailbox_can_be_cleared(self):
        """Moving needs no room."""
        self.house.account.quota = 1
        self.assertTrue(self.client.say('a MOVE 1:* "Deleted Items"')[-1].startswith("a OK "))
        self.assertEqual(len(self.trash.snapshot.uids), 5)

    def test_capability(self):
        """The word is offered."""
        self.assertIn(" MOVE", self.client.say("a CAPABILITY")[0])
