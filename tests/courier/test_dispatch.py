"""Sending to next hops: turns, back-off with one probe, poison, fairness, all told in the journal."""

from dataclasses import replace
from itertools import pairwise

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.courier.fake_relay import BUSY, NO_ANSWER, NOBODY, PEER, SITE, FakeRelay
from tests.courier.memory import NOW, a_desk, crash, one_turn, pass_time, send
from tests.fakes import CHRIS, ROBIN, FakeBook
from unitymail.courier.courier import A_LOOK_S, AT_ONCE, IN_A_TURN
from unitymail.courier.destinations import A_HOP, IN_HAND
from unitymail.courier.dispatch import NO_ROOM
from unitymail.courier.forwarding import outgoing
from unitymail.interfaces.relay import Attempt
from unitymail.interfaces.spool import DONE, Outcome, StepState
from unitymail.routing.steps import HandOver, RelayToSmartHost, RelayToUser
from unitymail.ways_out import look_again

A, B, C = (RelayToSmartHost(f"{name}@elsewhere.example") for name in "abc")
OVER = HandOver(PEER.id, "dave@vm2.example.com")
HOUR = 3_600
BOOK = FakeBook(ROBIN, CHRIS, PEER, site=SITE)
DROPPED = Attempt((Outcome("try-again", "4.4.2", "The connection broke off in the middle of the message."),))


