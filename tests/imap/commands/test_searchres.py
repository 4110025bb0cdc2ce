"""SEARCHRES (RFC 5182): `$` is what was found last, wherever messages are named."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House


class Saved(SynchronousTestCase):
    """Ten messages; 2, 5 and 8 are flagged."""

    def setUp(self):
        self.house = House()
        for number in range(1, 11):
            self.house.inbox.put(b"Subject: s%d\r\n\r\nx\r\n" % number, ["\\Flagged"] if number % 3 == 2 else [],
                                 recent=False)
        self.client = self.house.selected()

    def stands_for(self):
        return self.client.say("x UID SEARCH $")[0].removeprefix("* SEARCH").split()

    def test_nothing_saved(self):
        """Before anything was saved `$` is a list without messages, not an error (2.1)."""
        for line in (
            "FETCH $ (FLAGS)", "UID FETCH $ (FLAGS)", "STORE $ +FLAGS (\\Seen)", "SEARCH $", "UID SEARCH UID $",
            "COPY $ Junk", "UID MOVE $ Junk", "MOVE $ Junk",
        ):
            self.assertTrue(self.client.say("a " + line)[-1].startswith("a OK "), line)
        self.assertEqual(self.stands_for(), [])

    def test_example_1(self):
        """What a SEARCH saves, FETCH fetches; nothing else is said of the result."""
        self.assertEqual(self.client.say("A282 SEARCH RETURN (SAVE) FLAGGED"), ["A282 OK SEARCH completed"])
        heard = self.client.say("A283 FETCH $ (UID)")
        self.assertEqual(heard, [*(f"* {n} FETCH (UID {n})" for n in (2, 5, 8)), "A283 OK FETCH completed"])

    def test_in_other_commands(self):
        """STORE, COPY, MOVE, UID EXPUNGE and SEARCH take it, by number and by UID."""
        self.client.say("a SEARCH RETURN (SAVE) FLAGGED")
        self.assertEqual(len(self.client.say("a STORE $ +FLAGS.SILENT (work)")), 1 + 2)
        self.assertEqual(self.house.inbox.flags_of(5), {"\\Flagged", "work"})
        self.client.say("a COPY $ Junk")
        self.assertEqual(len(self.house.account.folder("Junk").snapshot.uids), 3)
        self.client.say("a UID STORE $ +FLAGS.SILENT (\\Deleted)")
        self.client.say("a SEARCH RETURN (SAVE) $ 3:10")
        self.client.say("a UID EXPUNGE $")
        self.assertEqual(list(self.house.inbox.snapshot.uids), [1, 2, 3, 4, 6, 7, 9, 10])

    def test_narrowed(self):
        """A search among the messages of the last one (2.3, example 3), also saved again."""
        self.client.say("a UID SEARCH RETURN (SAVE) FLAGGED")
        heard = self.client.say("a UID SEARCH RETURN (SAVE COUNT) UID $ NOT 5")
        self.assertEqual(heard[0], '* ESEARCH (TAG "a") UID COUNT 2')
        self.assertEqual(self.stands_for(), ["2", "8"])
        self.assertEqual(self.client.say("a SEARCH OR $ 1")[0], "* SEARCH 1 2 8")

    def test_min_max(self):
        """MIN and MAX narrow what is saved, unless ALL or COUNT is there too (2.4)."""
        for words, saved in (("MIN", "2"), ("MAX", "8"), ("MIN MAX", "2 8"), ("MIN COUNT", "2 5 8"), ("ALL", "2 5 8"),
                             ("PARTIAL 2:2", "5"), ("PARTIAL 2:2 MIN", "2 5"), ("PARTIAL 2:2 COUNT", "2 5 8")):
            self.client.say(f"a SEARCH RETURN (SAVE {words}) FLAGGED")
            self.assertEqual(" ".join(self.stands_for()), saved, words)

    def test_expunged_messages_leave(self):
        """What is expunged is not in `$` any more, whoever expunged it, and what comes is not yet in it."""
        self.client.say("a SEARCH RETURN (SAVE) FLAGGED")
        self.house.inbox.store([1, 5], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.house.inbox.put(b"Subject: new\r\n\r\n", ["\\Flagged"])
        self.client.say("a NOOP")
        self.assertEqual(self.client.say("a SEARCH $")[0], "* SEARCH 1 6")
        self.assertEqual(self.stands_for(), ["2", "8"])

    def test_withheld_expunges(self):
        """While the client may not be told that a message is gone, its number keeps its meaning in `$`."""
        self.client.say("a SEARCH RETURN (SAVE) FLAGGED")
        self.house.inbox.store([2], "add", ["\\Deleted"])
        self.house.inbox.expunge()
        self.assertEqual(self.client.say("a SEARCH $")[0], "* SEARCH 2 5 8")
        self.client.say("a NOOP")
        self.assertEqual(self.client.say("a SEARCH $")[0], "* SEARCH 4 7")

    def test_failures(self):
        """NO empties `$`; BAD, and a search that saves nothing, leave it alone (2.1)."""
        self.client.say("a SEARCH RETURN (SAVE) FLAGGED")
        self.client.say("a SEARCH UNSEEN")
        self.client.say("a SEARCH CHARSET KOI8-R ALL")
        self.assertTrue(self.client.say("a SEARCH RETURN (SAVE) FOO")[-1].startswith("a BAD "))
        self.assertEqual(self.stands_for(), ["2", "5", "8"])
        refused = self.client.say("a SEARCH RETURN (SAVE) CHARSET KOI8-R ALL")[-1]
        self.assertTrue(refused.startswith("a NO [BADCHARSET "))
        self.assertEqual(self.stands_for(), [])

    def test_per_mailbox_and_session(self):
        """Another mailbox begins with nothing, and so does another session."""
        self.client.say("a SEARCH RETURN (SAVE) FLAGGED")
        other = self.house.selected()
        self.assertEqual(other.say("a SEARCH $")[0], "* SEARCH")
        self.client.say("a SELECT INBOX")
        self.assertEqual(self.stands_for(), [])

    def test_pipelined(self):
        """Commands sent at once see the result of the one before (2.2)."""
        self.client.send(b"A282 SEARCH RETURN (SAVE) FLAGGED\r\nA283 FETCH $ (UID)\r\n")
        self.assertEqual(self.client.heard().count(" FETCH (UID "), 3)
