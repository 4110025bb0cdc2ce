"""Claims: one at a time among processes, from memory or from the disk, and items that can be put aside."""

import json
import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

import unitymail
from tests.spool.queue_room import WAITING, QueueTests, tried
from tests.spool.room import NOW, a_spool, files_under
from unitymail.interfaces.errors import Never
from unitymail.interfaces.spool import IQueue, StepState
from unitymail.routing.steps import RelayToSmartHost


class ClaimTests(QueueTests):
    def test_provides_what_the_courier_needs(self):
        """The queue keeps the interface."""
        verifyObject(IQueue, self.queue)

    def test_one_claim_at_a_time(self):
        """Who claims an item has it alone among all processes until it lets go, also after its file was replaced."""
        self.put("t1")
        other = self.another()
        item = self.claim("t1")
        self.assertEqual(item.steps, (WAITING,))
        self.assertIsNone(self.claim("t1", other))
        self.record(tried(item))
        self.assertIsNone(self.claim("t1", other))
        self.release("t1", NOW + 60)
        self.assertEqual(self.claim("t1", other).steps[0].attempts, 1)

    CLAIMER = """
import sys
from unitymail.disk import Disk
from unitymail.spool.in_hand import InHand
from unitymail.spool.items import Items
from unitymail.spool.places import Places
print(InHand(Items(Places(sys.argv[1]), Disk())).claim("t1") is not None, flush=True)
sys.stdin.read()
"""

    def test_a_claim_ends_with_its_process(self):
        """Another process's claim holds while it lives, however it dies."""
        self.put("t1")
        with subprocess.Popen(
            [sys.executable, "-c", self.CLAIMER, os.path.abspath(self.places.root)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, cwd=Path(unitymail.__file__).parent.parent,
        ) as process:
            self.assertEqual(process.stdout.readline(), "True\n")
            self.assertIsNone(self.claim("t1"))
            process.kill()
        self.assertIsNotNone(self.claim("t1"))

    def test_a_claim_that_cannot_read_is_given_back(self):
        """While the disk, or the lack of descriptors, keeps the envelope from being read, the item is nobody's."""
        self.put("t1")
        self.queue.look()
        self.assertEqual(self.queue.due(NOW + 1), "t1")

        def no_luck(fd, trace, reading):
            raise OSError(5, "Input/output error")

        with_luck, self.room.spool._items.read_from = self.room.spool._items.read_from, no_luck
        self.failureResultOf(self.queue.claim("t1"), OSError)
        self.room.spool._items.read_from = with_luck
        other = self.another()
        self.assertIsNotNone(self.claim("t1", other))
        self.release("t1", NOW, queue=other)
        self.assertEqual(self.queue.due(NOW + 2), "t1")

    def test_held_items_wait(self):
        """A held item is nobody's."""
        self.put("t1", held=True)
        self.queue.look()
        self.assertIsNone(self.claim("t1"))
        self.assertIsNone(self.queue.due(NOW + 10**6))

    def test_an_item_that_is_gone(self):
        """Claiming what is no longer there says so, and forgets it."""
        self.put("t1")
        self.queue.look()
        self.items.unlink("t1")
        self.assertIsNone(self.claim("t1"))
        self.assertIsNone(self.queue.next_time())

    def test_freshness_is_known_once(self):
        """Only the first claim of an item that this process made is fresh."""
        for listening in (False, True):
            if listening:
                self.queue.listen(lambda: None)
            self.send(f"t{listening}")
            self.assertTrue(self.claim(f"t{listening}").fresh)
            self.release(f"t{listening}", NOW)
            self.assertFalse(self.claim(f"t{listening}").fresh)

    def test_an_unreadable_item_can_be_shunted(self):
        """It is claimed, said to be unreadable, and put aside with the reason."""
        self.put("t1")
        with open(self.items.envelope_path("t1"), "w") as file:
            json.dump({"trace": "t1"}, file)
        self.failureResultOf(self.queue.claim("t1"), Never)
        self.assertIsNone(self.claim("t1", self.another()))
        self.successResultOf(self.queue.shunt("t1", "no sense"))
        self.assertEqual(files_under(self.places.items), [])
        self.assertEqual(files_under(self.places.shunted), ["t1.eml", "t1.json", "t1.txt"])

    def test_a_disk_that_is_full_while_an_item_is_shunted(self):
        """Whichever call fails, the item can be let go; it is whole in one place, and later it is shunted after all."""
        calls = 0
        for n, (broken, at) in enumerate((broken, at) for broken in (False, True) for at in range(12)):
            trace = f"t{n}"
            self.put(trace)
            if broken:
                with open(self.items.envelope_path(trace), "w") as file:
                    file.write("no item")
            self.queue.look()
            if broken:
                self.failureResultOf(self.queue.claim(trace), Never)
            else:
                self.assertIsNotNone(self.claim(trace))
            rest = iter(range(at))
            self.fails = lambda call, rest=rest: next(rest, None) is None
            shunting = self.queue.shunt(trace, "odd")
            self.fails = lambda call: False
            failed = next(rest, None) is None and not shunting.called
            try:
                self.successResultOf(shunting)
            except self.failureException:
                failed = True
                shunting.addErrback(lambda failure: failure.trap(OSError))
            calls += failed
            if failed:
                self.release(trace, NOW + 60)
            places = [place for place in (self.places.items, self.places.shunted)
                      if {f"{trace}.eml", f"{trace}.json"} <= set(os.listdir(place))]
            self.assertTrue(places, (at, broken))
            self.assertIsNone(self.queue.due(NOW + 59))
            if failed and self.places.shunted not in places:
                self.assertEqual(self.queue.due(NOW + 60), trace)
                claimed = self.queue.claim(trace)
                claimed.addErrback(lambda failure: failure.trap(Never))
                self.successResultOf(claimed)
                self.successResultOf(self.queue.shunt(trace, "odd"))
            elif failed:
                self.assertIsNone(self.claim(trace))
            self.assertNotIn(trace, self.queue)
            put_aside = {f"{trace}.eml", f"{trace}.json", f"{trace}.txt"}
            self.assertLessEqual(put_aside, set(os.listdir(self.places.shunted)))
            self.assertNotIn(f"{trace}.json", os.listdir(self.places.items))
        self.assertGreater(calls, 15)
        self.assertEqual((self.room.spool._in_hand._held, self.room.spool._in_hand._unreadable), ({}, {}))

    def test_a_shunted_item_that_is_moved_back_is_tried_again(self):
        """An operator moves both files back, and the running queue finds the item as it was."""
        self.put("t1")
        self.claim("t1")
        self.successResultOf(self.queue.shunt("t1", "no sense"))
        self.assertEqual(self.queue.look(), 0)
        for name in ("t1.eml", "t1.json"):
            os.rename(os.path.join(self.places.shunted, name), os.path.join(self.places.items, name))
        self.assertEqual(self.queue.look(), 1)
        self.assertEqual(self.queue.due(NOW + 3_600), "t1")
        self.assertEqual(self.claim("t1").steps, (WAITING,))


class NothingAtHand:
    """Memory has none of the files."""

    patient = False

    def open(self, path):
        raise BlockingIOError("not at hand")


class ClaimFromDiskTests(ClaimTests):
    """The same promises where every file is waited for, in a thread."""

    def another(self):
        queue = super().another()
        queue._at_hand = NothingAtHand()
        return queue

    def setUp(self):
        super().setUp()
        self.queue._at_hand = NothingAtHand()


class AtHandTests(QueueTests):
    """What memory has is claimed at once, all else in a thread."""

    def setUp(self):
        super().setUp()
        self.jobs = []
        run = self.room.threads.run
        self.room.threads.run = lambda job, *args: (self.jobs.append(job), run(job, *args))[1]

    def test_a_small_item_costs_no_thread(self):
        """An item whose files are in memory, with the message that is to be sent."""
        self.put("t1")
        item = self.claim("t1")
        self.assertEqual((item.steps, item.content), ((WAITING,), b"octets"))
        self.assertEqual(self.jobs, [])

    def test_a_long_envelope_is_read_in_a_thread(self):
        """Thousands of steps would take their time."""
        steps = tuple(StepState(RelayToSmartHost(f"person{n}@elsewhere.example")) for n in range(1_000))
        self.put("t1", steps=steps)
        self.assertEqual(self.claim("t1").steps, steps)
        self.assertEqual(len(self.jobs), 1)
        self.assertIsNone(self.claim("t1", self.another()))

    def test_a_message_that_is_not_at_hand(self):
        """Its envelope is, but the thread reads both; nothing is claimed twice or left locked by the attempt."""
        self.put("t1")
        fd = os.open(self.items.message_path("t1"), os.O_RDONLY)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
        self.assertEqual(self.claim("t1").content, b"octets")
        self.assertEqual(len(self.jobs), 1)
        self.release("t1", NOW)
        self.assertIsNotNone(self.claim("t1", self.another()))

    def test_whose_an_item_is_asks_the_disk_once(self):
        """Of a process that has left nothing nobody brings anything back: its next item is claimed at once."""
        for trace in ("t1", "t2"):
            self.put(trace, intake=f"{trace}.1-gone")
            self.assertIsNotNone(self.claim(trace))
            self.assertEqual(len(self.jobs), 1)

    def test_an_item_of_a_process_that_lives(self):
        """Each is looked at in a thread as long as its process may bring it back."""
        with open(os.path.join(self.places.journal, "1-lives.lock"), "wb"):
            for trace in ("t1", "t2"):
                self.put(trace, intake=f"{trace}.1-lives")
                self.assertIsNotNone(self.claim(trace))
        self.assertEqual(len(self.jobs), 2)


class GroupTests(SynchronousTestCase):
    def test_claims_asked_for_together_share_a_job(self):
        """Many claims cost few turns of a thread."""
        from tests.spool.test_commit import HeldThreads

        root = self.mktemp()
        os.makedirs(root)
        threads = HeldThreads()
        room = a_spool(root, threads=threads)
        queue = room.spool.queue
        answers = [queue.claim(f"t{n}") for n in range(11)]
        self.assertEqual([threads.go(), threads.go(), threads.go()], [1, 1, 0])
        self.assertEqual([self.successResultOf(answer) for answer in answers], [None] * 11)
