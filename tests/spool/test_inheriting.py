"""What a process of the node left is taken over by one that lives on, in the middle of its work."""

import os
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.spool.room import NOW, a_spool, files_under, receive
from unitymail.disk import Disk
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.spool import DONE
from unitymail.routing.steps import Deliver, RelayToSmartHost
from unitymail.spool.claim import try_lock, unlock

DELIVER = Deliver("u-robin", "robin@vm1.example.com")
RELAY = RelayToSmartHost("pat@elsewhere.example")
PID = os.getpid()


def halts(room):
    """It does nothing any more."""
    room.spool._stopping = True
    if room.spool._retire_call is not None:
        room.spool._retire_call.cancel()


def dies(room):
    """Its descriptors close, and that is all."""
    halts(room)
    os.close(room.spool._commits._life)


class TogetherTests(SynchronousTestCase):
    """`self.courier` has the courier, `self.other` only receives; both are this process, on one clock."""

    def setUp(self):
        self.root = self.mktemp()
        os.makedirs(self.root)
        self.courier = a_spool(self.root, shared=True)
        self.queue, self.clock = self.courier.spool.queue, self.courier.clock
        self.courier.spool.recover()
        self.woken = 0
        self.queue.listen(self.wake)
        self.handed = []
        self.other = self.another()

    def wake(self):
        self.woken += 1

    def another(self, **facts):
        return a_spool(self.root, clock=self.clock, store=self.courier.store, hand_over=self.handed.extend, **facts)

    def take_over(self):
        return self.successResultOf(self.courier.spool.recover_from(PID))

    def due(self):
        trace = self.queue.due(self.clock.seconds())
        return self.successResultOf(self.queue.claim(trace)) if trace else None

    def finish(self, item):
        done = replace(item, steps=tuple(replace(state, outcome=DONE) for state in item.steps))
        self.successResultOf(self.queue.finish(done))

    def left(self):
        return [path for path in files_under(os.path.join(self.root, "spool")) if "items/" in path or "intake/" in path]

    def lock_of(self, room):
        return os.path.join(self.root, "spool", "journal", f"{room.spool._owner}.lock")


