"""Ends of items are noted together; whoever waits for a commit does not wait for that."""

import os

from tests.spool.queue_room import QueueTests, tried
from tests.spool.room import receive
from unitymail.interfaces.spool import DONE

GATHER_S = 0.005


class GatheringTests(QueueTests):
    def setUp(self):
        super().setUp()
        self.room.spool._committer._gather_s = GATHER_S
        self.queue.listen(lambda: None)
        self.claimed = [self.born(f"t{n}") for n in range(6)]
        self.wait()

    def born(self, trace):
        self.send(trace)
        return self.claim(trace)

    def wait(self):
        self.room.clock.advance(GATHER_S)

    def finish_soon(self, number):
        return self.queue.finish(tried(self.claimed[number], DONE))

    def flushes(self):
        return sum(event[0] == "flush" for event in self.room.disk.events)

    def test_the_first_end_is_noted_at_once(self):
        """After a quiet time nothing else can be expected: it is durable without delay."""
        self.successResultOf(self.finish_soon(0))

    def test_the_next_ends_share_a_batch(self):
        """What ends within milliseconds of a batch is flushed together, after that time and not later."""
        self.successResultOf(self.finish_soon(0))
        before = self.flushes()
        answers = [self.finish_soon(1)]
        self.room.clock.advance(GATHER_S * 0.6)
        answers += [self.finish_soon(2), self.finish_soon(3)]
        for answer in answers:
            self.assertNoResult(answer)
        self.room.clock.advance(GATHER_S * 0.5)
        for answer in answers:
            self.successResultOf(answer)
        self.assertEqual(self.flushes(), before + 1)

    def test_a_message_takes_them_along(self):
        """A client's message is committed at once, and what was gathered with it."""
        self.successResultOf(self.finish_soon(0))
        gathered = self.finish_soon(1)
        self.successResultOf(receive(self.room, "new", b"\r\nx\r\n")[0])
        self.successResultOf(gathered)
        soon = self.room.clock.seconds() + 0.1
        self.assertEqual([call for call in self.room.clock.getDelayedCalls() if call.getTime() < soon], [])

    def test_a_run_that_goes_on_does_not_wait(self):
        """An outcome is durable at once: its item has more to do."""
        self.successResultOf(self.finish_soon(0))
        gathered = self.finish_soon(1)
        self.record(tried(self.claimed[2]))
        self.successResultOf(gathered)

    def test_a_stop_does_not_wait(self):
        """What was gathered is noted before the end, without delay; the next start has nothing to do."""
        self.successResultOf(self.finish_soon(0))
        rest = [self.finish_soon(n) for n in range(1, 6)]
        self.successResultOf(self.room.spool.stop())
        for answer in rest:
            self.successResultOf(answer)
        self.assertEqual(os.listdir(self.places.journal), [])

    def test_a_clock_that_is_set_back(self):
        """However far, nobody waits longer than that."""
        self.successResultOf(self.finish_soon(0))
        self.room.clock.rightNow -= 3_600
        gathered = self.finish_soon(1)
        self.wait()
        self.successResultOf(gathered)

    def test_a_crash_meanwhile(self):
        """What was not noted yet is offered again, and only that."""
        self.successResultOf(self.finish_soon(0))
        self.finish_soon(1)
        self.crash()
        self.assertNotIn("t0", self.queue)
        self.assertIn("t1", self.queue)