class DispatchTests(SynchronousTestCase):
    def go(self, *, book=BOOK, **script):
        self.desk = a_desk(self.mktemp(), book=book, relay=FakeRelay(**script))
        self.relay = self.desk.relay
        self.desk.courier.start()
        return self.desk

    def named(self, event):
        return [found.args for found in self.desk.journal.named(event)]

    def test_one_transaction_for_one_hop(self):
        """Recipients at the smart host share a transaction, a user's relay address among them."""
        self.go()
        send(self.desk, A, B, RelayToUser(ROBIN.id, "robin@home.example", ROBIN.address))
        ((hop, outgoing),) = self.relay.sent
        self.assertEqual(hop, "smart-host")
        self.assertEqual([r.address for r in outgoing.recipients], [A.to, B.to, "robin@home.example"])
        self.assertEqual(outgoing.head, b"Received: from a by b;\r\n\tnow\r\n")
        self.assertEqual(self.desk.queue.items(), [])
        ((_, name, attempt, recipients),) = self.named("attempted")
        self.assertEqual((name, len(attempt.outcomes)), ("the smart host out.example", 3))
        self.assertEqual(recipients, (A.to, B.to, "robin@home.example"))

    def test_a_hundred_recipients_in_a_transaction(self):
        """What every server must take; each transaction has its own outcome."""
        self.go()
        send(self.desk, *(RelayToSmartHost(f"u{n}@x.example") for n in range(250)))
        self.assertEqual([len(outgoing.recipients) for _, outgoing in self.relay.sent], [100, 100, 50])
        self.assertEqual(self.desk.queue.items(), [])

    def test_peers_are_told_what_others_are_not(self):
        """The XID is the same at every attempt; the smart host hears nothing of it."""
        self.go()
        self.relay.answers = {"peer l-peer": [BUSY]}
        send(self.desk, OVER, A)
        pass_time(self.desk, 120)
        told = [outgoing.told for hop, outgoing in self.relay.sent if hop == "peer l-peer"]
        self.assertEqual([one.xid for one in told], ["n1.t1", "n1.t1"])
        self.assertEqual([outgoing.told for hop, outgoing in self.relay.sent if hop == "smart-host"], [None])

    def test_a_peer_that_does_not_answer_holds_up_nobody(self):
        """The message is at the smart host, and known to be there, while the peer is still being asked."""
        silence = Deferred()
        self.go()
        self.relay.answers["peer l-peer"] = [silence]
        send(self.desk, OVER, A)
        self.assertEqual(self.relay.traces(), ["t1"])
        (item,) = self.desk.queue.items()
        self.assertEqual([state.outcome and state.outcome.kind for state in item.steps], [None, "done"])
        silence.callback(NO_ANSWER)
        (item,) = self.desk.queue.items()
        self.assertEqual(item.steps[0].attempts, 1)
        self.assertEqual(self.relay.traces(), ["t1"])

    def test_only_so_many_at_once(self):
        """No more messages are under way to a hop than its connections take; the others have their turn after."""
        gates = [Deferred() for _ in range(30)]
        self.go(smart_host=list(gates))
        for number in range(30):
            send(self.desk, A, trace=f"t{number:02}")
        self.assertEqual(self.relay.peak["smart-host"], 8)
        for gate in gates:
            gate.callback(DONE)
            self.desk.clock.advance(0)
        self.assertEqual(self.relay.traces(), [f"t{n:02}" for n in range(30)])
        self.assertEqual(self.relay.peak["smart-host"], 8)
        self.assertEqual(self.desk.queue.items(), [])

    def test_a_slow_hop_never_delays_another(self):
        """Thousands of items for a hop that takes for ever; one for a peer goes through at once."""
        self.go()
        self.relay.always["smart-host"] = lambda hop, outgoing: Deferred()
        for number in range(2_000):
            send(self.desk, A, trace=f"t{number}")
        self.assertLess(len(self.desk.queue.held), 30)
        send(self.desk, OVER, trace="quick")
        self.assertEqual(self.relay.traces("peer l-peer"), ["quick"])
        self.assertNotIn("quick", self.desk.queue.written)
        self.assertLess(max(self.desk.queue.claims.values()), 3)

    def test_what_is_over_here_holds_no_place_while_it_lasts_there(self):
        """Messages for both a fast hop and one that takes for ever do not fill the fast one."""
        self.go()
        self.relay.always["peer l-peer"] = lambda hop, outgoing: Deferred()
        for number in range(60):
            send(self.desk, A, OVER, trace=f"t{number}")
        pass_time(self.desk, 5, 1)
        self.assertEqual(len(self.relay.traces()), 60)
        send(self.desk, A, trace="alone")
        self.assertNotIn("alone", self.desk.queue.written)

    def test_items_whose_hop_is_not_known_yet_are_put_back_once(self):
        """After a restart nobody knows where they go: each is looked at once, then left alone until there is room."""
        self.go()
        self.relay.always["smart-host"] = lambda hop, outgoing: Deferred()
        self.desk.courier.stop()
        for number in range(200):
            send(self.desk, A, trace=f"t{number}")
            self.desk.queue.times[f"t{number}"] = (0.0, "", 0.0)
        self.desk.courier.start()
        pass_time(self.desk, 600)
        self.assertEqual(max(self.desk.queue.claims.values()), 1)
        self.assertEqual(len(self.desk.queue.claims), 200)

    def test_a_turn_of_the_reactor_begins_few(self):
        """A queue that is full at the start leaves others their turns."""
        self.go()
        self.desk.courier.stop()
        for number in range(40):
            send(self.desk, A, trace=f"t{number}")
        self.relay.most_at_once = 100
        self.desk.courier.start()
        begun = []
        for _ in range(3):
            one_turn(self.desk.clock)
            begun.append(len(self.relay.sent))
        self.assertEqual(begun, [IN_A_TURN, 2 * IN_A_TURN, 40])

    def test_a_look_that_takes_long_goes_on_in_the_next_turn(self):
        """Items that are much work to begin do not hold up the others' turn."""
        self.go()
        self.desk.courier.stop()
        for number in range(6):
            send(self.desk, A, trace=f"t{number}")

        def slowly(hop, outgoing):
            self.desk.clock.rightNow += A_LOOK_S * 0.6
            return DONE

        self.relay.always["smart-host"] = slowly
        self.desk.courier.start()
        one_turn(self.desk.clock)
        self.assertEqual(len(self.relay.sent), 2)
        pass_time(self.desk, 1, 1)
        self.assertEqual(len(self.relay.sent), 6)

    def test_a_look_goes_on_though_nothing_ends(self):
        """A full queue is taken up turn after turn, while none of it is answered yet."""
        self.go()
        self.desk.courier.stop()
        self.relay.always["smart-host"] = lambda hop, outgoing: Deferred()
        self.relay.most_at_once = 100
        for number in range(40):
            send(self.desk, A, trace=f"t{number}")
            self.desk.queue.times[f"t{number}"] = (0.0, "", 0.0)
        self.desk.courier.start()
        for _ in range(3):
            one_turn(self.desk.clock)
        self.assertEqual(len(self.relay.sent), 40)

    def test_what_falls_due_is_begun_then(self):
        """Not with the next look through the queue's folder."""
        self.go()
        now = self.desk.clock.seconds()
        send(self.desk, A, steps=(StepState(A, 1, now + 0.3, last=BUSY),), fresh=False)
        self.desk.clock.advance(0.2)
        self.assertEqual(self.relay.sent, [])
        self.desk.clock.advance(0.11)
        self.desk.clock.advance(0)
        self.assertEqual(len(self.relay.sent), 1)

    def test_a_probe_goes_when_its_time_comes(self):
        """Though nothing else is to be done then; and what falls due before that does not wait for it."""
        self.go(smart_host=[NO_ANSWER])
        self.desk.clock.advance(0.5)
        send(self.desk, A)
        send(self.desk, OVER, steps=(StepState(OVER, 1, self.desk.clock.seconds() + 30.2, last=BUSY),), trace="t2")
        for seconds, sent in ((30.1, 1), (0.15, 2), (29.7, 2), (0.1, 3)):
            self.desk.clock.advance(seconds)
            self.desk.clock.advance(0)
            self.assertEqual(len(self.relay.sent), sent)

    def test_looks_go_on_after_trouble(self):
        """A folder that cannot be read for a while is told of, and what comes later is found."""
        self.go()
        look, looked = self.desk.queue.look, []

        def failing():
            looked.append(self.desk.clock.seconds())
            raise OSError(5, "Input/output error")

        self.desk.queue.look = failing
        pass_time(self.desk, 2.5, 0.5)
        self.desk.queue.look = lambda: looked.append(0.0) or look()
        pass_time(self.desk, 1, 0.5)
        self.assertEqual(([moment > 0 for moment in looked]), [True, True, False])
        self.assertEqual([args[0] for args in self.named("trouble")], ["looking through the queue"] * 2)

    def test_many_ends_are_one_look(self):
        """However many items come or end in a turn, the queue is asked in the next turn, once."""
        gates = [Deferred() for _ in range(8)]
        self.go(smart_host=list(gates))
        for number in range(8):
            send(self.desk, A, trace=f"t{number}")
        asked, due = [], self.desk.queue.due
        self.desk.queue.due = lambda *args: asked.append(args) or due(*args)
        for gate in gates:
            gate.callback(DONE)
        self.assertEqual(asked, [])
        one_turn(self.desk.clock)
        self.assertEqual(len(asked), 1)

    def test_a_hop_that_is_down_is_probed_by_one(self):
        """50 wait; each time one tries, 1, 2, 5 and 10 minutes apart; once that is taken all go at once."""
        self.go(smart_host=[NO_ANSWER] * 4)
        began = self.desk.clock.seconds()
        moments = []
        for number in range(50):
            send(self.desk, A, trace=f"t{number}")
        while len(self.desk.queue.written) == 50:
            before = len(self.relay.sent)
            self.desk.clock.advance(5)
            if len(self.relay.sent) > before:
                moments.append((self.desk.clock.seconds() - began, len(self.relay.sent) - before))
        self.assertEqual(moments[:3], [(60, 1), (180, 1), (480, 1)])
        self.assertEqual(moments[3], (1_080, 50))
        self.assertEqual(self.desk.queue.items(), [])
        self.assertEqual([args[2] - began for args in self.named("hop_down")], [60, 180, 480, 1_080])
        self.assertEqual(self.named("hop_up"), [("the smart host out.example",)])
        attempts = sum(len(args[3]) for args in self.named("attempted"))
        self.assertEqual(attempts, 54)

    def test_waiting_for_a_hop_is_no_attempt(self):
        """Only those that tried have tried; the others cost nothing but their place in the queue."""
        self.go(smart_host=[NO_ANSWER] * 3)
        for number in range(20):
            send(self.desk, A, trace=f"t{number}")
        pass_time(self.desk, 300)
        tried = [state.attempts for item in self.desk.queue.items() for state in item.steps]
        self.assertEqual(sum(tried), 3)
        self.assertLessEqual(max(self.desk.queue.claims.values()), 4)
        self.assertLessEqual(self.desk.queue.records, 3)

    def test_what_is_asked_for_is_really_tried(self):
        """An administrator who mended the next hop need not wait for the probe: all go with the one that was named."""
        self.go(smart_host=[NO_ANSWER] * 4)
        for number in range(20):
            send(self.desk, A, trace=f"t{number}")
        pass_time(self.desk, 9 * 60)
        self.assertEqual(len(self.relay.sent), 4)
        self.desk.queue.retry("t7")
        self.assertEqual(self.relay.traces()[4], "t7")
        pass_time(self.desk, 1, 1)
        self.assertEqual(self.desk.queue.items(), [])

    def test_asking_for_all_of_them_is_one_try(self):
        """A hop that is still down hears of one only, and the others wait for the next probe as before."""
        self.go(smart_host=[NO_ANSWER] * 5)
        for number in range(20):
            send(self.desk, A, trace=f"t{number}")
        pass_time(self.desk, 9 * 60)
        self.desk.queue.retry(*self.desk.queue.written)
        pass_time(self.desk, 50, 1)
        self.assertEqual(len(self.relay.sent), 5)
        pass_time(self.desk, 20, 1)
        self.assertEqual(self.desk.queue.items(), [])

    def test_a_new_smart_host_is_tried_at_once(self):
        """Nobody waits for the back-off of the old one; a change of something else changes nothing."""
        self.go(smart_host=[NO_ANSWER] * 3)
        for number in range(5):
            send(self.desk, A, trace=f"t{number}")
        pass_time(self.desk, 200)
        self.assertEqual(len(self.relay.sent), 3)
        self.addCleanup(setattr, self.desk.book, "site", SITE)
        self.desk.book.site = replace(SITE, undelete_days=3)
        look_again(self.desk.courier, self.desk.dispatch, 7)
        self.assertEqual(len(self.relay.sent), 3)
        self.desk.book.site, self.desk.book.usn = replace(SITE, smart_host_host="new.example"), 8
        look_again(self.desk.courier, self.desk.dispatch, 8)
        pass_time(self.desk, 1, 1)
        self.assertEqual(self.desk.queue.items(), [])
        self.assertFalse(self.desk.dispatch._down)

    def test_a_poison_message_closes_no_hop(self):
        """One that breaks the connection each time waits by its own schedule; the others go through meanwhile."""
        self.go()
        self.relay.always["smart-host"] = lambda hop, outgoing: DROPPED if outgoing.trace == "poison" else DONE
        send(self.desk, A, trace="poison")
        for number in range(5):
            send(self.desk, A, trace=f"t{number}")
        self.assertEqual([item.trace for item in self.desk.queue.items()], ["poison"])
        pass_time(self.desk, 20 * 60)
        self.assertEqual(self.relay.traces().count("poison"), 5)
        self.assertEqual(self.named("hop_down"), [])

    def test_a_refusal_shows_that_the_hop_is_up(self):
        """A probe that is refused for itself opens the hop."""
        self.go(smart_host=[NO_ANSWER, NOBODY])
        send(self.desk, A, trace="t1")
        send(self.desk, B, trace="t2")
        pass_time(self.desk, 90)
        self.assertEqual(self.desk.queue.items(), [])
        self.assertEqual(len(self.named("hop_up")), 1)

    def test_required_tls_that_fails_is_no_news_for_others(self):
        """A certificate that is not good enough for one sender (RFC 8689) keeps nobody else from the smart host."""
        self.go()
        self.relay.always["smart-host with TLS"] = NO_ANSWER
        send(self.desk, A, trace="tls", envelope={"require_tls": True})
        send(self.desk, A, trace="plain")
        self.assertEqual([item.trace for item in self.desk.queue.items()], ["tls"])
        pass_time(self.desk, 30 * 60)
        self.assertEqual(len(self.relay.traces("smart-host with TLS")), 5)
        self.assertLess(self.desk.queue.claims["tls"], 8)

    def test_what_is_written_when_a_hop_is_down(self):
        """The item that found out is tried again when the hop is, and remembers why it failed."""
        self.go(smart_host=[NO_ANSWER])
        send(self.desk, A)
        (item,) = self.desk.queue.items()
        (state,) = item.steps
        self.assertEqual((state.attempts, state.next_at), (1, self.desk.clock.seconds() + 60))
        self.assertEqual(state.last.status, "4.4.1")

    def test_no_smart_host_is_told_at_once(self):
        """Where the way is not set up there is nothing to wait for."""
        self.go(book=FakeBook(ROBIN, CHRIS))
        send(self.desk, A)
        self.assertEqual(self.relay.sent, [])
        ((octets, _, _),) = self.desk.spool.reports.values()
        self.assertIn(b"Status: 5.3.5", octets)

    def test_settings_that_change_are_followed(self):
        """The hop is asked at each attempt: a smart host that is set later takes what waits."""
        self.go(smart_host=[BUSY])
        send(self.desk, A)
        self.desk.book.site, self.desk.book.usn = replace(SITE, smart_host_host="new.example"), 2
        self.addCleanup(setattr, self.desk.book, "site", SITE)
        pass_time(self.desk, 70)
        self.assertEqual(self.desk.queue.items(), [])
        self.assertEqual([args[1] for args in self.named("attempted")],
                         ["the smart host out.example", "the smart host new.example"])

    def test_a_relay_that_raises_is_a_surprise(self):
        """The item is put aside, its place at the hop is free again, the others go on."""
        self.go(smart_host=[ZeroDivisionError("how odd")])
        send(self.desk, A, OVER, trace="t1")
        send(self.desk, A, trace="t2")
        self.assertIn("ZeroDivisionError", self.desk.queue.shunted["t1"])
        self.assertEqual(self.desk.queue.items(), [])
        self.desk.clock.advance(0)
        self.assertFalse(self.desk.destinations._known)

    def test_closing_sends_nothing_more(self):
        """What is under way has its outcome; who was in line, and who comes now, is left for the next start."""
        gates = [Deferred() for _ in range(8)]
        self.go(smart_host=list(gates))
        for number in range(12):
            send(self.desk, A, trace=f"t{number:02}")
        stopped = self.desk.courier.stop()
        self.successResultOf(Deferred.fromCoroutine(self.desk.dispatch.close()))
        send(self.desk, OVER, trace="late")
        for gate in gates:
            gate.callback(DONE)
        self.successResultOf(stopped)
        self.assertEqual(len(self.relay.sent), 8)
        self.assertEqual(len(self.desk.queue.written), 5)
        self.assertTrue(all(state.attempts == 0 for item in self.desk.queue.items() for state in item.steps))

    def test_a_message_that_waited_brings_news(self):
        """It was handed over before others had an answer, but its turn came after: a hop that is gone then is down."""
        late, gates = Deferred(), [Deferred() for _ in range(8)]
        self.go(smart_host=[*gates, late])
        for number in range(9):
            send(self.desk, A, trace=f"t{number}")
        self.desk.clock.advance(5)
        for gate in gates:
            gate.callback(DONE)
        self.desk.clock.advance(30)
        late.callback(replace(NO_ANSWER, began=self.desk.clock.seconds() - 30))
        self.assertEqual(len(self.named("hop_down")), 1)

    def one_hangs_while_another_goes(self):
        """The attempt that hangs, 10 s old; the other was answered 5 s ago."""
        slow = Deferred()
        self.go(smart_host=[slow])
        send(self.desk, A, trace="slow")
        self.desk.clock.advance(5)
        send(self.desk, A, trace="quick")
        self.desk.clock.advance(5)
        return slow

    def test_an_attempt_that_began_before_others_were_answered_brings_none(self):
        """It hung while the hop took mail from others: that says nothing of the hop."""
        slow = self.one_hangs_while_another_goes()
        slow.callback(replace(NO_ANSWER, began=self.desk.clock.seconds() - 10))
        self.assertEqual(self.named("hop_down"), [])
        self.assertEqual([item.trace for item in self.desk.queue.items()], ["slow"])

    def test_an_attempt_that_cannot_tell_when_it_began(self):
        """It counts from when it was handed over: after the others' answers, it brings news."""
        slow = self.one_hangs_while_another_goes()
        self.relay.always["smart-host"] = NO_ANSWER
        send(self.desk, A, trace="late")
        self.assertEqual(len(self.named("hop_down")), 1)
        slow.callback(DONE)
        self.assertEqual(len(self.named("hop_up")), 1)

    def test_nothing_is_prepared_once_all_is_closed(self):
        """A node that stops does not convert what it will not send."""
        self.go()
        self.desk.courier.stop()
        send(self.desk, A)
        self.successResultOf(Deferred.fromCoroutine(self.desk.dispatch.close()))
        self.assertEqual(self.desk.dispatch.way(self.desk.queue.written["t1"], A), NO_ROOM)

    def test_groups_of_one_message_wait_for_their_turns(self):
        """250 recipients on one connection: the first hundred fail with the hop, the others were never tried."""
        self.go(smart_host=[NO_ANSWER])
        self.relay.most_at_once = 1
        steps = [RelayToSmartHost(f"u{n}@x.example") for n in range(250)]
        gate = self.relay.answers["smart-host"][0] = Deferred()
        send(self.desk, *steps)
        gate.callback(NO_ANSWER)
        self.desk.clock.advance(0)
        (item,) = self.desk.queue.items()
        self.assertEqual([state.attempts for state in item.steps], [1] * 100 + [0] * 150)
        self.assertEqual((len(self.named("attempted")), len(self.named("postponed"))), (1, 100))
        pass_time(self.desk, 61, 1)
        self.assertEqual([len(outgoing.recipients) for _, outgoing in self.relay.sent], [100, 100, 100, 50])
        self.assertEqual(self.desk.queue.items(), [])

    def test_a_crash_while_they_wait(self):
        """Who was under way is sent again, who only waited is sent, nobody is lost."""
        gates = [Deferred() for _ in range(8)]  # kept: what is never answered must not be collected
        self.go(smart_host=list(gates))
        for number in range(12):
            send(self.desk, A, trace=f"t{number:02}")
        before, self.desk.relay = self.relay, FakeRelay()
        crash(self.desk)
        self.relay = self.desk.relay
        self.assertEqual(sorted(self.relay.traces()), [f"t{number:02}" for number in range(12)])
        self.assertEqual((len(before.sent), self.desk.queue.items()), (len(gates), []))

    def test_who_came_back_untried_and_lasts_elsewhere_holds_up_no_probe(self):
        """A message for a hop that went down before its turn and for another that takes for ever has left the first."""
        gate, silence = Deferred(), Deferred()
        self.go(smart_host=[gate])
        self.relay.most_at_once = 1
        self.relay.answers["peer l-peer"] = [silence]
        send(self.desk, A, trace="t1")
        send(self.desk, A, OVER, trace="both")
        gate.callback(NO_ANSWER)
        self.assertEqual(self.relay.given_back, ["both"])
        pass_time(self.desk, 70, 1)
        self.assertEqual(self.relay.traces(), ["t1", "t1"])
        silence.callback(DONE)
        pass_time(self.desk, 10, 1)
        self.assertEqual(self.desk.queue.items(), [])

    def test_who_is_thought_to_wait_for_a_hop_and_goes_elsewhere_holds_up_no_probe(self):
        """A message that requires TLS is a likely probe for the smart host; its own hop is another one, and slow."""
        silence = Deferred()
        self.go(smart_host=[NO_ANSWER])
        self.relay.answers["smart-host with TLS"] = [silence]
        send(self.desk, A, trace="t1")
        self.desk.queue.held.add("t1")
        send(self.desk, A, trace="tls", envelope={"require_tls": True})
        pass_time(self.desk, 61, 1)
        self.assertEqual(self.relay.traces("smart-host with TLS"), ["tls"])
        self.desk.queue.held.discard("t1")
        pass_time(self.desk, 2, 1)
        self.assertEqual(self.relay.traces(), ["t1", "t1"])
        silence.callback(DONE)

    def test_a_failure_of_the_old_smart_host_says_nothing_of_the_new(self):
        """It was under way when the settings changed: what waits goes to the new one at once."""
        gate, silence = Deferred(), Deferred()
        self.go(smart_host=[gate])
        self.relay.most_at_once = 1
        self.relay.answers["peer l-peer"] = [silence]
        send(self.desk, A, OVER, trace="t1")
        self.addCleanup(setattr, self.desk.book, "site", SITE)
        self.desk.book.site, self.desk.book.usn = replace(SITE, smart_host_host="new.example"), 9
        look_again(self.desk.courier, self.desk.dispatch, 9)
        gate.callback(NO_ANSWER)
        self.assertEqual(self.named("hop_down"), [])
        self.assertEqual(set(self.desk.destinations._known), {"peer l-peer"})
        send(self.desk, B, trace="t2")
        self.assertEqual([item.trace for item in self.desk.queue.items()], ["t1"])
        silence.callback(DONE)
        pass_time(self.desk, 61, 1)
        self.assertEqual(self.desk.queue.items(), [])

    def test_an_answer_of_the_old_smart_host_says_nothing_of_the_new(self):
        """The new one is down: it is not taken for one that is up since the other took a message at last."""
        gate = Deferred()
        self.go(smart_host=[gate])
        self.relay.always["smart-host"] = NO_ANSWER
        send(self.desk, A, trace="t1")
        self.addCleanup(setattr, self.desk.book, "site", SITE)
        self.desk.book.site, self.desk.book.usn = replace(SITE, smart_host_host="new.example"), 9
        look_again(self.desk.courier, self.desk.dispatch, 9)
        send(self.desk, B, trace="t2")
        self.assertEqual(len(self.named("hop_down")), 1)
        gate.callback(DONE)
        self.desk.clock.advance(0)
        self.assertEqual([item.trace for item in self.desk.queue.items()], ["t2"])
        self.assertEqual(self.named("hop_up"), [])
        self.assertIn("smart-host", self.desk.destinations.closed(self.desk.clock.seconds()))

    def test_who_cannot_go_there_at_all_says_nothing_of_the_hop(self):
        """A message that requires TLS, where MX records are asked, fails at once: the hop is not up for that."""
        site = replace(SITE, smart_host_host="mx:example.org", smart_host_tls="required")
        self.go(book=FakeBook(ROBIN, CHRIS, PEER, site=site))
        self.relay.always["smart-host"] = NO_ANSWER
        send(self.desk, A, trace="t1")
        self.desk.queue.held.add("t1")
        self.desk.clock.advance(61)
        send(self.desk, A, trace="tls", envelope={"require_tls": True})
        ((trace, _, status, _),) = self.named("failed")
        self.assertEqual((trace, status), ("tls", "5.7.30"))
        self.assertEqual((self.relay.traces(), self.named("hop_up")), (["t1"], []))

    def test_no_back_off_is_longer_than_the_patience_of_the_site(self):
        """Whoever waits for a hop that is down sees at least one try of it before he is given up."""
        self.go(book=FakeBook(ROBIN, CHRIS, PEER, site=replace(SITE, relay_retry_for=600)))
        self.relay.always["smart-host"] = NO_ANSWER
        began, moments = self.desk.clock.seconds(), []
        for number in range(60):
            send(self.desk, A, trace=f"t{number}")
            before = len(self.relay.sent)
            self.desk.clock.advance(60)
            if len(self.relay.sent) > before:
                moments.append(self.desk.clock.seconds() - began)
        self.assertEqual([round(b - a) for a, b in pairwise(moments)], [120, 300] + [600] * 5)

    def test_without_patience_a_hop_is_tried_every_minute(self):
        """Nobody waits for it, so that none must be refused for an hour after it came back."""
        self.go(book=FakeBook(ROBIN, CHRIS, PEER, site=replace(SITE, relay_retry_for=0)))
        self.relay.always["smart-host"] = NO_ANSWER
        for number in range(30):
            send(self.desk, A, trace=f"t{number}")
            self.desk.clock.advance(60)
        self.relay.always["smart-host"] = DONE
        send(self.desk, A, trace="back")
        self.assertEqual(len(self.desk.spool.reports), 30)
        self.assertEqual(self.relay.traces()[-1], "back")
        self.assertEqual(self.desk.queue.items(), [])

    def test_hands_stay_free_for_other_hops(self):
        """One hop that takes for ever has a part of the courier's hands only, however many wait for it."""
        self.go()
        self.relay.most_at_once = 16
        self.relay.always["smart-host"] = lambda hop, outgoing: Deferred()
        for number in range(150):
            send(self.desk, A, trace=f"t{number}")
        self.assertEqual(len(self.desk.queue.held), 16 * IN_HAND)
        self.assertLess(16 * IN_HAND, AT_ONCE / 10)

    def test_several_slow_hops_leave_hands_for_the_others(self):
        """Three that take for ever, with the most connections that a site may have: a fourth goes through at once."""
        peers = [replace(PEER, id=f"l-{n}", name=f"p{n}", domain=f"p{n}.example") for n in range(4)]
        self.go(book=FakeBook(ROBIN, CHRIS, *peers, site=SITE))
        self.relay.most_at_once = 200
        silence = []
        for peer in peers[:3]:
            self.relay.always[f"peer {peer.id}"] = lambda hop, outgoing: silence.append(Deferred()) or silence[-1]
            for number in range(150):
                send(self.desk, HandOver(peer.id, "x@p.example"), trace=f"{peer.id}-{number}")
        pass_time(self.desk, 1, 0.1)
        self.assertEqual(len(self.desk.queue.held), 3 * A_HOP)
        send(self.desk, HandOver("l-3", "x@p.example"), trace="quick")
        self.assertNotIn("quick", self.desk.queue.written)

    def test_a_hop_that_goes_down_meanwhile(self):
        """While a message was read or converted another one found its hop down: then it is not tried."""
        gate = Deferred()
        self.go(smart_host=[gate])
        send(self.desk, A, trace="t1")
        item = replace(self.desk.queue.written["t1"], trace="t2")
        hop = self.desk.dispatch.way(item, A)
        self.desk.destinations.unreachable(hop.key, "t1", NO_ANSWER.outcomes[0], NOW, NOW)
        sending = Deferred.fromCoroutine(
            self.desk.dispatch.send(hop, item, A, outgoing(item, item.envelope.recipients, b""))
        )
        self.assertEqual(self.successResultOf(sending), [replace(NO_ANSWER.outcomes[0], kind="later")])
        self.assertEqual(self.relay.traces(), ["t1"])
        gate.callback(DONE)

    def test_who_is_being_claimed_has_a_place(self):
        """While a busy disk is asked for items, no more are asked for than their hop has room for."""
        self.go()
        asked, claim = [], self.desk.queue.claim
        self.desk.queue.claim = lambda trace: asked.append((trace, Deferred())) or asked[-1][1]
        for number in range(150):
            send(self.desk, A, trace=f"t{number}")
        pass_time(self.desk, 3, 0.5)
        self.assertEqual(len(asked), 8 * IN_HAND)
        for trace, answer in asked:
            claim(trace).chainDeferred(answer)
        self.assertEqual(len(self.relay.sent), 8 * IN_HAND)

    def test_who_ends_without_having_gone_there_gives_its_place_back(self):
        """Messages for a peer that is not known any more fail; when it is known again its next one goes."""
        self.go(book=FakeBook(ROBIN, CHRIS, site=SITE))
        for number in range(40):
            send(self.desk, OVER, trace=f"t{number}")
        self.assertEqual((self.desk.queue.items(), len(self.desk.spool.reports)), ([], 40))
        self.assertEqual((self.desk.destinations._known, self.desk.destinations._keys_of), ({}, {}))

    def test_who_waits_in_line_when_the_hop_goes_down(self):
        """Those behind do not knock at the closed door one after the other."""
        gates = [Deferred() for _ in range(8)]
        self.go(smart_host=list(gates))
        for number in range(20):
            send(self.desk, A, trace=f"t{number:02}")
        self.assertEqual(len(self.relay.sent), 8)
        for gate in gates:
            gate.callback(NO_ANSWER)
        self.assertEqual(len(self.relay.sent), 8)
        self.assertEqual(len(self.named("hop_down")), 1)
        self.assertEqual(len(self.desk.queue.written), 20)
        self.assertEqual(len(self.named("attempted")), 8)
        self.assertEqual(sum(state.attempts for item in self.desk.queue.items() for state in item.steps), 8)
        self.assertEqual(self.relay.given_back, [f"t{n:02}" for n in range(8, 16)])
        pass_time(self.desk, 61, 1)
        self.assertEqual(self.desk.queue.items(), [])
