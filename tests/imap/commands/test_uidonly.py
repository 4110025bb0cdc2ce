"""UIDONLY (RFC 9586): for users that have it, no sequence number in either direction."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House


class UidOnlyTests(SynchronousTestCase):
    """UIDs 10, 20 and 30, for a user that is offered UIDONLY."""

    def setUp(self):
        self.house = House()
        self.inbox = self.house.inbox
        for uid in (10, 20, 30):
            self.inbox._uidnext = uid
            self.inbox.put(MESSAGE, ["\\Seen"] if uid == 20 else [], recent=False)

    def offered(self):
        client = self.house.signed_in()
        client.session.user = replace(client.session.user, hidden_capabilities=("+UIDONLY",))
        return client

    def selected(self, *words):
        client = self.offered()
        enabled = " ".join(("UIDONLY", *words))
        self.assertEqual(client.say(f"a ENABLE {enabled}")[0], f"* ENABLED {enabled}")
        client.say("b SELECT INBOX")
        return client

    def drop(self, uids):
        self.inbox.store(uids, "add", ["\\Deleted"])
        self.inbox.expunge(uids)

    def test_offered_where_it_is_switched_on(self):
        """Others do not see it and cannot enable it."""
        self.assertIn(" UIDONLY", self.offered().say("a CAPABILITY")[0])
        client = self.house.signed_in()
        self.assertNotIn("UIDONLY", client.say("a CAPABILITY")[0])
        self.assertEqual(client.say("b ENABLE UIDONLY"), ["* ENABLED", "b OK ENABLE completed"])
        self.assertFalse(client.session.uid_only)

    def test_until_it_is_enabled(self):
        """Everything is as ever."""
        client = self.offered()
        client.say("a SELECT INBOX")
        self.assertEqual(client.say("b FETCH 1 FLAGS")[0], "* 1 FETCH (FLAGS ())")

    def test_select(self):
        """EXISTS is told, UNSEEN is not: it would be a sequence number."""
        client = self.offered()
        client.say("a ENABLE UIDONLY")
        heard = client.say("b SELECT INBOX")
        self.assertIn("* 3 EXISTS", heard)
        self.assertFalse([line for line in heard if "UNSEEN" in line])

    def test_numbers_are_refused(self):
        """Each command that names or tells messages by number: BAD [UIDREQUIRED], with what to do; nothing happens."""
        client = self.selected()
        for line in (
            "FETCH 1 FLAGS", "STORE 1 +FLAGS (x)", "COPY 1 Junk", "MOVE 1 Junk", "SEARCH ALL", "SEARCH 1",
            "SORT (DATE) UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL", "UID SEARCH 1", "UID SEARCH NOT 1:*",
            "UID SORT (DATE) UTF-8 1:2", "FETCH", "STORE 1:* bogus",
        ):  # fmt: skip
            heard = client.say(f"a {line}")
            self.assertTrue(heard[-1].startswith("a BAD [UIDREQUIRED] Messages are named by UID here"), (line, heard))
            client.say("b NOOP")
        self.assertEqual(list(self.inbox.snapshot.uids), [10, 20, 30])

    def test_replace_by_number(self):
        """Its message is read away, and the connection goes on."""
        client = self.selected()
        heard = client.say(f"a REPLACE 1 INBOX {{{len(MESSAGE)}+}}\r\n{MESSAGE.decode()}")
        self.assertTrue(heard[-1].startswith("a BAD [UIDREQUIRED]"), heard)
        self.assertEqual(client.say("b NOOP"), ["b OK NOOP completed"])

    def test_uidfetch(self):
        """Responses name the UID in the place of the number, and do not repeat it unless asked."""
        client = self.selected()
        self.assertEqual(client.say("a UID FETCH 10:20 (FLAGS RFC822.SIZE)"), [
            f"* 10 UIDFETCH (FLAGS () RFC822.SIZE {len(MESSAGE)})",
            f"* 20 UIDFETCH (FLAGS (\\Seen) RFC822.SIZE {len(MESSAGE)})", "a OK FETCH completed",
        ])
        self.assertEqual(client.say("b UID FETCH 30 (UID)")[0], "* 30 UIDFETCH (UID 30)")
        self.assertEqual(client.say("c UID FETCH 30 (FLAGS)")[0], "* 30 UIDFETCH (FLAGS ())")
        heard = "\n".join(client.say("d UID FETCH 30 BODY[TEXT]"))
        self.assertTrue(heard.startswith("* 30 UIDFETCH (FLAGS (\\Seen) BODY[TEXT] {"), heard)

    def test_store(self):
        """STORE answers alike, with MODSEQ for those that count changes."""
        client = self.selected()
        self.assertEqual(client.say("a UID STORE 10 +FLAGS (\\Flagged)")[0], "* 10 UIDFETCH (FLAGS (\\Flagged))")
        client.say("b ENABLE CONDSTORE")
        at = self.inbox.snapshot.highest_modseq
        self.assertEqual(client.say(f"c UID STORE 10,20 (UNCHANGEDSINCE {at - 1}) +FLAGS.SILENT (\\Draft)"), [
            f"* 20 UIDFETCH (MODSEQ ({at + 1}))",
            "c OK [MODIFIED 10] STORE completed, without messages that were changed meanwhile",
        ])

    def test_news(self):
        """What others do: VANISHED and UIDFETCH, without QRESYNC too, and as EXPUNGE and FETCH to others."""
        client, other = self.selected(), self.house.selected()
        self.drop([10])
        self.inbox.store([30], "add", ["\\Answered"])
        self.assertEqual(client.say("a NOOP"),
                         ["* VANISHED 10", "* 30 UIDFETCH (FLAGS (\\Answered))", "a OK NOOP completed"])
        self.assertEqual(other.say("a NOOP")[:2], ["* 1 EXPUNGE", "* 2 FETCH (FLAGS (\\Answered))"])
        client.say("b UID STORE 20 +FLAGS.SILENT (\\Deleted)")
        self.assertEqual(client.say("c EXPUNGE"), ["* VANISHED 20", "c OK EXPUNGE completed"])

    def test_everything_with_uid_works(self):
        """COPY, MOVE, SEARCH and EXPUNGE by UID."""
        client = self.selected()
        self.assertEqual(client.say("a UID SEARCH UNSEEN")[-1], "a OK SEARCH completed")
        self.assertIn("[COPYUID ", client.say("b UID COPY 10 Junk")[-1])
        self.assertEqual(client.say("c UID MOVE 10 Junk")[1:], ["* VANISHED 10", "c OK MOVE completed"])
        client.say("d UID STORE 20,30 +FLAGS.SILENT (\\Deleted)")
        self.assertEqual(client.say("e UID EXPUNGE 30")[0], "* VANISHED 30")
        self.assertTrue(client.say("f UID SEARCH UID 20")[0].endswith(" 20"))

    def test_with_qresync(self):
        """Coming back: UIDFETCH for what changed; sequence numbers as proof are refused."""
        client = self.selected("QRESYNC")
        validity, since = self.inbox.snapshot.uidvalidity, self.inbox.snapshot.highest_modseq
        client.say("a UNSELECT")
        self.drop([10])
        self.inbox.store([30], "add", ["\\Answered"])
        at = self.inbox.snapshot.highest_modseq
        refused = client.say(f"b SELECT INBOX (QRESYNC ({validity} {since} 1:30 (1,3 10,30)))")[-1]
        self.assertTrue(refused.startswith("b BAD [UIDREQUIRED]"), refused)
        heard = client.say(f"c SELECT INBOX (QRESYNC ({validity} {since} 1:30))")
        self.assertEqual(heard[-3:-1],
                         ["* VANISHED (EARLIER) 10", f"* 30 UIDFETCH (FLAGS (\\Answered) MODSEQ ({at}))"])
