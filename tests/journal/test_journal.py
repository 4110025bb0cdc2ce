"""The journal: one line an event, counted; the history hears of it too."""

import re
from types import SimpleNamespace

from twisted.internet.defer import fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.relay import Attempt
from unitymail.interfaces.spool import Outcome
from unitymail.journal.journal import Journal
from unitymail.journal.lines import Lines
from unitymail.mail.envelope import Envelope
from unitymail.mail.reply import Reply
from unitymail.routing.steps import Deliver


class JournalTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.path = self.mktemp()
        self.lines = Lines(self.path, self.clock.callLater)
        self.addCleanup(self.lines.close)
        self.journal = Journal(lines=self.lines, now=self.clock.seconds)

    def written(self):
        self.clock.advance(0)
        with open(self.path) as file:
            return file.read()

    def test_it_keeps_its_promise(self):
        """Every event of the interface has a method of the same shape."""
        verifyObject(IJournal, self.journal)

    def test_an_event_is_one_line_with_its_trace(self):
        """What happened to a message is found by its trace id."""
        self.journal.delivered("t1", "u1", "chris@example.com")
        self.assertEqual(
            self.written(),
            "2023-11-14T22:13:20.000Z info delivered trace=t1 account=u1 address=chris@example.com\n",
        )

    def test_lines_of_one_turn_are_one_write(self):
        """A busy node does not write line by line."""
        self.journal.delivered("t1", "u1", "a@b")
        self.journal.delivered("t2", "u1", "a@b")
        self.assertEqual(len(self.clock.calls), 1)
        self.assertEqual(self.written().count("\n"), 2)

    def test_what_became_of_mailboxes(self):
        """Aging, limits and notices: which mailbox, why, how much."""
        self.journal.aged("u1", "INBOX", "saved", messages=3, into="Deleted Items")
        self.journal.quota_reached("u1", "warning", octets=11, limit=10)
        self.journal.notified("t1", "u1", "c@corp.example", "quota warning")
        self.assertEqual([line.split(" ", 1)[1] for line in self.written().splitlines()], [
            'info aged account=u1 folder=INBOX rule=saved messages=3 into="Deleted Items"',
            "warning quota-reached account=u1 quota=warning octets=11 limit=10",
            'info notified trace=t1 account=u1 to=c@corp.example about="quota warning"',
        ])

    def test_events_are_counted(self):
        """Status and metrics count from the journal and nowhere else."""
        self.journal.turned_away("mta", "192.0.2.1", Reply(554, "5.7.1", "no"))
        self.assertEqual(self.journal.counts["turned-away"], 1)

    def test_a_peers_line_break_cannot_forge_a_line(self):
        """A HELO or an address with CR LF stays inside its quotes."""
        self.journal.sign_in_failed("imap", "a\r\n2023 info delivered trace=x", "192.0.2.1", "unknown user")
        self.assertEqual(self.written().count("\n"), 1)

    def test_an_attempt_is_one_line(self):
        """Where it went, who answered, for whom, and for how many it was taken; a long list is cut."""
        done, refused = Outcome("done"), Outcome("failed", "5.1.1")
        attempt = Attempt((done, refused), ("C: QUIT",), "mx.example [192.0.2.1]")
        self.journal.attempted("t1", "the smart host", attempt, ("a@x", "b@x"))
        many = tuple(f"somebody.{n}@elsewhere.example" for n in range(1_000))
        self.journal.attempted("t2", "hop", Attempt((done,) * 1_000), many)
        first, second = self.written().splitlines()
        words = 'trace=t1 hop="the smart host" remote="mx.example [192.0.2.1]" recipients=2 done=1 to=a@x,b@x'
        self.assertTrue(first.endswith(f" info attempted {words}"))
        self.assertIn(" recipients=1000 done=1000 to=somebody.0@elsewhere.example,somebody.1@", second)
        self.assertLess(len(second), 700)

    def test_steps_are_named(self):
        """A failed step says which, for whom and why."""
        self.journal.failed("t1", Deliver("u1", "a@b"), "5.2.0", "gone")
        self.assertIn('step=deliver to=a@b status=5.2.0 why=gone', self.written())

    def test_trouble_keeps_the_traceback_for_the_log(self):
        """The journal has the event, twistd's log the traceback."""
        self.journal.trouble("delivering", ValueError("x"))
        self.assertIn('error trouble what=delivering error="ValueError: x"', self.written())

    def test_a_guarded_failure_becomes_trouble(self):
        """What nobody awaits cannot fail unseen."""
        self.journal.guard(fail(ValueError("x")), "in the background")
        self.assertIn('what="in the background"', self.written())

    def test_the_history_hears_of_messages(self):
        """What has a trace goes there, with the values as they are; what is about connections does not."""
        noted = []
        self.journal.history = SimpleNamespace(note=lambda *event: noted.append(event))
        envelope = Envelope("a@b", ())
        self.journal.connected("mta", "192.0.2.1", "s1")
        self.journal.refused("mta", "192.0.2.1", "s1", "RCPT", Reply(550, "5.1.1", "no"))
        self.journal.received("t1", door="mta", sender="", size=3, envelope=envelope)
        self.journal.failed("t1", Deliver("u1", "a@b"), "5.2.0", "gone")
        self.journal.bad_mail("t1", "nobody")
        self.assertEqual(noted, [
            ("t1", "received", {"door": "mta", "sender": "<>", "size": 3, "envelope": envelope, "origin": None}),
            ("t1", "failed", {"step": Deliver("u1", "a@b"), "status": "5.2.0", "why": "gone"}),
            ("t1", "bad-mail", {"reason": "nobody"}),
        ])
        self.assertNotIn("envelope", self.written())

    def test_a_message_that_was_refused(self):
        """Its history has the envelope; its line is that of the transaction, not a second one."""
        noted = []
        self.journal.history = SimpleNamespace(note=lambda *event: noted.append(event))
        envelope = Envelope("a@b", ())
        self.journal.refused("mta", "192.0.2.1", "s1", "DATA", Reply(550, "5.7.1", "no"), trace="t1", envelope=envelope)
        self.assertEqual((self.written(), self.journal.counts["refused"]), ("", 1))
        self.assertEqual([(trace, event, facts["envelope"]) for trace, event, facts in noted], [
            ("t1", "refused", envelope)
        ])

    def transaction(self, outcome, reply, **more):
        facts = {
            "door": "submission", "client": "192.0.2.1", "session": "s1", "helo": "pc.example", "tls": "TLSv1.3",
            "user": "u-robin", "sender": "robin@vm1.example.com", "recipients": 2, "refused": 1,
            "to": ("a@x.example", "b@x.example"), "size": 812, "reply": reply, "trace": "t1", "seconds": 0.0124,
        }  # fmt: skip
        self.journal.transaction(outcome, **{**facts, **more})
        return self.written()

    def test_a_transaction_is_one_line(self):
        """From whom, for whom, how it ended and how long it took, without a look at any other line."""
        line = self.transaction(
            "accepted", Reply(250, "2.0.0", "Accepted"), message_id="<1@pc.example>", category="email", rule="R7"
        )
        self.assertEqual(
            line,
            "2023-11-14T22:13:20.000Z info transaction trace=t1 outcome=accepted door=submission client=192.0.2.1 "
            "session=s1 helo=pc.example tls=TLSv1.3 user=u-robin sender=robin@vm1.example.com recipients=2 size=812 "
            "refused=1 to=a@x.example,b@x.example code=250 status=2.0.0 ms=12 message_id=<1@pc.example> "
            "category=email rule=R7\n",
        )

    def test_a_refused_transaction_says_why(self):
        """The words that the client was told stand in the line, at a level that is looked at."""
        line = self.transaction("refused", Reply(552, "5.3.4", "Too large"), sender="")
        self.assertIn(" warning transaction ", line)
        self.assertIn(' sender=<> ', line)
        self.assertIn(' code=552 status=5.3.4 text="Too large" ms=12\n', line)

    def test_an_abandoned_transaction_has_no_reply(self):
        """A client that went away was told nothing."""
        line = self.transaction("abandoned", None, why="RSET", trace="")
        self.assertIn(" info transaction outcome=abandoned ", line)
        self.assertNotIn(" code=", line)
        self.assertIn(" why=RSET ", line)

    def test_what_a_client_says_forges_no_transaction(self):
        """Neither HELO nor an address nor a Message-ID can end the line, or begin a field of it."""
        evil = "x outcome=accepted\r\n2023 info transaction"
        line = self.transaction(
            "refused", Reply(550, "5.7.1", "no"), helo=evil, sender=evil, to=(evil,), message_id=evil
        )
        self.assertEqual(line.count("\n"), 1)
        fields = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
        self.assertEqual(fields.count("outcome="), 1)

    def test_relays_are_counted_by_how_they_ended(self):
        """One for each recipient, for the metrics."""
        attempt = Attempt((Outcome("done"), Outcome("failed", "5.1.1"), Outcome("done")), (), "mx.example")
        self.journal.attempted("t1", "hop", attempt, ("a@x", "b@x", "c@x"))
        self.assertEqual(self.journal.relays, {"done": 2, "failed": 1})

    def test_the_end_of_a_connection(self):
        """What came and went, how much mail, and for how long it stood."""
        self.journal.disconnected(
            "mta", "192.0.2.1", "s1", "done", octets_in=912, octets_out=310, messages=2, seconds=1.26
        )
        self.assertIn(
            " info disconnected door=mta client=192.0.2.1 session=s1 octets_in=912 octets_out=310 messages=2 "
            "seconds=1.3 why=done\n",
            self.written(),
        )

    def test_rotation(self):
        """After the file is moved away, lines go to a new one."""
        import os

        self.journal.stopping("one")
        self.written()
        os.rename(self.path, self.path + ".1")
        self.lines.reopen()
        self.journal.stopping("two")
        self.assertIn("why=two", self.written())
