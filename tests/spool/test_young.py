"""Young items: handed over in memory, known after a crash, and never done twice."""

import os
from dataclasses import replace

from tests.spool.queue_room import BUSY, RELAY, QueueTests, tried
from tests.spool.room import NOW, files_under
from unitymail.interfaces.errors import Never
from unitymail.interfaces.spool import DONE, Outcome
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Importance
from unitymail.routing.steps import Deliver, RelayToSmartHost


class YoungTests(QueueTests):
    """With a courier in the process a new item costs no envelope file, and is as safe as one that has it."""

    def setUp(self):
        super().setUp()
        self.woken = []
        self.queue.listen(lambda: self.woken.append(True))

    def test_it_is_handed_over_in_memory(self):
        """The courier is woken and can claim it at once; its message file is where it will stay."""
        self.send("t1", importance=Importance.HIGH)
        self.assertEqual(self.woken, [True])
        self.assertEqual(files_under(self.places.items), ["t1.eml"])
        self.assertEqual(self.queue.due(NOW), "t1")
        self.assertEqual(self.queue.hop_of("t1"), "smart-host")
        item = self.claim("t1")
        self.assertEqual((item.path, item.priority), (self.items.message_path("t1"), 1))
        self.assertEqual([state.step for state in item.steps], [RELAY])
        self.assertIsNone(self.claim("t1"))

    def test_one_that_is_finished_leaves_no_trace(self):
        """One note in the journal makes it so; there is no flush for it alone, and later everything is gone."""
        self.send("t1")
        item = self.claim("t1")
        since = len(self.room.disk.events)
        self.finish(tried(item, DONE))
        self.assertEqual(self.events(since), ["write", "flush", "unlink"])
        self.assertIsNone(self.queue.next_time())
        self.retire()
        self.assertEqual(files_under(self.places.items) + files_under(self.places.intake), [])
        self.assertEqual(self.room.spool._commits.unretired(), 0)

    def test_one_that_waits_gets_its_files(self):
        """From the retirement of its record on it is what its file says, with all that has happened, claimed or not."""
        for trace in ("t1", "t2"):
            self.send(trace)
            self.record(tried(self.claim(trace)))
        self.release("t2", NOW + 60, "smart-host")
        self.retire()
        self.assertEqual([self.items.read(trace).steps[0].attempts for trace in ("t1", "t2")], [1, 1])
        other = self.another()
        self.assertIsNone(self.claim("t1", other))
        self.assertEqual(self.claim("t2", other).steps[0].attempts, 1)

    def test_outcomes_survive_a_crash(self):
        """What was recorded is known after a crash, before and after the file was written."""
        self.send("t1", RELAY, RelayToSmartHost("other@elsewhere.example"))
        item = self.claim("t1")
        half = replace(item, steps=(replace(item.steps[0], outcome=DONE), item.steps[1]))
        self.record(half)
        again = replace(half, steps=(half.steps[0], replace(half.steps[1], attempts=3, last=BUSY)))
        self.record(again)
        self.crash()
        item = self.claim("t1")
        self.assertEqual(item.steps, again.steps)
        self.assertEqual(item.revision, 2)
        self.assertFalse(item.fresh)

    def test_a_finished_item_is_never_made_again(self):
        """A crash right after the end brings nothing back, and what lay there is gone."""
        self.send("t1", Deliver("u-robin", "robin@vm1.example.com"), RELAY)
        self.finish(tried(self.claim("t1"), DONE))
        self.crash()
        self.assertEqual(self.queue.look(), 0)
        self.assertEqual(files_under(self.places.items) + files_under(self.places.intake), [])
        self.assertEqual(len(self.room.store.mailbox("u-robin")), 1)

    def test_the_end_stays_as_long_as_the_beginning(self):
        """While a mailbox in trouble holds back a record, the note that its item is finished stays as well."""
        make_durable = self.room.store.make_durable

        def in_trouble(accounts):
            raise Never(why="in trouble for the test")

        self.room.store.make_durable = in_trouble
        self.send("t1", Deliver("u-robin", "robin@vm1.example.com"), RELAY)
        self.retire()
        item = self.claim("t1")
        self.finish(tried(item, DONE))
        self.retire()
        self.room.store.make_durable = make_durable
        self.crash()
        self.assertEqual(self.queue.look(), 0)

    def test_others_do_not_hold_back_each_other(self):
        """Messages without part in the trouble are retired, their notes too, though their segments stay a while."""
        make_durable = self.room.store.make_durable

        def in_trouble(accounts):
            if "u-robin" in accounts:
                raise Never(why="in trouble for the test")
            make_durable(accounts)

        self.room.store.make_durable = in_trouble
        self.send("t0", Deliver("u-robin", "robin@vm1.example.com"))
        for n in range(1, 9):
            self.send(f"t{n}")
            if n > 1:
                self.finish(tried(self.claim(f"t{n - 1}"), DONE))
            self.retire()
        self.assertEqual(len([name for name in os.listdir(self.places.journal) if not name.endswith(".lock")]), 2)
        self.assertEqual(files_under(self.places.intake), ["t0." + self.room.spool._owner])

    def test_a_young_item_can_be_shunted(self):
        """It gets its files on the way, and a crash brings no second copy."""
        self.send("t1")
        self.claim("t1")
        self.successResultOf(self.queue.shunt("t1", "odd"))
        self.assertEqual(files_under(self.places.shunted), ["t1.eml", "t1.json", "t1.txt"])
        self.crash()
        self.assertEqual(files_under(self.places.items), [])

    def test_future_release(self):
        """Nothing is linked at the commit; every step waits until then, whether the process lives or not."""
        later = Envelope("c@x", (Recipient("robin@vm1.example.com"),), hold_until=NOW + 500)
        self.send("t1", Deliver("u-robin", "robin@vm1.example.com"), envelope=later)
        self.assertEqual(self.room.store.mailbox("u-robin"), {})
        self.assertEqual(self.queue.next_time(), NOW + 500)
        self.crash()
        self.assertEqual(self.room.store.mailbox("u-robin"), {})
        self.assertIsNone(self.queue.due(NOW + 499))
        self.assertEqual(self.queue.due(NOW + 500), "t1")
        self.assertEqual(self.claim("t1").steps[0].next_at, NOW + 500)

    def test_an_outcome_that_nobody_can_write_down(self):
        """Its own surprise; what others have done at the same moment is noted."""
        for trace in ("t1", "t2"):
            self.put(trace)
        self.queue.look()
        one, other = tried(self.claim("t1"), Outcome("done", why=b"no text")), tried(self.claim("t2"), DONE)
        committer = self.room.spool._committer
        committer._busy = True
        noted = [self.queue.record(item) for item in (one, other)]
        committer._busy = False
        committer._go_on()
        self.failureResultOf(noted[0], TypeError)
        self.successResultOf(noted[1])

    def test_what_comes_as_vpim_is_the_couriers(self):
        """A delivery that must be converted is not linked as it came."""
        self.send("t1", Deliver("u-robin", "robin@vm1.example.com", from_vpim=True))
        self.assertEqual(self.room.store.mailbox("u-robin"), {})
        self.assertEqual(len(self.claim("t1").steps), 1)
