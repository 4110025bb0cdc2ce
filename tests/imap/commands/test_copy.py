"""COPY and UID COPY, as a client sees them."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House


class Copying(SynchronousTestCase):
    """Six messages with UIDs 1, 2, 3, 5, 6, 8 in INBOX."""

    def setUp(self):
        self.house = House()
        for n in range(1, 9):
            self.house.inbox.put(b"Subject: %d\r\n\r\n" % n, ["\\Seen", "work"] if n == 2 else [])
        self.house.inbox.store([4, 7], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.client = self.house.selected()
        self.junk = self.house.account.folder("Junk")

    def test_copyuid(self):
        """The tagged OK pairs old and new UIDs, runs joined; flags travel along."""
        validity = self.junk.snapshot.uidvalidity
        self.assertEqual(self.client.say("a COPY 1:2,4:6 Junk"), [
            f"a OK [COPYUID {validity} 1:2,5:6,8 1:5] COPY completed",
        ])
        self.assertEqual(self.client.say("a UID COPY 8,1:3 Junk"), [
            f"a OK [COPYUID {validity} 1:3,8 6:9] COPY completed",
        ])
        self.assertEqual(self.junk.flags_of(2), {"\\Seen", "work"})
        self.assertEqual(self.junk.octets(3), b"Subject: 5\r\n\r\n")
        self.assertEqual(len(self.house.inbox.snapshot.uids), 6)

    def test_told(self):
        """The journal notes it and the target's doorbell rings."""
        self.client.say("a COPY 1:2 Junk")
        self.assertEqual(self.house.doorbell.rings, [("u-robin", "Junk")])
        (event,) = self.house.journal.named("mailbox_changed")
        self.assertEqual(event.args, ("u-robin", "Junk", "copy", 2))

    def test_all_gone_meanwhile(self):
        """Messages that another session expunged are not said to be copied; UIDs need not be there."""
        self.house.inbox.store([1, 2], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.assertEqual(self.client.say("a COPY 1:2 Junk")[-1],
                         "a NO [EXPUNGEISSUED] The messages are expunged already")
        self.assertEqual(self.client.say("a UID COPY 1:2 Junk")[-1], "a OK COPY completed: no such messages")
        self.assertEqual(len(self.junk.refresh().uids), 0)

    def test_try_create(self):
        """A folder that is not there may be created first, says the answer."""
        self.assertTrue(self.client.say("a COPY 1 Nowhere")[-1].startswith("a NO [TRYCREATE] "))
        self.assertTrue(self.client.say("a UID COPY 99 Nowhere")[-1].startswith("a NO [TRYCREATE] "))

    def test_nothing_to_copy(self):
        """UIDs that are not there copy nothing and are no error; there is no COPYUID then."""
        self.assertEqual(self.client.say("a UID COPY 4,99 Junk"), ["a OK COPY completed: no such messages"])

    def test_over_quota(self):
        """A full mailbox takes no copy, and says so."""
        self.house.account.quota = 1
        self.assertTrue(self.client.say("a COPY 1:* Junk")[-1].startswith("a NO [OVERQUOTA] "))
        self.assertEqual(len(self.junk.snapshot.uids), 0)

    def test_onto_itself(self):
        """Copying into the selected folder shows the copies at once."""
        heard = self.client.say("a COPY 6 inbox")
        self.assertIn("* 7 EXISTS", heard)
        self.assertTrue(heard[-1].startswith("a OK [COPYUID "))

    def test_from_examine(self):
        """A folder opened with EXAMINE may be copied from."""
        client = self.house.selected(command="EXAMINE")
        self.assertTrue(client.say("a COPY 1 Junk")[-1].startswith("a OK [COPYUID "))

    def test_gone_meanwhile(self):
        """A message that another session expunged is not copied; the pairs stay right."""
        self.house.inbox.store([2], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        heard = self.client.say("a COPY 1:3 Junk")
        self.assertTrue(heard[-1].startswith(f"a OK [COPYUID {self.junk.snapshot.uidvalidity} 1,3 1:2] "), heard)

    def test_bad(self):
        """What makes no sense is BAD; a name that cannot be is NO."""
        for line in ("COPY", "COPY 1", "COPY 1 ", "COPY 9 Junk", "COPY 1 Junk x", "COPY x Junk"):
            self.assertTrue(self.client.say("a " + line)[-1].startswith("a BAD "), line)
            self.client.say("a NOOP")
        self.assertTrue(self.client.say('a COPY 1 "a&b"')[-1].startswith("a NO "))
