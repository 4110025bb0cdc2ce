"""A full disk, and items of another process: what was done is known to who did it, and is not done again."""

import os
from dataclasses import replace

from tests.spool.queue_room import RELAY, QueueTests, tried
from tests.spool.room import NOW, a_spool, files_under, receive
from unitymail.interfaces.spool import DONE
from unitymail.routing.steps import RelayToSmartHost


class TroubleTests(QueueTests):
    """A full disk: what was done is known to who did it, and is not done again."""

    def setUp(self):
        super().setUp()
        self.queue.listen(lambda: None)

    def fails_once_full(self, operation):
        self.fails = lambda call: call not in ("unlink",)
        failed = self.failureResultOf(operation, OSError)
        self.fails = lambda call: False
        return failed

    def test_an_outcome_that_cannot_be_written(self):
        """The claim stays; let go and claimed again, the item has it. It is written when the disk has room again."""
        for trace in ("young", "old"):
            self.send(trace)
            if trace == "old":
                self.retire()
            item = tried(self.claim(trace), DONE)
            self.fails = lambda call: True
            self.failureResultOf(self.queue.record(item), OSError)
            self.release(trace, NOW + 60)
            self.assertIsNone(self.claim(trace, self.another())) if trace == "old" else None
            self.assertEqual(self.claim(trace).steps, item.steps)
            self.fails = lambda call: False
            self.finish(item)
            self.crash()
            self.queue.listen(lambda: None)
            self.assertEqual(self.queue.look(), 0)

    def test_outcomes_after_one_that_cannot_be_written(self):
        """The next note has everything that the lost one had: a crash forgets neither."""
        self.send("t1", RELAY, RelayToSmartHost("other@elsewhere.example"))
        item = self.claim("t1")
        half = replace(item, steps=(replace(item.steps[0], attempts=1), item.steps[1]))
        self.record(half)
        half = replace(half, steps=(replace(half.steps[0], outcome=DONE), half.steps[1]))
        self.fails = lambda call: True
        self.failureResultOf(self.queue.record(half), OSError)
        self.fails = lambda call: False
        whole = replace(half, steps=(half.steps[0], replace(half.steps[1], attempts=1)))
        self.record(whole)
        self.crash()
        self.assertEqual(self.claim("t1").steps, whole.steps)

    def test_a_file_that_cannot_follow(self):
        """A durable outcome is as good as written: its note stays until the file says the same."""
        self.send("t1")
        self.retire()
        item = tried(self.claim("t1"), attempts=5)
        self.fails = lambda call: call == "rename"
        self.record(item)
        self.release("t1", NOW + 60)
        self.retire()
        self.assertEqual(self.items.read("t1").steps[0].attempts, 0)
        self.assertEqual(self.claim("t1").steps[0].attempts, 5)
        self.release("t1", NOW + 60)
        self.fails = lambda call: False
        self.retire()
        self.assertEqual(self.items.read("t1").steps[0].attempts, 5)
        self.assertEqual(self.room.spool._commits.unretired(), 0)
        self.assertEqual(self.claim("t1", self.another()).steps[0].attempts, 5)

    def test_files_that_cannot_go(self):
        """A finished item whose files cannot be removed is finished: nobody gets it, and they go later."""
        self.send("t1")
        self.retire()
        item = self.claim("t1")
        self.fails = lambda call: call == "unlink"
        self.finish(tried(item, DONE))
        self.assertEqual(self.queue.look(), 0)
        self.fails = lambda call: False
        self.retire()
        self.assertEqual(files_under(self.places.items), [])

    def test_an_item_of_another_process_stays_until_its_record_is_gone(self):
        """Its own process could bring it back after a crash: done, with all outcomes, it waits for that to be over."""
        other = a_spool(self.room.root, store=self.room.store, clock=self.room.clock)
        self.successResultOf(receive(other, "t1", b"\r\nx\r\n", RELAY)[0])
        self.queue.look()
        self.assertEqual(self.queue.due(NOW), "t1")
        self.finish(tried(self.claim("t1"), DONE))
        self.assertEqual(self.items.read("t1").steps[0].outcome, DONE)
        written = os.stat(self.items.envelope_path("t1")).st_ino
        self.finish(self.claim("t1"))
        self.assertEqual(os.stat(self.items.envelope_path("t1")).st_ino, written)
        self.successResultOf(other.spool.stop())
        self.assertEqual(self.queue.due(NOW + 2), "t1")
        self.finish(self.claim("t1"))
        self.assertEqual(files_under(self.places.items), [])
