"""STORE and UID STORE, as a client sees them."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House


class Storing(SynchronousTestCase):
    """Three messages, UIDs 1 to 3, none of them recent, and two clients that have INBOX selected."""

    def setUp(self):
        self.house = House()
        for flags in ([], ["\\Seen"], ["work"]):
            self.house.inbox.put(b"Subject: x\r\n\r\nx\r\n", flags, recent=False)
        self.client = self.house.selected()
        self.other = self.house.selected()

    def flags(self):
        return [sorted(self.house.inbox.flags_of(uid)) for uid in (1, 2, 3)]

    def test_add_remove_replace(self):
        """Each form changes what it should and answers with the new flags."""
        self.assertEqual(self.client.say("a STORE 1:2 +FLAGS (\\Flagged)"), [
            "* 1 FETCH (FLAGS (\\Flagged))", "* 2 FETCH (FLAGS (\\Flagged \\Seen))", "a OK STORE completed",
        ])
        self.assertEqual(self.client.say("a STORE 2 -FLAGS (\\Seen)"), [
            "* 2 FETCH (FLAGS (\\Flagged))", "a OK STORE completed",
        ])
        self.assertEqual(self.client.say("a STORE 3 FLAGS (\\Draft)"), [
            "* 3 FETCH (FLAGS (\\Draft))", "a OK STORE completed",
        ])
        self.assertEqual(self.flags(), [["\\Flagged"], ["\\Flagged"], ["\\Draft"]])

    def test_bare_flags_and_none(self):
        """Flags without parentheses, and an empty list."""
        self.client.say("a STORE 1 +flags \\seen \\FLAGGED")
        self.client.say("a STORE 2 FLAGS ()")
        self.client.say("a STORE 3 +FLAGS ()")
        self.assertEqual(self.flags(), [["\\Flagged", "\\Seen"], [], ["work"]])

    def test_uid_store(self):
        """UID STORE answers with UIDs; UIDs that are not there are no error."""
        self.house.inbox.store([1], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.client.say("a NOOP")
        self.assertEqual(self.client.say("a UID STORE 1:2,77 +FLAGS (\\Answered)"), [
            "* 1 FETCH (FLAGS (\\Answered \\Seen) UID 2)", "a OK STORE completed",
        ])
        self.assertEqual(self.client.say("a UID STORE 77 +FLAGS (\\Answered)"), ["a OK STORE completed"])

    def test_unchanged_flags_are_told_too(self):
        """RFC 3501 6.4.6: the value is returned as if a FETCH of the flags were done."""
        self.assertEqual(self.client.say("a STORE 2 +FLAGS (\\Seen)"), [
            "* 2 FETCH (FLAGS (\\Seen))", "a OK STORE completed",
        ])
        self.assertEqual(self.house.doorbell.rings, [])

    def test_others_hear(self):
        """The doorbell rings for other sessions, which learn of the change."""
        self.client.say("a STORE 1 +FLAGS (\\Flagged)")
        self.assertEqual(self.house.doorbell.rings, [("u-robin", "INBOX")])
        self.assertIn("* 1 FETCH (FLAGS (\\Flagged))", self.other.say("a NOOP"))

    def test_silent(self):
        """SILENT tells nothing of the own change, neither now nor later."""
        self.assertEqual(self.client.say("a STORE 1:3 +FLAGS.SILENT (\\Answered)"), ["a OK STORE completed"])
        self.assertEqual(self.client.say("a NOOP"), ["a OK NOOP completed"])
        self.assertEqual(self.flags(), [["\\Answered"], ["\\Answered", "\\Seen"], ["\\Answered", "work"]])

    def test_silent_tells_what_others_did(self):
        """What another session changed on the same message is told all the same."""
        self.house.inbox.store([1], "add", ["\\Flagged"])
        self.assertEqual(self.client.say("a STORE 1:2 +FLAGS.SILENT (\\Answered)"), [
            "* 1 FETCH (FLAGS (\\Answered \\Flagged))", "a OK STORE completed",
        ])

    def test_new_keyword(self):
        """A new keyword is announced in FLAGS before it is used, and keeps its first spelling."""
        heard = self.client.say("a STORE 1 +FLAGS ($Todo)")
        known = "\\Answered \\Flagged \\Deleted \\Seen \\Draft $Todo work"
        self.assertEqual(heard, [
            f"* FLAGS ({known})",
            f"* OK [PERMANENTFLAGS ({known} \\*)] These can be changed for good",
            "* 1 FETCH (FLAGS ($Todo))",
            "a OK STORE completed",
        ])
        self.client.say("a STORE 2 +FLAGS ($TODO)")
        self.assertEqual(self.flags()[1], ["$Todo", "\\Seen"])

    def test_too_many_keywords(self):
        """A folder holds 200 keywords; more are refused by name of the limit."""
        words = " ".join(f"k{n}" for n in range(201))
        self.assertTrue(self.client.say(f"a STORE 1 +FLAGS ({words})")[-1].startswith("a NO [LIMIT] "))
        self.assertEqual(self.flags()[0], [])

    def test_recent_is_refused(self):
        r"""\Recent cannot be changed; a keyword that begins alike can."""
        for flags in ("(\\Recent)", "\\recent", "(\\Seen \\Recent)"):
            self.assertTrue(self.client.say(f"a STORE 1 +FLAGS {flags}")[-1].startswith("a BAD "))
        self.assertEqual(self.flags()[0], [])

    def test_read_only(self):
        """A folder opened with EXAMINE is not changed."""
        client = self.house.selected(command="EXAMINE")
        self.assertTrue(client.say("a STORE 1 +FLAGS (\\Seen)")[-1].startswith("a NO "))
        self.assertEqual(self.flags()[0], [])

    def test_bad(self):
        """What makes no sense is BAD."""
        for line in (
            "STORE", "STORE 1", "STORE 1 FLAGS", "STORE 1 FOO (\\Seen)", "STORE 9 FLAGS ()", "STORE 1 +FLAGS (\\Foo)",
            "STORE 1 FLAGS.LOUD ()", "STORE 1 +FLAGS (\\Seen", "STORE 1 +FLAGS (\\Seen) x", "STORE 0 FLAGS ()",
        ):
            self.assertTrue(self.client.say("a " + line)[-1].startswith("a BAD "), line)
            self.client.say("a NOOP")

    def test_gone_meanwhile(self):
        """A message that another session expunged is no trouble."""
        self.house.inbox.store([2], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        heard = self.client.say("a STORE 1:3 +FLAGS (\\Flagged)")
        self.assertIn("* 1 FETCH (FLAGS (\\Flagged))", heard)
        self.assertIn("* 3 FETCH (FLAGS (\\Flagged work))", heard)
        self.assertNotIn("* 2 EXPUNGE", heard)
        self.assertTrue(heard[-1].startswith("a OK [EXPUNGEISSUED] "))
        self.assertIn("* 2 EXPUNGE", self.client.say("a NOOP"))
