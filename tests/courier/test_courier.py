"""The courier at work on a real spool: outcomes, retries, expiry, reports, shunting, how many at once."""

import os
from dataclasses import replace
from email import message_from_bytes, policy
from itertools import pairwise

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.courier.memory import one_turn
from tests.courier.room import ScriptedRelay, a_courier, pass_time, waiting_items
from tests.fakes import CHRIS, ROBIN, FakeBook
from tests.spool.room import a_decision, an_envelope, files_under, receive
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.spool import DONE, Outcome
from unitymail.mail.fate import Fate
from unitymail.mail.message import Importance
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.people.user import Action, Actions
from unitymail.routing.steps import BadMail, Deliver, RelayToSmartHost, Report

A, B, C = (RelayToSmartHost(f"{name}@elsewhere.example") for name in "abc")
BUSY = Outcome("try-again", "4.4.1", "The next server does not answer.")
NOBODY = Outcome("failed", "5.1.1", "Nobody there.", "550 5.1.1 nobody", "mx.elsewhere.example")
MESSAGE = b"From: chris@vm1.example.com\r\nSubject: Lunch\r\nMessage-ID: <l@x>\r\n\r\nToday?\r\n"


class CourierTests(SynchronousTestCase):
    def go(self, *script, **facts):
        self.asked = ScriptedRelay(*script)
        self.room = a_courier(self.mktemp(), performer=self.asked, **facts)
        return self.room

    def send(self, *steps, trace="t1", **facts):
        self.successResultOf(receive(self.room, trace, MESSAGE, *steps, **facts)[0])
        self.room.clock.advance(0)

    def queued(self):
        return [item.trace for item in waiting_items(self.room)]

    def states(self):
        (item,) = waiting_items(self.room)
        return item.steps

    def report(self):
        """The one report in Chris's mailbox, parsed."""
        (octets,) = self.room.store.mailbox("u-chris").values()
        return message_from_bytes(octets, policy=policy.default)

    def test_a_done_item_leaves(self):
        """Steps are performed in order; when all are done nothing of the item stays behind."""
        self.go()
        self.send(A, B)
        self.assertEqual([to for _, to, _ in self.asked.asked], [A.to, B.to])
        pass_time(self.room, 5, 0.5)
        self.assertEqual(files_under(self.room.places.items), [])
        self.assertEqual(files_under(self.room.places.intake), [])
        self.assertEqual(len(self.asked.asked), 2)

    def test_each_outcome_is_written_while_others_go_on(self):
        """One step is done, the other under way: the first outcome can be read already."""
        gate = Deferred()
        self.go(DONE, gate)
        self.send(A, B)
        self.assertEqual([state.outcome for state in self.states()], [DONE, None])
        gate.callback(DONE)
        pass_time(self.room, 5, 0.5)
        self.assertEqual(self.queued(), [])

    def test_passing_failures_follow_the_schedule(self):
        """1, 2 and 5 minutes later it is tried again; the journal says so."""
        self.go(BUSY, BUSY, BUSY, DONE)
        self.send(A)
        began, moments = self.room.clock.seconds(), [0.0]
        while len(self.asked.asked) < 4:
            before = len(self.asked.asked)
            self.room.clock.advance(5)
            if len(self.asked.asked) > before:
                moments.append(self.room.clock.seconds() - began)
        self.assertEqual([round(b - a) for a, b in pairwise(moments)], [60, 120, 300])
        self.assertEqual(len(self.room.journal.named("postponed")), 3)

    def test_what_never_works_is_reported_after_two_days(self):
        """The report comes at the deadline, with the status of the real cause; a notice of delay came before."""
        self.go(*[BUSY] * 200)
        self.send(A)
        pass_time(self.room, 5 * 3600, 60)
        (octets,) = self.room.store.mailbox("u-chris").values()
        self.assertIn(b"Subject: Delayed: Hello", octets)
        pass_time(self.room, 44 * 3600, 60)
        reports = list(self.room.store.mailbox("u-chris").values())
        self.assertEqual(len(reports), 2)
        self.assertIn(b"Status: 4.4.1", reports[1])
        self.assertIn(b"Action: failed", reports[1])
        self.assertEqual(self.queued(), [])

    def test_failures_of_a_run_are_one_report(self):
        """Two recipients that fail and one that works: one report with two groups, to the envelope sender."""
        self.go(NOBODY, DONE, NOBODY)
        self.send(A, B, C)
        report = self.report()
        self.assertEqual(report["To"], "chris@vm1.example.com")
        self.assertEqual(report["Return-Path"], "<>")
        self.assertEqual(report.get_content_type(), "multipart/report")
        groups = report.get_payload()[1].get_payload()[1:]
        self.assertEqual([group["Final-Recipient"] for group in groups], [f"rfc822; {s.to}" for s in (A, C)])
        self.assertEqual({group["Diagnostic-Code"] for group in groups}, {"smtp; 550 5.1.1 nobody"})
        self.assertEqual([event.args for event in self.room.journal.named("reported")],
                         [("t1", "t1-r0", "chris@vm1.example.com", 2)])

    def test_a_missing_performer_is_told_in_plain_words(self):
        """Where this node cannot go yet, the sender hears so at once."""
        self.room = a_courier(self.mktemp())
        del self.room.performers._of[RelayToSmartHost]
        self.send(A)
        self.assertIn(b"Status: 5.3.5", self.report().as_bytes())

    def test_an_unexpected_exception_shunts_the_item(self):
        """The item moves to shunted/ as it is, with the traceback beside it; the others go on."""
        self.go(ZeroDivisionError("how odd"), DONE)
        self.send(A)
        self.send(A, trace="t2")
        shunted = self.room.places.shunted
        self.assertEqual(files_under(shunted), ["t1.eml", "t1.json", "t1.txt"])
        with open(os.path.join(shunted, "t1.txt")) as file:
            self.assertIn("ZeroDivisionError: how odd", file.read())
        pass_time(self.room, 5, 1)
        self.assertEqual(self.queued(), [])
        self.assertEqual(len(self.asked.asked), 2)
        self.assertTrue(self.room.journal.named("shunted"))

    def test_an_unreadable_envelope_is_shunted(self):
        """An envelope file that makes no sense is put aside; nothing else suffers."""
        self.go()
        with open(os.path.join(self.room.places.items, "t9.json"), "w") as file:
            file.write("{ no json")
        pass_time(self.room, 3_700, 60)
        self.assertIn("t9.json", files_under(self.room.places.shunted))

    def test_trouble_that_passes_is_no_surprise(self):
        """A performer may raise TryAgain as well: the step waits."""
        self.go(TryAgain(why="the disk hiccups"), DONE)
        self.send(A)
        self.assertEqual(self.states()[0].attempts, 1)
        pass_time(self.room, 61, 1)
        self.assertEqual(self.queued(), [])

    def test_a_report_that_cannot_go_anywhere_is_bad_mail(self):
        """When the sender's address is nobody here, the report is kept for the administrator, not sent on."""
        self.go(NOBODY)
        self.send(A, envelope=an_envelope(sender="gone@vm1.example.com"))
        pass_time(self.room, 3, 1)
        (entry,) = self.room.badmail.entries()
        self.assertEqual(entry.id, "t1-r0")
        self.assertIn("report that cannot be delivered", entry.reason)
        self.assertEqual(self.queued(), [])

    def test_bad_mail_is_kept_with_its_reason(self):
        """A BadMail step links the message into badmail/ and the item leaves."""
        self.go()
        self.send(BadMail("the sender is unknown"))
        pass_time(self.room, 3, 1)
        (entry,) = self.room.badmail.entries()
        self.assertEqual((entry.id, entry.reason), ("t1", "the sender is unknown"))
        with open(entry.path, "rb") as file:
            self.assertTrue(file.read().endswith(MESSAGE))
        self.assertEqual([event.args for event in self.room.journal.named("bad_mail")], [("t1", entry.reason)])
        self.assertEqual(self.queued(), [])

    def test_requeued_bad_mail_is_decided_anew(self):
        """What an administrator sends back is delivered as mail of our own, found on the disk within seconds."""
        self.go()
        self.send(BadMail("the sender is unknown"), envelope=an_envelope(ROBIN.address, sender="x@elsewhere.example"))
        pass_time(self.room, 3, 1)
        self.room.badmail.requeue("t1")
        pass_time(self.room, 5, 1)
        self.assertEqual(len(self.room.store.mailbox("u-robin")), 1)
        self.assertEqual(self.room.badmail.entries(), [])
        self.assertEqual(self.queued(), [])

    def test_many_mailboxes_are_one_piece_of_work(self):
        """Hundreds of deliveries of one message are linked and made durable together, and told over several turns."""
        users = [replace(ROBIN, id=f"u-{n}", alias=f"u{n}", address=f"u{n}@x.example", proxies=()) for n in range(300)]
        self.go(book=FakeBook(*users))
        self.successResultOf(receive(self.room, "t1", MESSAGE, *(Deliver(user.id, user.address) for user in users))[0])
        told = []
        for _ in range(3):
            told.append(len(self.room.journal.named("delivered")))
            one_turn(self.room.clock)
        self.assertEqual(told, [100, 200, 300])  # the first at the commit
        self.assertEqual([len(accounts) for accounts in self.room.store.durable], [200])
        (name,) = self.room.store.mailbox("u-299")
        self.assertGreater(os.stat(os.path.join(self.room.store.root, "u-299", "new", name)).st_nlink, 300)

    def test_a_mailbox_in_trouble_is_tried_again(self):
        """A link that failed at the commit is made by the courier, which says `again`."""
        self.go()
        self.room.store.broken.add("u-robin")
        self.send(Deliver("u-robin", ROBIN.address))
        self.room.store.broken.clear()
        pass_time(self.room, 600, 30)
        self.assertEqual(len(self.room.store.mailbox("u-robin")), 1)
        self.assertEqual(self.room.store.calls[-1][2], True)
        self.assertEqual(self.queued(), [])

    def test_a_mailbox_that_is_gone_is_reported(self):
        """A user deleted since the decision: the sender hears of it, and no directory appears."""
        self.go()
        self.room.store.broken.add("u-gone")
        self.send(Deliver("u-gone", "gone@vm1.example.com"))
        self.room.store.broken.clear()
        pass_time(self.room, 120, 30)
        self.assertIn(b"Status: 5.1.1", self.report().as_bytes())
        self.assertFalse(os.path.exists(os.path.join(self.room.store.root, "u-gone")))

    def test_urgent_goes_first_and_only_so_many_at_once(self):
        """With one place free, an urgent message that came last is next."""
        gate = Deferred()
        self.go(gate, at_once=1)
        self.send(A, trace="t1")
        self.send(A, trace="t2")
        self.send(A, trace="t3", importance=Importance.HIGH)
        self.assertEqual(len(self.asked.asked), 1)
        gate.callback(DONE)
        pass_time(self.room, 1, 0.1)
        self.assertEqual([trace for trace, *_ in self.asked.asked], ["t1", "t3", "t2"])

    def test_stopping_waits_for_what_is_in_hand(self):
        """A stop lets the running step end and its outcome be written, and begins nothing new."""
        gate = Deferred()
        self.go(gate)
        self.send(A, B)
        stopped = self.room.courier.stop()
        self.assertNoResult(stopped)
        gate.callback(BUSY)
        self.successResultOf(stopped)
        self.assertEqual(self.states()[0].attempts, 1)

    def test_the_planned_report_is_sent(self):
        """One unknown recipient among others: the report planned on entry reaches the sender, once."""
        self.go()
        fates = (Fate("who@vm1.example.com", "failed", "5.1.1", "There is no such address."),)
        self.send(Deliver("u-robin", ROBIN.address), Report(CHRIS.address, fates))
        pass_time(self.room, 10, 1)
        self.assertIn("who@vm1.example.com", self.report().as_string())
        self.assertEqual(len(self.room.store.mailbox("u-robin")), 1)
        self.assertEqual(self.queued(), [])

    def test_a_report_performed_twice_is_one_report(self):
        """After a crash between sending the report and writing so, it is performed again and stored once."""
        self.go()
        fates = (Fate("who@vm1.example.com", "failed", "5.1.1", "There is no such address."),)
        performer = self.room.performers.of(Report(CHRIS.address, fates))
        self.room.courier.stop()
        self.send(Report(CHRIS.address, fates))
        item = self.successResultOf(self.room.spool.queue.claim("t1"))
        for _ in range(2):
            d = Deferred.fromCoroutine(performer.perform(item, item.steps[0]))
            self.assertEqual(self.successResultOf(d), DONE)
            self.room.clock.advance(1)
            self.room.spool._committed.clear()
        self.assertEqual(len(self.room.store.mailbox("u-chris")), 1)
        self.assertTrue(self.room.store.calls[-1][2])

    def test_who_rejects_receipts_misses_no_report(self):
        """A rejected receipt is dropped silently: nobody keeps it, it is no bad mail."""
        keepers = DistributionList("d-u", UNDELIVERABLE, f"{UNDELIVERABLE}@vm1.example.com", members=(ROBIN.id,))
        chris = replace(CHRIS, actions=Actions(receipt=Action.REJECT))
        self.go(NOBODY, book=FakeBook(ROBIN, chris, keepers))
        self.send(A)
        pass_time(self.room, 5, 0.5)
        self.assertEqual((self.room.store.calls, self.room.badmail.entries(), self.queued()), ([], [], []))
        self.assertEqual(self.room.journal.named("undeliverable"), [])
        (decided,) = [event.args for event in self.room.journal.named("decided") if event.args[0] == "t1-r0"]
        self.assertIn("rejects receipts", decided[1].recipients[0].reason)

    def test_malformed_mail_that_reaches_nobody_is_bad_mail(self):
        """Not the keepers' of the undeliverable, whose mail programs are spared it."""
        keepers = DistributionList("d-u", UNDELIVERABLE, f"{UNDELIVERABLE}@vm1.example.com", members=(ROBIN.id,))
        self.go(NOBODY, book=FakeBook(ROBIN, CHRIS, keepers))
        decision = a_decision(A)
        decision = replace(decision, message=replace(decision.message, malformed=True))
        incoming = self.room.spool.receive("t1")
        incoming.write(MESSAGE)
        self.room.spool.commit(incoming, an_envelope(A.to, sender=""), decision, b"X-Unitymail-Trace: id=t1\r\n")
        pass_time(self.room, 5, 0.5)
        self.assertEqual([entry.id for entry in self.room.badmail.entries()], ["t1"])
        self.assertEqual(self.room.store.calls, [])
