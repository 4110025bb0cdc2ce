"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE."""

from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import HeldThreads
from tests.imap.conversation import MESSAGE, House


class FolderTests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.client = self.house.signed_in()

    def names(self):
        return [folder.name for folder in self.house.account.folders()]

    def test_a_nul(self):
        """A name with NUL is refused by every command: no response could repeat it, and a literal must not."""
        self.client.say("x ENABLE UTF8=ACCEPT")
        for verb in ("SUBSCRIBE", "UNSUBSCRIBE", "CREATE", "SELECT", "GETQUOTAROOT", "DELETE"):
            answer = self.client.say(verb.encode().join([b"a ", b" {3+}\r\na\0b"]))
            self.assertEqual(answer, ["a NO [CANNOT] Mailbox name has a NUL, which no response could show"], verb)
        other = self.house.signed_in()
        self.assertTrue(other.say("b SUBSCRIBE a&AAA-b")[0].startswith("b NO [CANNOT]"))

    def test_create(self):
        """With parents; a separator at the end only announces children; names in any script."""
        for name in ("a/b/", '"Entw&APw-rfe"'):
            (answer,) = self.client.say(f"a CREATE {name}")
            self.assertRegex(answer, r"a OK \[MAILBOXID \(F\w+\)\] CREATE completed")
        for name in ("a", "a/b", "Entwürfe"):
            self.assertIn(name, self.names())

    def test_create_refused(self):
        """What exists, INBOX in any case, and names that cannot be."""
        self.assertTrue(self.client.say("a CREATE Sent")[0].startswith("a NO [ALREADYEXISTS]"))
        self.assertTrue(self.client.say("a CREATE iNbOx")[0].startswith("a NO [ALREADYEXISTS]"))
        self.assertTrue(self.client.say("a CREATE inbox/")[0].startswith("a NO [ALREADYEXISTS]"))
        self.assertTrue(self.client.say('a CREATE "a//b"')[0].startswith("a NO [CANNOT]"))
        self.assertTrue(self.client.say("a CREATE a&b")[0].startswith("a NO [CANNOT]"))
        self.assertTrue(self.client.say(f"a CREATE {'x' * 300}")[0].startswith("a NO [CANNOT]"))
        self.assertTrue(self.client.say("a CREATE")[0].startswith("a BAD"))

    def test_no_name_that_locks_clients_out(self):
        """mbsync refuses a whole account when LIST shows a level named `..`: none is made; dots elsewhere are fine."""
        for name in ("..", ".", "a/../b", "a/."):
            self.assertTrue(self.client.say(f'a CREATE "{name}"')[0].startswith("a NO [CANNOT]"), name)
            self.assertTrue(self.client.say(f'a RENAME Archive "{name}"')[0].startswith("a NO [CANNOT]"), name)
        for name in ("...", "v1.2", ".a", "a..b"):
            self.assertTrue(self.client.say(f'a CREATE "{name}"')[0].startswith("a OK"), name)

    def test_delete(self):
        """The messages go; a folder with children stays as a name."""
        self.client.say("a CREATE a/b")
        self.assertEqual(self.client.say("b DELETE a"), ["b OK DELETE completed"])
        self.assertEqual(
            self.client.say('c LIST "" a*'),
            ['* LIST (\\Noselect \\HasChildren) "/" a', '* LIST (\\HasNoChildren) "/" a/b', "c OK LIST completed"],
        )
        self.assertEqual(self.client.say("d DELETE a/b"), ["d OK DELETE completed"])

    def test_delete_refused(self):
        """INBOX stays; what is not there cannot go."""
        self.assertTrue(self.client.say("a DELETE inbox")[0].startswith("a NO [CANNOT]"))
        self.assertTrue(self.client.say("a DELETE Nowhere")[0].startswith("a NO [NONEXISTENT]"))

    def test_delete_what_is_selected(self):
        """The session that deletes its own folder goes on, with none selected."""
        self.client.say("a CREATE Work")
        self.client.say("b SELECT Work")
        self.assertEqual(
            self.client.say("c DELETE Work"), ["* OK [CLOSED] The mailbox is gone", "c OK DELETE completed"]
        )
        self.assertEqual(self.client.protocol.state, "auth")

    def test_rename(self):
        """Children follow; the target must be free, the source there."""
        self.client.say("a CREATE a/b")
        self.assertEqual(self.client.say("b RENAME a c/d"), ["b OK RENAME completed"])
        self.assertIn("c/d/b", self.names())
        self.assertTrue(self.client.say("c RENAME c Sent")[0].startswith("c NO [ALREADYEXISTS]"))
        self.assertTrue(self.client.say("c RENAME c Inbox")[0].startswith("c NO [ALREADYEXISTS]"))
        self.assertTrue(self.client.say("c RENAME Nowhere x")[0].startswith("c NO [NONEXISTENT]"))
        self.assertTrue(self.client.say("c RENAME c")[0].startswith("c BAD"))

    def test_rename_inbox(self):
        """RENAME INBOX moves its messages, and who has it selected is told."""
        self.house.inbox.put(MESSAGE)
        self.client.say("a SELECT INBOX")
        self.assertEqual(self.client.say("b RENAME INBOX old"), ["* 1 EXPUNGE", "b OK RENAME completed"])
        self.assertEqual(len(self.house.account.folder("old").snapshot.uids), 1)

    def test_subscriptions(self):
        """Subscribed until unsubscribed, existing or not."""
        self.assertEqual(self.client.say("a SUBSCRIBE News/x"), ["a OK SUBSCRIBE completed"])
        self.assertIn("News/x", self.house.account.subscriptions())
        self.assertEqual(self.client.say("a UNSUBSCRIBE News/x"), ["a OK UNSUBSCRIBE completed"])
        self.assertNotIn("News/x", self.house.account.subscriptions())

    def test_ok_means_done(self):
        """OK is sent when the store has done it, not before."""
        self.house.door.threads = threads = HeldThreads()
        client = self.house.connect()
        client.send("x LOGIN robin secret\r\n")
        threads.step()
        client.heard()
        for command in ("CREATE Work", "SUBSCRIBE Work", "RENAME Work Play", "DELETE Play"):
            client.send(f"a {command}\r\n")
            self.assertEqual(client.heard(), "", command)
            while threads.waiting:
                threads.step()
            self.assertTrue(client.heard().startswith("a OK"), command)
