"""One run over one item: who goes together, what is written when, what a surprise does to the others."""

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.courier import memory
from tests.courier.fake_relay import BUSY, NOBODY, PEER, SITE, FakeRelay
from tests.courier.memory import a_desk, one_turn, pass_time, send
from tests.fakes import CHRIS, ROBIN, TERRY, FakeBook, HeldThreads
from unitymail.courier import recipients, reports
from unitymail.courier.courier import AT_ONCE, PARTING
from unitymail.interfaces.relay import Attempt
from unitymail.interfaces.spool import DONE, IManyStepsPerformer
from unitymail.mail.envelope import Recipient
from unitymail.routing.steps import Deliver, Fate, HandOver, LearnContact, RelayToSmartHost, Report

A = RelayToSmartHost("a@elsewhere.example")
OVER = HandOver(PEER.id, "dave@vm2.example.com")
DELIVERY = Deliver(ROBIN.id, ROBIN.address)


@implementer(IManyStepsPerformer)
class ByLocation:
    """Takes two of a location in one go, and answers as it is told."""

    performs = LearnContact
    together = 2

    def __init__(self, answer=DONE):
        self.asked = []
        self.answer = answer

    def group(self, step):
        return step.location[0]

    async def perform(self, item, state):
        return (await self.perform_many(item, [state]))[0]

    async def perform_many(self, item, states):
        self.asked.append([state.step.location for state in states])
        if isinstance(self.answer, Exception):
            raise self.answer
        return [self.answer] * len(states)


