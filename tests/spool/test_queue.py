"""The queue: claims among processes, what others put in or change, and what must never be done twice."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

import unitymail
from tests.power.recording import RecordingDisk
from tests.spool.room import NOW, a_spool, files_under, receive
from unitymail.disk import Disk
from unitymail.interfaces.errors import Never
from unitymail.interfaces.spool import DONE, IQueue, Item, Outcome, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Importance
from unitymail.routing.steps import Deliver, RelayToSmartHost
from unitymail.spool.answers import A_TURN_S
from unitymail.spool.items import Items
from unitymail.spool.nudges import Nudges
from unitymail.spool.places import Places
from unitymail.spool.queue import ASKED_AT_ONCE

WAITING = StepState(RelayToSmartHost("a@x"))
RELAY = RelayToSmartHost("pat@elsewhere.example")
BUSY = Outcome("try-again", "4.3.2", "busy")


class QueueTests(SynchronousTestCase):
    """`self.room` is the running node; `another` is the queue of another process on the same folder."""

    def setUp(self):
        self.fails = lambda call: False
        root = self.mktemp()
        os.makedirs(root)
        self.room = a_spool(root, disk=RecordingDisk(root, self.before))
        self.queue = self.room.spool.queue
        self.places = self.room.places
        self.items = Items(self.places, self.room.disk)

    def before(self, call):
        if self.fails(call):
            raise OSError(28, "No space left on device")

    def another(self):
        return a_spool(self.room.root, store=self.room.store, clock=self.room.clock).spool.queue

    def put(self, trace, **facts):
        """As another process would."""
        facts.setdefault("steps", (WAITING,))
        source = os.path.join(self.places.intake, "source")
        with open(source, "wb") as file:
            file.write(b"octets")
        item = Item(
            trace, "", NOW, Envelope("c@x", (Recipient("a@x"),)), "email", "normal", False, "", "", "", 6, 0, **facts
        )
        self.items.create(item, source)
        os.unlink(source)

    def send(self, trace, *steps, **facts):
        self.successResultOf(receive(self.room, trace, b"\r\nx\r\n", *(steps or (RELAY,)), **facts)[0])

    def claim(self, trace, queue=None):
        return self.successResultOf((queue or self.queue).claim(trace))

    def record(self, item):
        return self.successResultOf(self.queue.record(item))

    def release(self, trace, *when, queue=None):
        return self.successResultOf((queue or self.queue).release(trace, *when))

    def finish(self, item):
        return self.successResultOf(self.queue.finish(item))

    def retire(self):
        self.room.clock.advance(1)

    def events(self, since):
        return [event[0] for event in self.room.disk.events[since:]]

    def crash(self):
        """The process ends here and now; another starts."""
        os.close(self.room.spool._commits._life)
        for held in self.room.spool._in_hand._held.values():
            if held.fd is not None:
                os.close(held.fd)
        self.room = a_spool(self.room.root, disk=self.room.disk, store=self.room.store, clock=self.room.clock)
        self.queue = self.room.spool.queue
        self.successResultOf(self.room.spool.recover())


def tried(item, outcome=None, attempts=1):
    """The item once its steps were attempted."""
    return replace(item, steps=tuple(replace(s, attempts=attempts, outcome=outcome) for s in item.steps))


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


class NoticingTests(QueueTests):
    def test_what_others_put_in_is_found(self):
        """`look` notices new items and those that left; a start reads no envelope, times are the files' own."""
        self.put("t1", steps=(replace(WAITING, next_at=NOW + 50),))
        self.put("t2", priority=1)
        self.assertEqual(self.queue.look(), 2)
        self.assertEqual(self.queue.due(NOW + 1), "t2")
        self.assertIsNone(self.queue.due(NOW + 49))
        self.assertEqual(self.queue.due(NOW + 50), "t1")
        self.items.unlink("t1")
        self.put("t3")
        self.release("t1", NOW + 90)
        self.assertEqual(self.queue.look(), 2)
        self.assertEqual(self.queue.due(NOW + 1), "t3")

    def test_a_hint_far_in_the_future_is_not_believed_for_ever(self):
        """A file whose time is nonsense is looked at within the hour."""
        self.put("t1")
        os.utime(self.items.envelope_path("t1"), (NOW + 10**8, NOW + 10**8))
        self.queue.look()
        self.assertEqual(self.queue.due(NOW + 3_600), "t1")

    def test_a_clock_that_was_set_back_hides_nothing(self):
        """What is put in after the clock went back by hours is found."""
        self.put("t1")
        os.utime(self.places.items, (NOW - 5, NOW - 5))
        self.assertEqual(self.queue.look(), 1)
        self.put("t2")
        os.utime(self.places.items, (NOW - 7_200, NOW - 7_200))
        self.assertEqual(self.queue.look(), 2)

    def test_looking_through_a_large_folder_takes_its_share(self):
        """A look that took a second is followed by 49 without one; what administrators did is seen at once anyway."""
        self.put("t1")
        scan = self.queue._scan
        self.queue._scan = lambda: (self.room.clock.advance(1), scan())
        self.queue.look()
        self.put("t2")
        self.room.clock.advance(40)
        self.assertEqual(self.queue.look(), 1)
        Nudges(self.places.nudges, Disk()).leave("root", "retried", ["t2"])
        self.assertEqual(self.queue.look(), 2)
        self.put("t3")
        self.room.clock.advance(10)
        self.assertEqual(self.queue.look(), 3)

    def test_a_nudge_is_told_and_forgotten(self):
        """The journal hears who did what; the item is looked at as its file says now; the folder is empty again."""
        self.put("t1", steps=(replace(WAITING, next_at=NOW + 900),))
        self.queue.look()
        self.put("t1", priority=1)
        Nudges(self.places.nudges, Disk()).leave("root", "retried", ["t1", "gone"])
        self.queue.look()
        self.assertEqual(self.queue.due(NOW), "t1")
        self.assertEqual(
            [event.args for event in self.room.journal.named("administered")],
            [("t1", "root", "retried"), ("gone", "root", "retried")],
        )
        self.assertEqual(os.listdir(self.places.nudges), [])

    def nudge(self, count, portion):
        traces = [f"t{number:05}" for number in range(count)]
        for start in range(0, count, portion):
            Nudges(self.places.nudges, Disk()).leave("root", "retried", traces[start : start + portion])
        self.queue.look()
        return traces

    def test_what_was_done_to_many_is_told_over_many_turns(self):
        """The journal takes its time over each of them; a turn has a few milliseconds for all of that."""
        told, each = self.room.journal.administered, 0.000_1

        def slowly(*what):
            told(*what)
            self.room.clock.rightNow += each

        def in_the_next_turn(delay, call):
            turns.append(len(self.room.journal.named("administered")))
            return later(delay, call)

        turns, later = [0], self.room.clock.callLater
        self.room.journal.administered, self.room.clock.callLater = slowly, in_the_next_turn
        traces = self.nudge(1_000, 200)
        self.queue.due(NOW)
        self.room.clock.advance(0)
        self.assertEqual({event.args[0] for event in self.room.journal.named("administered")}, set(traces))
        self.assertLessEqual(max(after - before for before, after in pairwise([*turns, 1_000])), A_TURN_S / each + 1)

    def test_the_courier_hears_of_many_in_portions(self):
        """Of more than a turn has time for; nobody is taken up before it has heard of all, and it is asked again."""
        heard = []
        self.queue.listen(lambda: None, heard.extend)
        self.put("t00000")
        self.put("other")
        traces = self.nudge(3 * ASKED_AT_ONCE, 500)
        calls = []
        while not calls or calls[-1][0] is None:
            before = len(heard)
            calls.append((self.queue.due(NOW), len(heard) - before, self.queue.next_time()))
        self.assertEqual([count for _, count, _ in calls], [ASKED_AT_ONCE] * 3)
        self.assertEqual([when <= self.room.clock.seconds() for _, _, when in calls], [True] * 3)
        self.assertEqual(sorted(heard), traces)

    def test_nobody_takes_an_item_away_from_its_worker(self):
        """A nudge for an item that is being worked on changes nothing: its claim came later."""
        self.put("t1")
        self.queue.look()
        self.assertEqual(self.queue.due(NOW), "t1")
        self.claim("t1")
        Nudges(self.places.nudges, Disk()).leave("root", "retried", ["t1"])
        self.queue.look()
        self.assertIsNone(self.queue.due(NOW + 9))

    def test_garbage_among_nudges(self):
        """Whatever lies there is taken away and nobody stumbles over it."""
        for number, octets in enumerate((b"{", b"[1]", b'{"who": 1, "what": 2, "traces": ["../x"]}')):
            with open(os.path.join(self.places.nudges, f"{number}.json"), "wb") as file:
                file.write(octets)
        self.assertEqual(self.queue.look(), 0)
        self.assertEqual(os.listdir(self.places.nudges), [])


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


def test_a_stranger_cannot_make_nudges_lead_elsewhere(tmp_path):
    """Traces in nudges become file names: only such are taken."""
    places = Places(str(tmp_path / "spool"))
    places.make(Disk())
    nudges = Nudges(places.nudges, Disk())
    nudges.leave("root", "held", ["t1", "../t2", "a/b"])
    (nudge,) = nudges.take()
    assert nudge.traces == ("t1",)
