"""What becomes of messages over hours and days: told as stories, with a clock and a next hop of ours."""

from dataclasses import replace
from email import message_from_bytes, policy
from functools import cache

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.courier.fake_relay import BUSY, NO_ANSWER, NOBODY, PEER, SITE, FakeRelay
from tests.courier.memory import NOW, a_desk, crash, pass_time, send
from tests.fakes import CHRIS, ROBIN, TERRY, FakeBook
from unitymail.interfaces.relay import Attempt
from unitymail.interfaces.spool import DONE, Outcome, StepState
from unitymail.mail.envelope import Recipient
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.routing.steps import Deliver, HandOver, RelayToSmartHost, RelayToUser
from unitymail.ways_out import look_again

A, B, C = (RelayToSmartHost(f"{name}@elsewhere.example") for name in "abc")
OVER = HandOver(PEER.id, "dave@vm2.example.com")
MINUTE, HOUR = 60, 3_600
DAY = 24 * HOUR
RELAYED = Outcome("done", success="relayed")


@cache
def fates(octets):
    """(action, status, final recipient) of each group of a report."""
    groups = message_from_bytes(octets, policy=policy.default).get_payload()[1].get_payload()[1:]
    return tuple((g["Action"], g["Status"], g["Final-Recipient"].partition("; ")[2]) for g in groups)