class RunTests(SynchronousTestCase):
    def go(self, performer=None, at_once=AT_ONCE, **script):
        book = FakeBook(ROBIN, CHRIS, TERRY, PEER, site=SITE)
        self.desk = a_desk(self.mktemp(), book=book, relay=FakeRelay(**script), at_once=at_once)
        if performer is not None:
            self.desk.performers.put(performer)
        self.desk.courier.start()
        return self.desk

    def test_a_performer_says_what_goes_together(self):
        """By its groups, so many in one go, in the order of the steps."""
        performer = ByLocation()
        self.go(performer)
        send(self.desk, *(LearnContact(name) for name in ("a1", "b1", "a2", "a3", "b2")))
        self.assertEqual(performer.asked, [["a1", "a2"], ["a3"], ["b1", "b2"]])
        self.assertEqual(self.desk.queue.items(), [])

    def test_mailboxes_come_first(self):
        """What is delivered here is there before anything is sent."""
        self.go()
        seen = []
        self.desk.relay.always["smart-host"] = lambda hop, out: seen.append(self.desk.store.mailbox(ROBIN.id)) or DONE
        send(self.desk, A, DELIVERY)
        self.assertEqual(len(seen[0]), 1)

    def test_a_message_with_one_way_is_written_once(self):
        """Nothing but its end: what is sent needs no other writing."""
        self.go()
        send(self.desk, A)
        self.assertEqual((self.desk.queue.records, self.desk.queue.items()), (0, []))

    def test_who_ends_meanwhile_is_written_together(self):
        """One writing at a time; outcomes that come in during one share the next."""
        self.go()
        gates = {"smart-host": Deferred(), "peer l-peer": Deferred()}
        for key, gate in gates.items():
            self.desk.relay.answers[key] = [gate]
        record, writings = self.desk.queue.record, []

        def slow(item):
            done = Deferred()
            writings.append((item, done))
            return done.addCallback(lambda _: record(item))

        self.desk.queue.record = slow
        send(self.desk, A, OVER, Deliver(CHRIS.id, CHRIS.address), LearnContact("l"))
        self.assertEqual(len(writings), 1)  # the lesson nobody gives, and the delivery
        gates["smart-host"].callback(DONE)
        gates["peer l-peer"].callback(BUSY)
        self.assertEqual(len(writings), 1)
        writings[0][1].callback(None)
        self.assertEqual(len(writings), 2)
        outcomes = [state.outcome and state.outcome.kind for state in writings[1][0].steps]
        self.assertEqual(outcomes[:3], ["done", None, "done"])
        writings[1][1].callback(None)
        self.assertEqual(len(self.desk.queue.items()), 1)

    def test_a_surprise_does_not_undo_what_others_did(self):
        """The item is put aside with what was done written in it."""
        self.go(ByLocation(ZeroDivisionError("how odd")))
        written = []
        record = self.desk.queue.record
        self.desk.queue.record = lambda item: (written.append(item), record(item))[1]
        send(self.desk, A, LearnContact("l1"))
        self.assertIn("how odd", self.desk.queue.shunted["t1"])
        self.assertEqual(written[-1].steps[0].outcome, DONE)
        self.assertEqual(self.desk.courier._runs, 0)

    def test_a_surprise_later_does_not_undo_what_was_done_before(self):
        """What is in mailboxes, and at the next hop, is written with the item that is put aside."""
        self.go(ByLocation(ZeroDivisionError("how odd")))
        written, record = [], self.desk.queue.record
        self.desk.queue.record = lambda item: written.append(item) or record(item)
        send(self.desk, DELIVERY, LearnContact("l1"))
        self.assertIn("how odd", self.desk.queue.shunted["t1"])
        self.assertEqual([state.outcome and state.outcome.kind for state in written[-1].steps], ["done", None])
        find, self.desk.book.find = self.desk.book.find, lambda address: 1 // 0
        send(self.desk, A, trace="t2", sender="gone@x.example", recipients=[Recipient(A.to, frozenset({"SUCCESS"}))])
        self.desk.book.find = find
        self.assertIn("ZeroDivisionError", self.desk.queue.shunted["t2"])
        self.assertEqual(written[-1].steps[0].outcome, DONE)
        self.assertEqual([told.args[0] for told in self.desk.journal.named("shunted")], ["t1", "t2"])

    def test_an_item_that_cannot_be_written_is_put_aside(self):
        """Whatever was odd about it: it is not forgotten in the hands of a courier that has none for it any more."""
        self.go(smart_host=[BUSY])
        self.desk.queue.record = lambda item: fail(ValueError("how odd"))
        send(self.desk, A)
        self.assertIn("how odd", self.desk.queue.shunted["t1"])
        self.assertEqual((self.desk.queue.items(), self.desk.courier._runs), ([], 0))

    def test_no_disk_for_putting_aside(self):
        """The item goes back to the queue, and is put aside later."""
        self.go(ByLocation(ZeroDivisionError("how odd")))
        shunt, self.desk.queue.shunt = self.desk.queue.shunt, lambda trace, why: fail(OSError(28, "No space left"))
        send(self.desk, LearnContact("l1"))
        self.assertEqual([told.args[0] for told in self.desk.journal.named("trouble")],
                         ["working on t1: shunted", "shunting t1"])
        self.assertEqual((len(self.desk.queue.items()), self.desk.journal.named("shunted")), (1, []))
        self.desk.queue.shunt = shunt
        pass_time(self.desk, 61, 1)
        self.assertIn("how odd", self.desk.queue.shunted["t1"])
        self.assertEqual([told.args[0] for told in self.desk.journal.named("shunted")], ["t1"])

    def test_a_surprise_is_told_in_one_line(self):
        """Which step of which message, however many the step is about; the traceback is beside the item."""
        fates = tuple(Fate(f"u{n}@x.example", "failed", "5.1.1", "No.") for n in range(500))
        self.go()
        self.desk.performers.of(Report(CHRIS.address, fates))._write = lambda *args: 1 // 0
        send(self.desk, Report(CHRIS.address, fates))
        ((what, error),) = [told.args for told in self.desk.journal.named("trouble")]
        self.assertEqual((what, str(error)), ("working on t1: shunted", f"performing report {CHRIS.address}"))
        self.assertIn("ZeroDivisionError", self.desk.queue.shunted["t1"])

    def test_a_disk_that_fails_is_no_fault_of_the_message(self):
        """A performer that cannot open or write a file is asked again later; nothing is put aside."""
        performer = ByLocation(OSError(28, "No space left on device"))
        self.go(performer)
        send(self.desk, LearnContact("l1"))
        self.assertEqual(self.desk.queue.shunted, {})
        (item,) = self.desk.queue.items()
        self.assertEqual((item.steps[0].attempts, item.steps[0].last.status), (1, "4.3.1"))
        self.assertEqual([told.args[0] for told in self.desk.journal.named("trouble")],
                         ["performing learn-contact of t1"])
        performer.answer = DONE
        pass_time(self.desk, 61, 1)
        self.assertEqual(self.desk.queue.items(), [])

    def test_a_message_whose_file_is_gone_is_put_aside(self):
        """It does not come back by waiting; nor does one that is not what it was."""
        performer = ByLocation(FileNotFoundError(2, "No such file or directory"))
        self.go(performer)
        send(self.desk, LearnContact("l1"))
        self.assertIn("FileNotFoundError", self.desk.queue.shunted["t1"])
        performer.answer = OSError("the message file has become shorter")
        send(self.desk, LearnContact("l1"), trace="t2")
        self.assertIn("has become shorter", self.desk.queue.shunted["t2"])

    def test_outcomes_that_do_not_fit(self):
        """A performer that says too little is a surprise, which waits for the others' outcomes, too."""
        gate = Deferred()
        self.go(smart_host=[gate])
        self.desk.performers.of(OVER).perform_many = lambda item, states: succeed([DONE])
        send(self.desk, A, OVER, HandOver(PEER.id, "erin@vm2.example.com"))
        self.assertEqual(self.desk.queue.shunted, {})
        gate.callback(DONE)
        self.assertIn("1 outcomes for 2 steps", self.desk.queue.shunted["t1"])
        self.assertIn("hand-over dave@vm2.example.com and 1 more", self.desk.queue.shunted["t1"])

    def test_one_message_of_every_kind(self):
        """A mailbox, two ways on and the report of who is unknown: each once, in order, and one report tells all."""
        seen = []
        self.go(smart_host=[lambda hop, out: seen.append((len(self.desk.store.mailbox(ROBIN.id)), 0)) or NOBODY])
        self.desk.relay.always["peer l-peer"] = lambda hop, out: seen.append((1, len(self.desk.spool.reports))) or DONE
        unknown = Fate("who@vm1.example.com", "failed", "5.1.1", "There is no such address.")
        send(self.desk, Report(CHRIS.address, (unknown,)), A, DELIVERY, OVER)
        self.assertEqual(seen, [(1, 0), (1, 0)])
        ((octets, _, _),) = self.desk.spool.reports.values()
        for address in (b"who@vm1.example.com", A.to.encode()):
            self.assertIn(b"Final-Recipient: rfc822; " + address, octets)
        self.assertNotIn(OVER.to.encode(), octets)
        self.assertEqual(self.desk.queue.items(), [])

    def test_what_its_sender_wants_back_by_now_has_failed(self):
        """RFC 2852: of a message with two ways both are given back, and nothing is sent."""
        self.go()
        by = {"deliver_by": self.desk.clock.seconds() - 1, "deliver_by_mode": "R"}
        send(self.desk, A, OVER, DELIVERY, envelope=by)
        self.assertEqual(self.desk.relay.sent, [])
        self.assertEqual([told.args[2] for told in self.desk.journal.named("failed")], ["5.4.7"] * 3)
        self.assertEqual((len(self.desk.spool.reports), self.desk.queue.items()), (1, []))

    def test_what_went_well_is_told_once(self):
        """The attempt says for whom it was taken; only who was not has an event of its own."""
        self.go(smart_host=[Attempt((DONE, NOBODY, BUSY))])
        send(self.desk, A, RelayToSmartHost("b@x.example"), RelayToSmartHost("c@x.example"))
        told = [one.event for one in self.desk.journal.events if one.event in ("attempted", "failed", "postponed")]
        self.assertEqual(told, ["attempted", "failed", "postponed"])

    def test_a_step_is_tried_once_in_a_run(self):
        """Whatever it says of when to try again."""
        self.go(smart_host=[BUSY] * 3)
        send(self.desk, A)
        self.assertEqual(len(self.desk.relay.sent), 1)
        pass_time(self.desk, 61, 1)
        self.assertEqual(len(self.desk.relay.sent), 2)

    def test_no_disk_for_the_note(self):
        """The item is let go and looked at again; nothing is put aside."""
        self.go(smart_host=[BUSY])
        record, full = self.desk.queue.record, [True]

        def no_room(item):
            if full:
                raise OSError(28, "No space left on device")
            return record(item)

        self.desk.queue.record = no_room
        send(self.desk, A)
        self.assertEqual(self.desk.queue.shunted, {})
        self.assertEqual(len(self.desk.journal.named("trouble")), 1)
        full.clear()
        pass_time(self.desk, 130, 1)
        self.assertEqual(self.desk.queue.items(), [])

    def test_no_disk_for_the_note_while_another_is_under_way(self):
        """Nobody begins the item anew before the slowest of its ways has ended: nothing is sent twice."""
        self.go()
        gate = Deferred()
        self.desk.relay.answers["peer l-peer"] = [gate]
        record = self.desk.queue.record
        self.desk.queue.record = lambda item: fail(OSError(28, "No space left on device"))
        send(self.desk, A, OVER)
        pass_time(self.desk, 300)
        self.assertEqual((self.desk.relay.traces(), self.desk.relay.traces("peer l-peer")), (["t1"], ["t1"]))
        self.desk.queue.record = record
        gate.callback(DONE)
        self.assertEqual(self.desk.queue.items(), [])
        self.assertEqual(len(self.desk.relay.sent), 2)

    def test_hands_that_are_free_again_take_the_next(self):
        """Also when an item is only put back, and when its run ends in a way that nobody expected."""
        gate = Deferred()
        self.go(at_once=1, smart_host=[gate])
        claim = self.desk.queue.claim
        self.desk.queue.claim = lambda trace: fail(ValueError("how odd")) if trace == "t2" else claim(trace)
        for trace in ("t1", "t2", "t3"):
            send(self.desk, A, trace=trace)
        gate.callback(BUSY)
        for _ in range(3):
            self.desk.clock.advance(0)
        self.assertEqual([outgoing.trace for _, outgoing in self.desk.relay.sent], ["t1", "t3"])
        ((what, error),) = [told.args for told in self.desk.journal.named("trouble")]
        self.assertEqual((what, str(error)), ("claiming t2", "how odd"))
        self.desk.queue.claim = claim
        pass_time(self.desk, 61, 1)
        self.assertEqual(self.desk.queue.items(), [])

    def test_an_item_that_cannot_be_read_for_now(self):
        """Nothing is wrong with it: it stays in the queue, and is not put aside."""
        self.go()
        self.desk.queue.claim = lambda trace: fail(OSError(23, "Too many open files in system"))
        send(self.desk, A)
        self.assertEqual([told.args[0] for told in self.desk.journal.named("trouble")], ["claiming t1"])
        self.assertEqual((len(self.desk.queue.items()), self.desk.queue.shunted), (1, {}))

    def test_a_report_is_made_once_while_others_wait(self):
        """That it was made is written with the item that is put back."""
        self.go(smart_host=[NOBODY])
        self.desk.relay.answers["peer l-peer"] = [BUSY]
        send(self.desk, A, OVER)
        (item,) = self.desk.queue.items()
        self.assertEqual([state.outcome and state.outcome.kind for state in item.steps], ["failed", None, "done"])
        pass_time(self.desk, 61, 1)
        self.assertEqual((self.desk.queue.items(), self.desk.spool.commits), ([], 1))

    def test_the_end_waits_for_all_that_is_in_hand(self):
        """A node that stops hears the outcome of the last one, too."""
        gates = [Deferred(), Deferred()]
        self.go(smart_host=list(gates))
        for trace in ("t1", "t2"):
            send(self.desk, A, trace=trace)
        stopped = self.desk.courier.stop()
        gates[0].callback(DONE)
        self.assertNoResult(stopped)
        gates[1].callback(DONE)
        self.successResultOf(stopped)
        self.assertEqual(self.desk.queue.items(), [])

    def test_thousands_of_recipients_take_no_long_turn(self):
        """What is due, whom it is for and who wants to hear of it is found in threads, the latter once for all."""
        threads, asked = HeldThreads(), []
        self.patch(memory, "InlineThreads", lambda: threads)
        self.patch(recipients, "wishes_of", lambda envelope: asked.append(envelope) or reports.wishes_of(envelope))
        self.go()
        self.desk.queue.look = lambda: 0
        threads.waiting.clear()
        send(self.desk, *(RelayToSmartHost(f"u{n}@x.example") for n in range(1_500)))
        steps = 0
        while threads.waiting:
            self.assertLessEqual(len(self.desk.relay.sent), max(steps - 2, 0))
            threads.step()
            self.desk.clock.advance(0)
            steps += 1
        self.assertEqual((len(self.desk.relay.sent), len(asked), self.desk.queue.items()), (15, 1, []))

    def test_what_is_remembered_of_one_message_is_not_taken_for_another(self):
        """Two to the same many recipients: each with its own sender's wishes."""
        self.go()
        steps = [RelayToSmartHost(f"u{n}@x.example") for n in range(150)]
        send(self.desk, *steps)
        never = frozenset({"NEVER"})
        send(self.desk, *steps, trace="t2", recipients=[Recipient(step.to, never) for step in steps])
        asked = [{recipient.notify for recipient in outgoing.recipients} for _, outgoing in self.desk.relay.sent]
        self.assertEqual(asked, [{None}, {None}, {never}, {never}])

    def test_what_many_groups_came_to_is_noted_group_by_group(self):
        """However many answers come at once, others have turns in between."""
        self.go(smart_host=[BUSY] * 15)
        advance, self.desk.clock.advance = self.desk.clock.advance, lambda seconds: None
        send(self.desk, *(RelayToSmartHost(f"u{n}@x.example") for n in range(1_500)))
        self.desk.clock.advance, told = advance, [0]
        for _ in range(15):
            one_turn(self.desk.clock)
            told.append(len(self.desk.journal.named("postponed")))
        self.assertEqual(told, list(range(0, 1_600, 100)))
        self.assertEqual([state.attempts for state in self.desk.queue.items()[0].steps], [1] * 1_500)

    def test_thousands_of_failures_are_told_a_hundred_a_turn(self):
        """The journal is for others, too."""
        self.go()
        gone = [Deliver(f"u-{n}", f"u{n}@x.example") for n in range(250)]
        advance, self.desk.clock.advance = self.desk.clock.advance, lambda seconds: None
        send(self.desk, *gone)
        self.desk.clock.advance, told = advance, []
        for _ in range(3):
            one_turn(self.desk.clock)
            told.append(len(self.desk.journal.named("failed")))
        self.assertEqual(told, [100, 200, 250])
        self.assertEqual((self.desk.queue.items(), len(self.desk.spool.reports)), ([], 1))

    def test_a_disk_that_takes_nothing_down_stops_the_flow(self):
        """So many messages may have left without that being written; a crash has no more of them sent again."""
        self.go()
        writings = []
        self.desk.queue.finish = lambda item: writings.append(Deferred()) or writings[-1]
        for number in range(2 * PARTING):
            send(self.desk, A, trace=f"t{number}")
        pass_time(self.desk, 5, 1)
        self.assertEqual(len(self.desk.relay.sent), PARTING)
        for writing in writings[:]:
            writing.callback(None)
        for _ in range(PARTING):
            self.desk.clock.advance(0)
        self.assertEqual(len(self.desk.relay.sent), 2 * PARTING)