class InheritingTests(TogetherTests):
    def test_an_item_that_nobody_was_told_of(self):
        """The process died between its 250 and the doorbell: the courier is woken and has the item."""
        receive(self.other, "t1", b"Subject: x\r\n\r\n", DELIVER, RELAY)
        dies(self.other)
        self.assertIsNone(self.due())
        woken = self.woken
        self.take_over()
        self.assertEqual(self.woken, woken + 1)
        item = self.due()
        self.assertEqual([state.step for state in item.steps], [RELAY])
        self.assertFalse(item.fresh)
        self.finish(item)
        self.assertEqual(self.left(), [])
        self.assertEqual(len(self.courier.store.mailbox("u-robin")), 1)
        self.assertFalse(os.path.exists(self.lock_of(self.other)))

    def test_an_item_that_was_handed_over_is_done_once(self):
        """While the courier has it, or has done it already, its process dies: nothing is done again."""
        for trace in ("t1", "t2"):
            receive(self.other, trace, b"Subject: x\r\n\r\n", RELAY)
        self.queue.handed(self.handed)
        first, second = self.due(), self.due()
        self.assertTrue(first.fresh and second.fresh)
        self.finish(first)
        dies(self.other)
        self.take_over()
        self.finish(second)
        self.clock.advance(2)
        item = self.due()
        self.assertEqual((item.trace, [state.outcome for state in item.steps]), (first.trace, [DONE]))
        self.finish(item)
        self.assertIsNone(self.due())
        self.assertEqual(self.left(), [])

    def test_what_was_found_before_it_was_told_counts_as_new(self):
        """A look through the folder may be quicker than the doorbell; once claimed, an item is not new any more."""
        self.queue.look()
        receive(self.other, "t1", b"Subject: x\r\n\r\n", RELAY)
        self.clock.advance(1)
        self.queue.look()
        self.queue.handed(self.handed)
        item = self.due()
        self.assertTrue(item.fresh)
        self.queue.release(item.trace, NOW)
        self.queue.handed(self.handed)
        self.assertFalse(self.due().fresh)

    def test_an_item_that_somebody_has_now(self):
        """A delivery that failed must be added to an item that an administrator has just now: it follows a moment
        later, and nothing of the dead process goes before."""
        receive(self.other, "t1", b"Subject: x\r\n\r\n", DELIVER, RELAY)
        dies(self.other)
        os.unlink(self.courier.store.root + "/u-robin/new/" + next(iter(self.courier.store.mailbox("u-robin"))))
        self.courier.store.broken.add("u-robin")
        claim = try_lock(self.queue._items.envelope_path("t1"))
        self.take_over()
        self.assertTrue(os.path.exists(self.lock_of(self.other)))
        self.assertEqual(self.courier.journal.named("trouble"), [])
        unlock(claim)
        self.clock.advance(1)
        self.assertFalse(os.path.exists(self.lock_of(self.other)))
        self.assertEqual({state.step for state in self.due().steps}, {DELIVER, RELAY})

    def test_a_process_that_has_not_quite_ended(self):
        """A copy of its lock may outlive it for a moment: it is looked at each second until that is over."""
        receive(self.other, "t1", b"Subject: x\r\n\r\n", RELAY)
        halts(self.other)
        self.take_over()
        self.clock.advance(1)
        self.assertIn(f"intake/t1.{self.other.spool._owner}", self.left()[0])
        os.close(self.other.spool._commits._life)
        self.clock.advance(1)
        self.assertFalse(os.path.exists(self.lock_of(self.other)))
        self.assertIn("t1", self.queue)

    def test_a_disk_in_trouble(self):
        """It is told, and tried again ten seconds later; mail goes on meanwhile."""
        receive(self.other, "t1", b"Subject: x\r\n\r\n", RELAY)
        dies(self.other)
        make_durable = self.queue._items.flush

        def fails(trace):
            raise OSError(5, "broken")

        self.queue._items.flush = fails
        self.queue._items.renew = fails
        self.take_over()
        self.assertIn("taking over", str(self.courier.journal.named("trouble")[-1].args))
        self.queue._items.flush = make_durable
        del self.queue._items.renew
        self.clock.advance(9)
        self.assertTrue(os.path.exists(self.lock_of(self.other)))
        self.clock.advance(1)
        self.assertFalse(os.path.exists(self.lock_of(self.other)))
        self.assertIn("t1", self.queue)

    def test_a_new_courier_beside_an_old_receiver(self):
        """The courier dies and another starts while a process still receives: what the first noted is known as long as
        that one may bring the item back, and its own end is noticed."""
        receive(self.other, "t1", b"Subject: x\r\n\r\n", RELAY)
        self.queue.handed(self.handed)
        self.finish(self.due())
        dies(self.courier)
        again = a_spool(self.root, clock=self.clock, store=self.courier.store, shared=True)
        again.spool.recover()
        self.assertTrue(os.path.exists(self.lock_of(self.courier)))
        self.clock.advance(5)
        dies(self.other)
        self.clock.advance(10)
        for room in (self.courier, self.other):
            self.assertFalse(os.path.exists(self.lock_of(room)))
        again.spool.queue.look()
        trace = again.spool.queue.due(self.clock.seconds())
        item = self.successResultOf(again.spool.queue.claim(trace))
        self.assertEqual([state.outcome for state in item.steps], [DONE])

    def test_it_waits_for_what_is_under_way_at_the_end(self):
        """Asked to stop, the spool begins no more of this; who waits is told."""
        self.successResultOf(self.courier.spool.stop())
        dies(self.other)
        waiting = self.courier.spool.recover_from(PID)
        self.assertNoResult(waiting)
        self.assertTrue(os.path.exists(self.lock_of(self.other)))


class SharedTransactionsTests(TogetherTests):
    """A peer's transaction at two processes."""

    def send(self, room, trace):
        answer, _ = receive(room, trace, b"Subject: once\r\n\r\n", DELIVER, xid="peer.1")
        return answer

    def test_the_same_transaction_at_two_processes_at_once(self):
        """While one process makes it durable the other takes none of it; afterwards it is known there without delay."""
        answers = []

        class Meanwhile(Disk):
            def flush(self, fd):
                if not answers:
                    answers.append(None)
                    answers[0] = one.send(one.other, "t2")
                super().flush(fd)

        one, third = self, self.another(disk=Meanwhile())
        self.successResultOf(self.send(third, "t1"))
        self.assertIn("another process", str(self.failureResultOf(answers[0], TryAgain).value))
        known = self.successResultOf(self.other.spool.known_recipients("peer.1", ["robin@vm1.example.com"]))
        self.assertEqual(known, {"robin@vm1.example.com"})
        self.successResultOf(self.send(self.other, "t3"))
        self.assertEqual([name.split(".")[1] for name in self.courier.store.mailbox("u-robin")], ["t1"])

    def test_one_that_failed_is_free_at_once(self):
        """The disk refuses the message at one process: the peer's next try at another is accepted."""

        class Full(Disk):
            def flush(self, fd):
                raise OSError(28, "No space left on device")

        third = self.another(disk=Full())
        self.failureResultOf(self.send(third, "t1"), TryAgain)
        self.successResultOf(self.send(self.other, "t2"))
        self.assertEqual([name.split(".")[1] for name in self.courier.store.mailbox("u-robin")], ["t2"])