class StoryTests(SynchronousTestCase):
    def go(self, *others, site=SITE, **script):
        book = FakeBook(ROBIN, CHRIS, TERRY, PEER, *others, site=site)
        self.desk = a_desk(self.mktemp(), book=book, relay=FakeRelay(**script))
        self.relay = self.desk.relay
        self.desk.courier.start()
        return self.desk

    def reports(self):
        """Of each report (action, status, final recipient) of each group, in the order they were made."""
        return [list(fates(octets)) for octets, _, _ in self.desk.spool.reports.values()]

    def report(self):
        ((octets, _, _),) = self.desk.spool.reports.values()
        return message_from_bytes(octets, policy=policy.default)

    def test_absent_for_a_day(self):
        """The smart host is away for a day: a notice after four hours, then everything arrives, once."""
        self.go()
        self.relay.always["smart-host"] = NO_ANSWER
        for number in range(5):
            send(self.desk, A, trace=f"t{number}")
        pass_time(self.desk, 4 * HOUR - MINUTE, MINUTE)
        self.assertEqual(self.reports(), [])
        pass_time(self.desk, 2 * MINUTE, MINUTE)
        self.assertEqual(self.reports(), [[("delayed", "4.4.1", A.to)]] + [[("delayed", "4.4.7", A.to)]] * 4)
        pass_time(self.desk, DAY - 4 * HOUR, MINUTE)
        tries = len(self.relay.sent)
        self.assertLess(tries, 34)  # one an hour for all five together
        self.relay.always["smart-host"] = DONE
        pass_time(self.desk, HOUR, MINUTE)
        self.assertEqual(sorted(self.relay.traces()[tries:]), [f"t{n}" for n in range(5)])
        self.assertEqual(self.desk.queue.items(), [])
        self.assertEqual(len(self.reports()), 5)

    def test_absent_for_ever(self):
        """After two days each sender gets the message back, with the cause, whether it was tried itself or not."""
        self.go()
        self.relay.always["smart-host"] = NO_ANSWER
        send(self.desk, A, trace="t1")
        pass_time(self.desk, HOUR, MINUTE)
        send(self.desk, B, trace="t2")
        pass_time(self.desk, 2 * DAY - HOUR + MINUTE, MINUTE)
        self.assertEqual(self.reports()[-1], [("failed", "4.4.1", A.to)])
        pass_time(self.desk, HOUR, MINUTE)
        self.assertEqual(self.reports()[-1], [("failed", "4.4.1", B.to)])
        self.assertEqual(len(self.reports()), 4)
        self.assertEqual(self.desk.queue.items(), [])

    def test_busy_for_ever(self):
        """Tried after 1, 2, 5, 10, 20, 40 and 60 minutes, then every hour, last when two days are over.

        One notice after exactly four hours, one failure at the end.
        """
        self.go()
        self.relay.always["smart-host"] = BUSY
        send(self.desk, A)
        tries, told = [0], []
        for minute in range(1, 2 * DAY // MINUTE + 61):
            before, reports = len(self.relay.sent), len(self.reports())
            self.desk.clock.advance(MINUTE)
            self.desk.clock.advance(0)
            tries += [minute] * (len(self.relay.sent) - before)
            told += [(minute, *report) for report in self.reports()[reports:]]
        schedule = [0, 1, 3, 8, 18, 38, 78, 138, *range(198, 48 * 60, 60), 48 * 60]
        self.assertEqual(tries, schedule)
        self.assertEqual(told, [(4 * 60, ("delayed", "4.3.2", A.to)), (48 * 60, ("failed", "4.3.2", A.to))])
        self.assertEqual(self.desk.queue.items(), [])

    def test_greylisted(self):
        """450, then 250: it arrives with the second attempt and nobody hears of anything."""
        self.go(smart_host=[BUSY])
        send(self.desk, A)
        pass_time(self.desk, 2 * MINUTE)
        self.assertEqual(self.relay.traces(), ["t1", "t1"])
        self.assertEqual(self.reports(), [])
        self.assertEqual(self.desk.queue.items(), [])

    def test_each_recipient_for_itself(self):
        """One is taken, one refused, one asked to wait: one report, and only the third is sent again."""
        three = Attempt((DONE, NOBODY, BUSY), remote="mx.elsewhere.example")
        self.go(smart_host=[three])
        send(self.desk, A, B, C)
        self.assertEqual(self.reports(), [[("failed", "5.1.1", B.to)]])
        pass_time(self.desk, 2 * MINUTE)
        self.assertEqual([r.address for r in self.relay.sent[1][1].recipients], [C.to])
        self.assertEqual(self.desk.queue.items(), [])
        self.assertEqual(len(self.reports()), 1)

    def test_a_crash_between_the_deed_and_the_note(self):
        """What was sent and not noted is sent again under the same XID, to nobody but those not noted."""
        answer = Deferred()
        self.go(smart_host=[BUSY])
        self.relay.answers["peer l-peer"] = [answer]
        send(self.desk, OVER, A)
        crash(self.desk)
        xids = [outgoing.told.xid for hop, outgoing in self.relay.sent if hop == "peer l-peer"]
        self.assertEqual(xids, ["n1.t1", "n1.t1"])
        self.assertEqual(len(self.relay.traces()), 1)  # BUSY was noted: its minute is not over
        pass_time(self.desk, 2 * MINUTE)
        self.assertEqual(len(self.relay.traces()), 2)
        self.assertEqual(self.desk.queue.items(), [])

    def test_a_crash_after_the_report(self):
        """A report made twice is one: it is derived from the item."""
        self.go(smart_host=[NOBODY])
        record = self.desk.queue.record
        self.desk.queue.finish = lambda item: Deferred()
        send(self.desk, A)
        self.assertEqual(len(self.desk.spool.reports), 1)
        del self.desk.queue.finish
        crash(self.desk)
        self.assertEqual((len(self.desk.spool.reports), self.desk.spool.commits), (1, 2))
        self.assertEqual(self.desk.queue.record, record)
        self.assertEqual(self.desk.queue.items(), [])

    def test_no_patience_is_unity_connection(self):
        """relay.retry_for = 0: the first failure is reported, also to those who come while the hop is down."""
        self.go(site=replace(SITE, relay_retry_for=0), smart_host=[BUSY, NO_ANSWER, NO_ANSWER])
        send(self.desk, A, trace="t1")
        send(self.desk, B, trace="t2")
        send(self.desk, C, trace="t3")
        pass_time(self.desk, 61)
        self.assertEqual(self.reports(), [[("failed", "4.3.2", A.to)], [("failed", "4.4.1", B.to)],
                                          [("failed", "4.4.1", C.to)]])
        self.assertEqual(self.desk.queue.items(), [])

    def test_no_patience_still_waits_for_its_turn(self):
        """A busy hop is no failure."""
        gates = [Deferred() for _ in range(8)]
        self.go(site=replace(SITE, relay_retry_for=0), smart_host=list(gates))
        for number in range(40):
            send(self.desk, A, trace=f"t{number}")
        pass_time(self.desk, 60, 1)
        for gate in gates:
            gate.callback(DONE)
        pass_time(self.desk, 10, 1)
        self.assertEqual(self.reports(), [])
        self.assertEqual(len(self.relay.sent), 40)

    def test_deliver_by_or_return(self):
        """RFC 2852, mode R: at that moment the message comes back, 5.4.7, though the next try is not due."""
        self.go()
        self.relay.always["smart-host"] = BUSY
        by = self.desk.clock.seconds() + 25 * MINUTE
        send(self.desk, A, envelope={"deliver_by": by, "deliver_by_mode": "R"})
        pass_time(self.desk, 24 * MINUTE)
        self.assertEqual(self.reports(), [])
        pass_time(self.desk, 2 * MINUTE)
        self.assertEqual(self.reports(), [[("failed", "5.4.7", A.to)]])
        self.assertEqual(self.desk.queue.items(), [])

    def test_deliver_by_or_return_in_the_middle_of_an_attempt(self):
        """The answer comes after that moment, and the message did not go: it is the time that was too short."""
        gate = Deferred()
        self.go(smart_host=[gate])
        send(self.desk, A, envelope={"deliver_by": self.desk.clock.seconds() + 10, "deliver_by_mode": "R"})
        self.desk.clock.advance(12)
        gate.callback(BUSY)
        self.desk.clock.advance(0)
        self.assertEqual(self.reports(), [[("failed", "5.4.7", A.to)]])
        self.assertIn(b"Diagnostic-Code: smtp; 450 4.3.2 busy", self.report().as_bytes())
        self.assertEqual(self.desk.queue.items(), [])

    def test_accept_and_relay_when_one_half_fails(self):
        """Each half is tried again for itself: one copy in the mailbox, one at the address outside."""
        self.go(smart_host=[BUSY, BUSY])
        deliver, asked = self.desk.store.deliver, []
        self.desk.store.deliver = lambda *args, **more: asked.append(args[0]) or deliver(*args, **more)
        halves = Deliver(ROBIN.id, ROBIN.address), RelayToUser(ROBIN.id, "robin@home.example", ROBIN.address, kept=True)
        send(self.desk, *halves, trace="t1")
        pass_time(self.desk, 10 * MINUTE)
        self.assertEqual((asked, len(self.relay.sent)), ([ROBIN.id], 3))
        self.desk.store.broken.add(ROBIN.id)
        send(self.desk, *halves, trace="t2")
        self.desk.store.broken.clear()
        pass_time(self.desk, 10 * MINUTE)
        self.assertEqual(self.relay.traces(), ["t1"] * 3 + ["t2"])
        self.assertEqual(len(self.desk.store.mailbox(ROBIN.id)), 2)
        self.assertEqual((self.desk.queue.items(), self.reports()), ([], []))

    def test_the_smart_host_is_taken_away_while_many_wait(self):
        """Down, full or busy: everybody hears 5.3.5 once, and what goes elsewhere goes on."""
        self.go()
        self.relay.most_at_once = 1
        self.relay.answers["smart-host"] = [BUSY, NO_ANSWER]
        self.relay.answers["peer l-peer"] = [BUSY]
        for number in range(30):
            send(self.desk, *((A, OVER) if number == 7 else (A,)), trace=f"t{number}")
        self.desk.book.site, self.desk.book.usn = replace(SITE, smart_host_host=""), 2
        look_again(self.desk.courier, self.desk.dispatch, 2)
        pass_time(self.desk, 2 * MINUTE, 1)
        self.assertEqual(self.reports(), [[("failed", "5.3.5", A.to)]] * 30)
        self.assertEqual((self.relay.traces("peer l-peer"), self.desk.queue.items()), (["t7"] * 2, []))
        self.assertEqual((self.desk.destinations._known, self.desk.dispatch._down), ({}, {}))

    def test_a_peer_is_removed_while_mail_waits_for_it(self):
        """It need not wait for the next probe to fail."""
        self.go()
        self.relay.always["peer l-peer"] = NO_ANSWER
        for number in range(3):
            send(self.desk, OVER, trace=f"t{number}")
        del self.desk.book.by_id[PEER.id]
        self.desk.book.usn = 2
        look_again(self.desk.courier, self.desk.dispatch, 2)
        pass_time(self.desk, 5, 1)
        self.assertEqual(self.reports(), [[("failed", "5.3.5", OVER.to)]] * 3)
        self.assertEqual(self.desk.queue.items(), [])

    def test_deliver_by_or_return_while_the_hop_is_down(self):
        """Waiting for a hop makes no difference."""
        self.go()
        self.relay.always["smart-host"] = NO_ANSWER
        send(self.desk, A, trace="t1")
        send(self.desk, B, trace="t2", envelope={"deliver_by": self.desk.clock.seconds() + 630, "deliver_by_mode": "R"})
        pass_time(self.desk, 660)
        self.assertEqual(self.reports(), [[("failed", "5.4.7", B.to)]])

    def test_too_late_while_a_report_is_made(self):
        """The moment comes while another recipient's failure is being told: this one is told all the same."""
        self.go()
        self.relay.answers["peer l-peer"] = [NOBODY]
        find, asked = self.desk.book.find, []

        def slow(address):
            asked.append(address)
            if len(asked) == 2:
                self.desk.clock.rightNow = NOW + 101
            return find(address)

        self.desk.book.find = slow
        steps = StepState(A, 3, NOW + 100, last=BUSY), StepState(OVER, 1, NOW + 95, last=BUSY)
        send(self.desk, A, OVER, envelope={"deliver_by": NOW + 100, "deliver_by_mode": "R"}, steps=steps, fresh=False)
        pass_time(self.desk, 120, 1)
        self.assertEqual(self.reports(), [[("failed", "5.1.1", OVER.to)], [("failed", "5.4.7", A.to)]])
        self.assertEqual(self.desk.queue.items(), [])

    def test_deliver_by_or_tell(self):
        """Mode N: one notice at that moment, even without NOTIFY=DELAY; none after four hours; it goes on."""
        self.go()
        self.relay.always["smart-host"] = NO_ANSWER
        send(self.desk, B, trace="t0", recipients=[Recipient(B.to, frozenset({"FAILURE"}))])
        send(self.desk, A, recipients=[Recipient(A.to, frozenset({"FAILURE"}))],
             envelope={"deliver_by": self.desk.clock.seconds() + 1_000, "deliver_by_mode": "N"})
        pass_time(self.desk, 1_020)
        self.assertEqual(self.reports(), [[("delayed", "4.4.7", A.to)]])
        pass_time(self.desk, 5 * HOUR)
        self.assertEqual(len(self.reports()), 1)
        self.relay.always["smart-host"] = RELAYED
        pass_time(self.desk, 2 * HOUR)
        # The next hop does not know DELIVERBY: what it does with the message nobody here will hear.
        self.assertEqual(self.reports()[1:], [[("relayed", "2.0.0", A.to)]])
        self.assertEqual(self.desk.queue.items(), [])

    def test_success_is_told_as_it_was(self):
        """NOTIFY=SUCCESS: relayed where the next hop will not tell; nothing where it will."""
        success = frozenset({"SUCCESS"})
        self.go(smart_host=[RELAYED])
        send(self.desk, A, OVER, recipients=[Recipient(A.to, success, "rfc822;o@x"), Recipient(OVER.to, success)])
        self.assertEqual(self.reports(), [[("relayed", "2.0.0", A.to)]])
        group = self.report().get_payload()[1].get_payload()[1]
        self.assertEqual(group["Original-Recipient"], "rfc822; o@x")
        self.assertEqual(self.report()["Subject"], "Passed on: Lunch")

    def test_a_delivery_is_told_when_it_was_made(self):
        """A mailbox in trouble: nobody is told `delivered` before it is."""
        self.go()
        self.desk.store.broken.add(ROBIN.id)
        send(self.desk, Deliver(ROBIN.id, ROBIN.address), recipients=[Recipient(ROBIN.address, frozenset({"SUCCESS"}))])
        self.assertEqual(self.reports(), [])
        self.desk.store.broken.clear()
        pass_time(self.desk, 2 * MINUTE)
        self.assertEqual(self.reports(), [[("delivered", "2.0.0", ROBIN.address)]])

    def test_a_users_relay_address_is_not_shown(self):
        """The sender wrote to Robin and hears of Robin, whatever the next hop says about Robin's private address."""
        said = replace(NOBODY, diagnostic="550 5.1.1 <robin@home.example> unknown")
        self.go(smart_host=[said])
        send(self.desk, RelayToUser(ROBIN.id, "robin@home.example", "Robin@vm1.example.com"))
        octets = self.report().as_bytes()
        self.assertNotIn(b"home.example", octets)
        self.assertIn(b"Final-Recipient: rfc822; Robin@vm1.example.com", octets)
        self.assertIn(b"Robin Smith", octets)

    def test_a_copy_beside_a_kept_one_is_not_reported(self):
        """Accept-and-relay: the message is delivered, so a copy that fails is for the trace only."""
        self.go(smart_host=[NOBODY])
        send(self.desk, RelayToUser(ROBIN.id, "robin@home.example", ROBIN.address, kept=True))
        self.assertEqual(self.reports(), [])
        self.assertEqual(len(self.desk.journal.named("failed")), 1)
        self.assertEqual(self.relay.sent[0][1].recipients[0].notify, frozenset({"NEVER"}))

    def test_nobody_to_tell(self):
        """A report that cannot go on is kept by those on the list Undeliverable Messages."""
        keepers = DistributionList("d-u", UNDELIVERABLE, f"{UNDELIVERABLE}@vm1.example.com", members=(TERRY.id,))
        self.go(keepers, smart_host=[NOBODY])
        send(self.desk, A, sender="")
        self.assertEqual(len(self.desk.store.mailbox(TERRY.id)), 1)
        (told,) = self.desk.journal.named("undeliverable")
        why = f"{A.to} cannot be reached, and its sender cannot be told: Nobody there."
        self.assertEqual(told.args, ("t1", why, keepers.address))
        self.assertEqual(self.desk.badmail.kept, {})
        self.assertEqual(self.desk.queue.items(), [])

    def test_nobody_to_tell_and_nobody_to_keep(self):
        """Without such a list, or when its member is gone, it is bad mail, with the reason."""
        keepers = DistributionList("d-u", UNDELIVERABLE, f"{UNDELIVERABLE}@vm1.example.com", members=(TERRY.id,))
        self.go(keepers, smart_host=[NOBODY])
        user = self.desk.book.user
        self.desk.book.user = lambda id: None if id == TERRY.id else user(id)
        send(self.desk, A, sender="")
        self.assertIn("cannot be told", self.desk.badmail.kept["t1"])
        self.assertEqual(len(self.desk.journal.named("undeliverable")), 1)  # of the list; bad mail has its own event
        self.assertEqual(self.desk.queue.items(), [])

    def test_the_sender_of_a_report_is_gone(self):
        """The report itself goes to the keepers when its recipient is nobody here any more."""
        keepers = DistributionList("d-u", UNDELIVERABLE, f"{UNDELIVERABLE}@vm1.example.com", members=(TERRY.id,))
        self.go(keepers, site=replace(SITE, smart_host_host=""))
        send(self.desk, A, sender="gone@vm1.example.com")
        ((_, envelope, decision),) = self.desk.spool.reports.values()
        self.assertEqual(envelope.sender, "")
        self.assertEqual(decision.steps, (Deliver(TERRY.id, keepers.address),))
        (told,) = self.desk.journal.named("undeliverable")
        self.assertEqual((told.args[0], told.args[2]), ("t1-r0", keepers.address))
        self.assertIn("a report that cannot be delivered", told.args[1])

    def test_mail_for_later(self):
        """Future release: nothing happens before, and patience begins then (RFC 4865)."""
        self.go()
        self.relay.always["smart-host"] = BUSY
        until = self.desk.clock.seconds() + 3 * DAY
        self.desk.courier.stop()
        send(self.desk, A, envelope={"hold_until": until})
        self.desk.queue.times["t1"] = (until, "smart-host", 0.0)
        self.desk.courier.start()
        pass_time(self.desk, 3 * DAY - MINUTE, 10 * MINUTE)
        self.assertEqual(self.relay.sent, [])
        pass_time(self.desk, 2 * DAY, 10 * MINUTE)
        self.assertEqual(self.reports(), [[("delayed", "4.3.2", A.to)]])
        pass_time(self.desk, 20 * MINUTE, 10 * MINUTE)
        self.assertEqual(self.reports()[1:], [[("failed", "4.3.2", A.to)]])

    def test_a_report_is_dated_by_its_own_run_and_answers_to_nobody(self):
        """Its date is when it became due, not when the message came; its envelope asks for no report about it."""
        self.go(smart_host=[BUSY, BUSY, NOBODY])
        send(self.desk, A)
        pass_time(self.desk, 5 * MINUTE)
        ((octets, envelope, _),) = self.desk.spool.reports.values()
        dated = message_from_bytes(octets, policy=policy.default)["Date"].datetime.timestamp()
        self.assertEqual(dated - NOW, 3 * MINUTE)
        self.assertEqual((envelope.sender, envelope.recipients), (
            "", (Recipient("chris@vm1.example.com", frozenset({"NEVER"})),)
        ))
