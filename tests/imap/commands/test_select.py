"""SELECT and its family."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.interfaces.errors import TryAgain

FLAGS = r"\Answered \Flagged \Deleted \Seen \Draft"


class SelectTests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.house.inbox.put(MESSAGE, ["\\Seen"], recent=False)
        self.house.inbox.put(MESSAGE, ["work"])
        self.client = self.house.signed_in()

    def test_select(self):
        """Everything that RFC 3501, 6.3.1 asks for, PERMANENTFLAGS with \\* and UIDNEXT too."""
        self.assertEqual(
            self.client.say("a SELECT inbox"),
            [
                f"* FLAGS ({FLAGS} work)",
                f"* OK [PERMANENTFLAGS ({FLAGS} work \\*)] These can be changed for good",
                "* 2 EXISTS",
                "* 1 RECENT",
                "* OK [UIDVALIDITY 1001] UIDs valid",
                "* OK [UIDNEXT 3] Predicted next UID",
                "* OK [UNSEEN 2] First unseen",
                "* OK [HIGHESTMODSEQ 3] Changes are counted",
                "* OK [MAILBOXID (F1)] Its name for good",
                "a OK [READ-WRITE] SELECT completed",
            ],
        )

    def test_examine(self):
        """Read-only: no flags are permanent, \\Recent is left to others, and writing is refused."""
        answer = self.client.say("a EXAMINE INBOX")
        self.assertIn("* OK [PERMANENTFLAGS ()] These can be changed for good", answer)
        self.assertEqual(answer[-1], "a OK [READ-ONLY] EXAMINE completed")
        self.assertIn("* 1 RECENT", answer)
        self.assertTrue(self.client.say("b STORE 1 +FLAGS (\\Deleted)")[-1].startswith("b NO"))
        self.client.say("c CLOSE")
        self.assertIn("* 1 RECENT", self.client.say("d SELECT INBOX"))

    def test_all_seen(self):
        """Without unseen messages there is no UNSEEN."""
        self.house.inbox.store([2], "add", ["\\Seen"])
        self.assertFalse([line for line in self.client.say("a SELECT INBOX") if "UNSEEN" in line])

    def test_failure_deselects(self):
        """A SELECT that fails leaves nothing selected (RFC 3501, 6.3.1)."""
        self.client.say("a SELECT INBOX")
        self.assertEqual(
            self.client.say("b SELECT Nowhere"),
            ["* OK [CLOSED] Previous mailbox closed", "b NO [NONEXISTENT] No such folder"],
        )
        self.assertTrue(self.client.say("c CHECK")[0].startswith("c BAD"))

    def test_names_that_are_none(self):
        """A name in bad UTF-7 is no mailbox; a parent that is only a name cannot be selected."""
        self.assertTrue(self.client.say("a SELECT a&b")[0].startswith("a NO [CANNOT]"))
        self.client.say("b CREATE x/y")
        self.client.say("b DELETE x")
        self.assertTrue(self.client.say("c SELECT x")[0].startswith("c NO [NONEXISTENT]"))

    def test_unknown_parameters(self):
        """Parameters of extensions that are not there are BAD, and what was selected stays."""
        self.client.say("a SELECT INBOX")
        self.assertEqual(self.client.say("b SELECT INBOX (BOGUS)"), ["b BAD There is no parameter BOGUS"])
        self.assertEqual(self.client.say("c CHECK"), ["c OK CHECK completed"])

    def test_close(self):
        """CLOSE expunges without a word, and tells the other sessions."""
        other = self.house.selected()
        self.client.say("a SELECT INBOX")
        self.client.say("b STORE 1 +FLAGS.SILENT (\\Deleted)")
        self.assertEqual(self.client.say("c CLOSE"), ["c OK CLOSE completed"])
        self.assertEqual(list(self.house.inbox.snapshot.uids), [2])
        self.assertIn(("u-robin", "INBOX"), self.house.doorbell.rings)
        self.assertIn("* 1 EXPUNGE", other.say("d NOOP"))

    def test_close_that_fails(self):
        """What cannot go is told with NO; the mailbox stays selected, and the next CLOSE does it."""
        self.client.say("a SELECT INBOX")
        self.client.say("b STORE 1 +FLAGS.SILENT (\\Deleted)")
        self.patch(self.house.inbox, "expunge", self._fails)
        self.assertTrue(self.client.say("c CLOSE")[-1].startswith("c NO [UNAVAILABLE]"))
        self.assertEqual(self.client.say("d FETCH 1 UID"), ["* 1 FETCH (UID 1)", "d OK FETCH completed"])
        del self.house.inbox.expunge
        self.assertEqual(self.client.say("e CLOSE"), ["e OK CLOSE completed"])
        self.assertEqual(list(self.house.inbox.snapshot.uids), [2])

    def test_close_while_mail_comes(self):
        """Other sessions hear of what CLOSE expunged also when as many messages came in the meantime."""
        self.client.say("a SELECT INBOX")
        self.client.say("b STORE 1 +FLAGS.SILENT (\\Deleted)")
        folder = self.house.inbox
        real = folder.expunge

        def expunge(uids=None):
            folder.put(MESSAGE)
            return real(uids)

        self.patch(folder, "expunge", expunge)
        self.house.doorbell.rings.clear()
        self.client.say("c CLOSE")
        self.assertIn(("u-robin", "INBOX"), self.house.doorbell.rings)

    def _fails(self, *args):
        raise TryAgain

    def test_an_opening_that_fails(self):
        """NO after the first lines of SELECT: nothing is selected then, whatever failed."""
        self.client.say("e ENABLE QRESYNC")
        self.patch(self.house.inbox, "vanished_since", self._fails)
        self.assertTrue(self.client.say("a SELECT INBOX (QRESYNC (1001 1))")[-1].startswith("a NO [UNAVAILABLE]"))
        self.assertTrue(self.client.say("b CHECK")[0].startswith("b BAD"))
        self.assertEqual(self.client.say("c SELECT INBOX")[-1], "c OK [READ-WRITE] SELECT completed")

    def test_close_read_only(self):
        """After EXAMINE nothing is expunged."""
        self.house.inbox.store([1], "add", ["\\Deleted"])
        self.client.say("a EXAMINE INBOX")
        self.client.say("b CLOSE")
        self.assertEqual(len(self.house.inbox.snapshot.uids), 2)

    def test_unselect(self):
        """UNSELECT expunges nothing either."""
        self.house.inbox.store([1], "add", ["\\Deleted"])
        self.client.say("a SELECT INBOX")
        self.assertEqual(self.client.say("b UNSELECT"), ["b OK UNSELECT completed"])
        self.assertEqual(len(self.house.inbox.snapshot.uids), 2)

    def test_check(self):
        """CHECK tells what is new."""
        self.client.say("a SELECT INBOX")
        self.house.inbox.arrive(MESSAGE)
        self.assertEqual(self.client.say("b CHECK"), ["* 3 EXISTS", "* 2 RECENT", "b OK CHECK completed"])
