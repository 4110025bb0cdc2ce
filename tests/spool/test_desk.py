"""What an administrator may do to the queue, beside a running node: durable, noticed, and never mail twice."""

import os
import random
import threading
from dataclasses import replace
from functools import partial

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.fakes import CHRIS
from tests.power.recording import DROPPED, NAMES, HastyDisk, Model, RecordingDisk
from tests.spool.room import NOW, a_spool, files_under, receive
from unitymail.disk import Disk
from unitymail.interfaces.errors import Never
from unitymail.interfaces.spool import DONE, Busy, IQueueDesk, NoSuchItem, Outcome
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.routing.steps import Deliver, LearnContact, RelayToSmartHost, Report
from unitymail.spool import claim, desk, recovery
from unitymail.spool.claim import try_lock
from unitymail.spool.desk import QueueDesk
from unitymail.spool.items import Items
from unitymail.spool.nudges import Nudges
from unitymail.spool.places import Places

RELAY = RelayToSmartHost("pat@elsewhere.example")
OTHER = RelayToSmartHost("lee@elsewhere.example")
REPORT = Report(CHRIS.address, (Fate("x@y", "failed", "5.1.1", "no"),))


class DeskTests(SynchronousTestCase):
    def setUp(self):
        root = self.mktemp()
        os.makedirs(root)
        self.room = a_spool(root, disk=RecordingDisk(root))
        self.queue = self.room.spool.queue
        self.desk = QueueDesk(
            self.room.places.root, disk=self.room.disk, now=self.room.clock.seconds, who="root"
        )

    def send(self, trace, *steps, retire=True, **facts):
        self.successResultOf(receive(self.room, trace, b"\r\nx\r\n", *(steps or (RELAY,)), **facts)[0])
        if retire:
            self.room.clock.advance(1)

    def postpone(self, trace, seconds=900, done=()):
        """An attempt that came to nothing, but for the steps whose numbers are given."""
        item = self.successResultOf(self.queue.claim(trace))
        steps = [
            replace(s, outcome=DONE) if n in done else replace(s, attempts=1, next_at=NOW + seconds)
            for n, s in enumerate(item.steps)
        ]
        self.successResultOf(self.queue.record(replace(item, steps=tuple(steps))))
        self.successResultOf(self.queue.release(trace, NOW + seconds, "smart-host"))

    def did(self, changes):
        """(the traces that were changed, {trace: the words of its refusal})."""
        changes = list(changes)
        return (
            [change.trace for change in changes if change.refusal is None],
            {change.trace: str(change.refusal) for change in changes if change.refusal is not None},
        )

    def due(self, after=0):
        """What falls due once the node has looked."""
        self.queue.look()
        return self.queue.due(self.room.clock.seconds() + after)

    def told(self):
        return [event.args for event in self.room.journal.named("administered")]

    def test_keeps_its_promise(self):
        """The desk provides the interface."""
        verifyObject(IQueueDesk, self.desk)

    def test_what_waits_is_listed(self):
        """Oldest first, without claiming anything, worked on or not; what is done already is left out."""
        for trace in ("t2", "t1", "t3"):
            self.send(trace)
        self.postpone("t3", done=(0,))
        claimed = self.successResultOf(self.queue.claim("t2"))
        self.assertEqual([item.trace for item in self.desk.items()], ["t1", "t2"])
        self.assertEqual(self.desk.item("t2").steps, claimed.steps)
        for trace in ("t9", "../t1", ""):
            self.assertRaises(NoSuchItem, self.desk.item, trace)

    def test_retry(self):
        """What waits for its next attempt is due at once, and the journal knows who wanted it."""
        self.send("t1", RELAY, OTHER)
        self.postpone("t1", done=(0,))
        self.assertIsNone(self.due())
        self.assertEqual(self.did(self.desk.retry(["t1", "t2"]))[0], ["t1"])
        self.assertEqual(self.due(), "t1")
        item = self.successResultOf(self.queue.claim("t1"))
        self.assertEqual([(s.attempts, s.next_at, s.outcome) for s in item.steps], [(0, 0.0, DONE), (1, 0.0, None)])
        self.assertEqual(self.told(), [("t1", "root", "retried")])

    def test_what_is_due_already_is_not_written_again(self):
        """Most of a long queue waits for its hop and for no time: asking for a try of it all leaves the disk alone."""
        heard = []
        self.queue.listen(lambda: None, heard.extend)
        for n in range(20):
            self.send(f"t{n:02}")
            self.postpone(f"t{n:02}", 900 if n == 7 else -5)
        since = len(self.room.disk.events)
        names = [f"t{n:02}" for n in range(20)]
        self.assertEqual(self.did(self.desk.retry(names)), (names, {}))
        touched = {event[1] for event in self.room.disk.events[since:] if event[0] == "create" and "items" in event[1]}
        self.assertEqual({os.path.basename(path) for path in touched}, {"t07.tmp"})
        self.queue.look()
        self.queue.due(NOW)
        self.assertEqual(sorted(heard), names)
        self.assertEqual({trace for trace, *_ in self.told()}, set(names))

    def test_hold_and_release(self):
        """A held item rests for as long as it takes, through restarts, and goes on when it is let go."""
        self.send("t1")
        self.assertEqual(self.did(self.desk.hold(["t1"])), (["t1"], {}))
        self.assertIsNone(self.due(10**6))
        self.assertIn("is held already", self.did(self.desk.hold(["t1"]))[1]["t1"])
        self.assertIn("queue release", self.did(self.desk.retry(["t1"]))[1]["t1"])
        other = a_spool(self.room.root, store=self.room.store).spool.queue
        other.look()
        self.assertIsNone(self.successResultOf(other.claim("t1")))
        self.assertEqual(self.did(self.desk.unhold(["t1"])), (["t1"], {}))
        self.assertEqual(self.due(), "t1")
        self.assertIn("is not held", self.did(self.desk.unhold(["t1"]))[1].get("t1", "is not held"))
        self.assertEqual([what for _, _, what in self.told()], ["held", "released"])

    def test_mail_for_later_can_be_sent_now(self):
        """`release` sends early what its sender put off; `retry` does not overrule the sender."""
        later = Envelope("c@x", (Recipient("pat@elsewhere.example"),), hold_until=NOW + 5_000)
        self.send("t1", envelope=later)
        self.assertIn("sent later", self.did(self.desk.retry(["t1"]))[1]["t1"])
        self.assertEqual(self.did(self.desk.unhold(["t1"])), (["t1"], {}))
        self.assertEqual(self.due(), "t1")
        item = self.successResultOf(self.queue.claim("t1"))
        self.assertEqual((item.steps[0].next_at, item.envelope.hold_until), (0.0, None))

    def test_bounce(self):
        """Who has it keeps it; everybody else fails with the reason, held or not; reports that are due still go."""
        self.send("t1", RELAY, OTHER, REPORT, LearnContact("l-1"))
        self.postpone("t1", done=(0,))
        self.did(self.desk.hold(["t1"]))
        self.assertEqual(self.did(self.desk.bounce(["t1"], "It is spam.")), (["t1"], {}))
        self.assertEqual(self.due(), "t1")
        states = self.successResultOf(self.queue.claim("t1")).steps
        self.assertEqual(states[0].outcome, DONE)
        self.assertEqual((states[1].outcome.kind, states[1].outcome.status), ("failed", "5.0.0"))
        self.assertIn("It is spam.", states[1].outcome.why)
        self.assertIsNone(states[2].outcome)
        self.assertEqual(states[3].outcome.kind, "done")
        self.assertEqual(self.told()[-1], ("t1", "root", "bounced (It is spam.)"))

    def test_what_nobody_has_decided_can_be_bounced(self):
        """Sent back in from bad mail, its recipients are all that is known: they fail."""
        self.send("t1")
        item = self.desk.item("t1")
        Items(self.room.places, self.room.disk).create(replace(item, steps=()), item.path)
        self.did(self.desk.bounce(["t1"], "no"))
        (state,) = self.desk.item("t1").steps
        self.assertEqual((state.step.to, state.outcome.kind), ("robin@vm1.example.com", "failed"))

    def test_delete(self):
        """It is gone, for the node as well, and nobody is told."""
        self.send("t1")
        self.assertEqual(self.did(self.desk.delete(["t1", "t1"]))[0], ["t1"])
        self.assertEqual(files_under(self.room.places.items), [])
        self.assertIsNone(self.due())
        self.assertEqual(self.told(), [("t1", "root", "deleted")])

    def test_delete_what_a_crash_could_bring_back(self):
        """While its commit record may be replayed the item stays, done, until the node finishes it, crash or not."""
        self.send("t1", Deliver("u-robin", "robin@vm1.example.com"), RELAY, retire=False)
        self.did(self.desk.delete(["t1"]))
        self.assertEqual(list(self.desk.items()), [])
        self.assertIn("nothing is left", self.did(self.desk.delete(["t1"]))[1]["t1"])
        os.close(self.room.spool._commits._life)
        again = a_spool(self.room.root, store=self.room.store)
        self.successResultOf(again.spool.recover())
        item = self.successResultOf(again.spool.queue.claim("t1"))
        self.assertEqual(item.steps[0].outcome, Outcome("done", why="Deleted by root."))
        self.successResultOf(again.spool.queue.finish(item))
        self.assertEqual(files_under(again.places.items), [])

    def test_deleted_is_deleted_whatever_the_power_does(self):
        """That its commit record is retired must be durable, too: here the node could not say so yet."""
        flush = self.room.disk.flush_directory

        def failing(path):
            if path == self.room.places.intake:
                raise OSError(5, "Input/output error")
            flush(path)

        self.send("t1", retire=False)
        self.room.disk.flush_directory = failing
        self.room.clock.advance(1)
        self.room.disk.flush_directory = flush
        self.assertEqual((files_under(self.room.places.intake), self.room.spool._commits.unretired()), ([], 1))
        self.assertEqual(self.did(self.desk.delete(["t1"]))[0], ["t1"])
        root = os.path.join(self.mktemp(), "after")
        os.makedirs(os.path.dirname(root))
        Model(self.room.disk.events).build(root, DROPPED)
        room = a_spool(root, clock=self.room.clock)
        self.successResultOf(room.spool.recover())
        self.assertEqual(files_under(room.places.items), [])

    def test_what_is_worked_on_is_left_alone(self):
        """Every verb is refused while an attempt is under way, and says so."""
        self.send("t1")
        item = self.successResultOf(self.queue.claim("t1"))
        for changes in (self.desk.retry, self.desk.hold, self.desk.unhold, self.desk.delete):
            (change,) = changes(["t1"])
            self.assertIsInstance(change.refusal, Busy)
        (change,) = self.desk.bounce(["t1"], "no")
        self.assertIsInstance(change.refusal, Busy)
        self.assertEqual(self.desk.item("t1").steps, item.steps)

    def test_whether_it_is_worked_on(self):
        """True from the claim to its end, and only of that item; what is not there is in nobody's hand."""
        self.send("t1")
        self.send("t2")
        told = [self.desk.in_hand("t1")]
        self.successResultOf(self.queue.claim("t1"))
        told += [self.desk.in_hand("t1"), self.desk.in_hand("t2")]
        self.assertEqual([self.desk.in_hand(name) for name in ("t9", "../items/t1", "")], [False] * 3)
        self.successResultOf(self.queue.release("t1", NOW + 900))
        told.append(self.desk.in_hand("t1"))
        self.assertEqual(told, [False, True, False, False])

    def test_odd_names(self):
        """What is no id leads nowhere."""
        for name in ("../shunted/t1", "", "a/b"):
            (change,) = self.desk.delete([name])
            self.assertIsInstance(change.refusal, Never)

    def test_what_was_done_stays_done_whatever_a_crash_leaves(self):
        """An outcome noted, but not in the file yet, counts for the file that an administrator wrote meanwhile."""
        self.queue.listen(lambda: None)
        self.send("t1", RELAY, OTHER)
        item = self.successResultOf(self.queue.claim("t1"))
        apply, self.room.spool._in_hand.apply = self.room.spool._in_hand.apply, lambda note: None
        half = replace(item, steps=(replace(item.steps[0], outcome=DONE), item.steps[1]))
        self.successResultOf(self.queue.record(half))
        self.room.spool._in_hand.apply = apply
        os.close(self.room.spool._commits._life)
        for held in self.room.spool._in_hand._held.values():
            os.close(held.fd)
        self.assertEqual(self.did(self.desk.hold(["t1"])), (["t1"], {}))
        again = a_spool(self.room.root, store=self.room.store)
        self.successResultOf(again.spool.recover())
        self.did(self.desk.unhold(["t1"]))
        item = self.successResultOf(again.spool.queue.claim("t1"))
        self.assertEqual([state.outcome for state in item.steps], [DONE, None])

    def test_who_asks_for_a_try_is_heard(self):
        """The courier learns of what was retried or released, not of what was held."""
        heard = []
        self.queue.listen(lambda: None, heard.append)
        for name in ("t1", "t2"):
            self.send(name)
        for verb in (self.desk.retry, self.desk.hold, self.desk.unhold):
            self.did(verb(["t1"]))
            self.queue.look()
            self.queue.due(NOW)
        self.assertEqual(heard, [("t1",), ("t1",)])

    def lose_power_over(self, changed):
        """The process ends with this state of an item noted, but not in its file."""
        apply, self.room.spool._in_hand.apply = self.room.spool._in_hand.apply, lambda note: None
        self.successResultOf(self.queue.record(changed))
        self.room.spool._in_hand.apply = apply
        os.close(self.room.spool._commits._life)
        for held in self.room.spool._in_hand._held.values():
            os.close(held.fd)

    def test_what_was_returned_after_a_crash_is_not_tried_again(self):
        """That it waits for its next attempt, as the crashed process noted, is no news after that."""
        for trace, verb in (("t1", partial(self.desk.bounce, why="Full.")), ("t2", self.desk.delete)):
            self.queue.listen(lambda: None)
            self.send(trace, RELAY, OTHER, retire=False)
            item = self.successResultOf(self.queue.claim(trace))
            self.room.spool._in_hand.ripen(trace)
            done = replace(item.steps[0], outcome=DONE)
            self.lose_power_over(replace(item, steps=(done, replace(item.steps[1], attempts=1, next_at=NOW + 60))))
            self.assertEqual(self.did(verb([trace])), ([trace], {}))
            self.room = a_spool(self.room.root, store=self.room.store)
            self.successResultOf(self.room.spool.recover())
            self.queue = self.room.spool.queue
            item = self.successResultOf(self.queue.claim(trace))
            self.assertEqual(item.steps[0].outcome, DONE)
            self.assertIn(item.steps[1].outcome.kind, ("failed", "done"))
            self.successResultOf(self.queue.release(trace, NOW))

    def test_a_verb_while_a_node_starts(self):
        """Who was changing the item when the start came to it loses nothing, and nothing that was noted is lost."""
        self.queue.listen(lambda: None)
        self.send("t1", RELAY, OTHER)
        item = self.successResultOf(self.queue.claim("t1"))
        self.lose_power_over(replace(item, steps=(replace(item.steps[0], outcome=DONE), item.steps[1])))
        items = self.desk._items
        claim = try_lock(items.envelope_path("t1"))
        old = items.read("t1")
        again = a_spool(self.room.root, store=self.room.store)
        starting = threading.Thread(target=again.spool._recover, daemon=True)
        starting.start()
        starting.join(0.1)
        os.close(items.write(replace(old, held=True)))
        os.close(claim)
        starting.join(30)
        self.assertFalse(starting.is_alive())
        item = self.desk.item("t1")
        self.assertEqual((item.held, [state.outcome for state in item.steps]), (True, [DONE, None]))

    def test_a_start_does_not_wait_for_ever(self):
        """A lock that nobody gives back: it is said, and after a while what was noted is written all the same."""
        self.patch(claim, "LOOK_EVERY_S", 0.001)
        self.queue.listen(lambda: None)
        self.send("t1", RELAY, OTHER)
        item = self.successResultOf(self.queue.claim("t1"))
        self.lose_power_over(replace(item, steps=(replace(item.steps[0], outcome=DONE), item.steps[1])))
        lock = try_lock(self.desk._items.envelope_path("t1"))
        again = a_spool(self.room.root, store=self.room.store)
        self.patch(recovery, "Patience", lambda trouble: claim.Patience(trouble, 0.05))
        self.successResultOf(again.spool.recover())
        self.assertEqual([state.outcome for state in self.desk.item("t1").steps], [DONE, None])
        (trouble,) = again.journal.named("trouble")
        self.assertEqual(trouble.args[0], "waiting for at most 0 s")
        self.assertIsNotNone(self.successResultOf(again.spool.queue.claim("t1")))
        os.close(lock)

    def test_durable_for_all_together(self):
        """After the last one everything that was done survives a power cut; few flushes for many items."""
        for n in range(20):
            self.send(f"t{n}", retire=False)
        self.room.clock.advance(1)
        since = len(self.room.disk.events)
        self.did(self.desk.hold([f"t{n}" for n in range(20)]))
        flushes = [event[0] for event in self.room.disk.events[since:] if event[0].startswith("flush")]
        self.assertEqual(flushes.count("flush_directory"), 1)
        root = self.mktemp()
        Model(self.room.disk.events).build(root, DROPPED)
        desk = QueueDesk(os.path.join(root, "spool"), disk=Disk(), now=lambda: NOW, who="root")
        self.assertEqual([item.held for item in desk.items()], [True] * 20)

    def test_an_interrupted_command_is_durable_so_far(self):
        """Stopped in the middle, what was said to be done is, and the node knows; the rest is not touched."""
        self.patch(desk, "TOGETHER", 1)
        self.send("t1")
        self.send("t2")
        changes = self.desk.hold(["t1", "t2"])
        self.assertEqual(next(changes).trace, "t1")
        changes.close()
        self.assertEqual([nudge.traces for nudge in Nudges(self.room.places.nudges, Disk()).take()], [("t1",)])
        self.assertEqual([item.held for item in self.desk.items()], [True, False])

    def test_a_flush_that_fails_changes_nothing(self):
        """An envelope has its name only once it is on the disk: the old one, or the new one, survives a power cut."""
        traces = [f"t{n}" for n in range(3)]
        for trace in traces:
            self.send(trace)

        def broken(call):
            if call in ("flush", "flush_filesystem"):
                raise OSError(5, "Input/output error")

        for together in (False, True):
            self.patch(desk, "FLUSHED_ONE_BY_ONE", 0 if together else 64)
            self.room.disk.before = broken
            self.assertRaises(OSError, list, self.desk.hold(traces))
            self.room.disk.before = lambda call: None
            self.assertEqual([item.held for item in self.desk.items()], [False] * 3)
            self.assertEqual(files_under(self.room.places.nudges), [])
            self.assertEqual([name for name in files_under(self.room.places.items) if name.endswith(".tmp")], [])

    def test_whenever_the_power_is_cut_an_item_is_whole(self):
        """While many are changed together: no envelope has its name before its octets."""
        self.patch(desk, "FLUSHED_ONE_BY_ONE", 0)
        for trace in ("t1", "t2"):
            self.send(trace)
        began = len(self.room.disk.events)
        self.did(self.desk.hold(["t1", "t2"]))
        for number in range(began, len(self.room.disk.events) + 1):
            root = self.mktemp()
            Model(self.room.disk.events[:number]).build(root, NAMES)
            items = Items(Places(os.path.join(root, "spool")), Disk())
            self.assertEqual([items.is_whole("t1"), items.is_whole("t2")], [True, True], number)

    def test_the_same_item_twice(self):
        """Named twice in a command it is changed once."""
        self.send("t1")
        self.assertEqual(self.did(self.desk.hold(["t1", "t1"])), (["t1"], {}))

    def test_a_start_that_did_not_wait(self):
        """A command that was stopped in the middle and goes on after a start undoes nothing of what the start wrote."""
        self.send("t1")
        items, held = self.desk._items, desk._held

        def overtaken(item):
            os.close(items.write(replace(item, subject="newer")))
            return held(item)

        self.patch(desk, "_held", overtaken)
        with self.assertRaisesRegex(OSError, "a start of the node has not waited for this command"):
            list(self.desk.hold(["t1"]))
        self.assertEqual((self.desk.item("t1").subject, self.desk.item("t1").held), ("newer", False))
        self.assertEqual([name for name in files_under(self.room.places.items) if name.endswith(".tmp")], [])

    def test_no_room_for_a_nudge(self):
        """On a full disk mail can still be deleted; the node notices when it looks through the folder."""
        self.send("t1")

        def full(call):
            if call in ("create", "write"):
                raise OSError(28, "No space left on device")

        self.room.disk.before = full
        self.assertEqual(self.did(self.desk.delete(["t1"])), (["t1"], {}))
        self.assertIsNone(self.due())
        self.assertEqual(Places(self.room.places.root).items and files_under(self.room.places.items), [])


class BothAtOnceTests(SynchronousTestCase):
    """A node that works and an administrator who does all he can, at the same time on the same few items."""

    ROUNDS = 1_500

    def setUp(self):
        root = self.mktemp()
        os.makedirs(root)
        self.room = a_spool(root, disk=HastyDisk())
        self.queue = self.room.spool.queue
        self.desk = QueueDesk(self.room.places.root, disk=self.room.disk, now=self.room.clock.seconds, who="root")
        self.items = [f"t{n}" for n in range(40)]
        for trace in self.items:
            self.successResultOf(receive(self.room, trace, b"\r\nx\r\n", RELAY)[0])
        self.room.clock.advance(1)
        self.held, self.returned, self.deleted, self.troubles = {}, set(), set(), []

    def administer(self):
        choice = random.Random(1)
        try:
            for n in range(self.ROUNDS):
                trace = choice.choice(self.items)
                verb = choice.choices(("hold", "unhold", "retry", "bounce", "delete"), (40, 40, 20, 2, 2))[0]
                if verb in ("unhold", "bounce", "delete"):
                    self.held.pop(trace, None)
                extra = ("no",) if verb == "bounce" else ()
                (change,) = getattr(self.desk, verb)([trace], *extra)
                if change.refusal is None:
                    if verb == "hold":
                        self.held[trace] = n
                    elif verb == "bounce":
                        self.returned.add(trace)
                    elif verb == "delete":
                        self.deleted.add(trace)
                elif not isinstance(change.refusal, (Busy, Never)):
                    self.troubles.append(change.refusal)
        except Exception as error:
            self.troubles.append(error)

    def work(self, choice, finished):
        """One look and what is due then."""
        self.queue.look()
        while (trace := self.queue.due(self.room.clock.seconds())) is not None:
            mark, gone, back = self.held.get(trace), trace in self.deleted, trace in self.returned
            item = self.successResultOf(self.queue.claim(trace))
            if item is None:
                continue
            (state,) = item.steps
            self.assertFalse(item.held or gone or trace in finished, trace)
            if mark is not None:
                self.assertNotEqual(self.held.get(trace), mark, f"{trace} is held")
            if back:
                self.assertEqual(state.outcome and state.outcome.kind, "failed")
            if state.outcome is not None or choice.random() < 0.02:
                self.successResultOf(self.queue.finish(item))
                finished.append(trace)
                continue
            next_at = self.room.clock.seconds() + choice.choice((0, 3))
            later = replace(state, attempts=state.attempts + 1, next_at=next_at)
            self.successResultOf(self.queue.record(replace(item, steps=(later,))))
            self.successResultOf(self.queue.release(trace, later.next_at, choice.choice(("", "smart-host"))))

    def test_each_item_has_one_end(self):
        """Nobody gets what is held, returned mail fails, deleted mail is never touched again, and none is lost."""
        choice, finished = random.Random(2), []
        desk = threading.Thread(target=self.administer)
        desk.start()
        while desk.is_alive():
            self.work(choice, finished)
            self.room.clock.advance(1)
        desk.join()
        self.assertEqual(self.troubles, [])
        list(self.desk.unhold(list(self.held)))
        self.held.clear()
        for _ in range(2_000):
            self.work(choice, finished)
            self.room.clock.advance(1)
        self.assertEqual(sorted([*finished, *self.deleted]), sorted(self.items))
        self.assertGreater(len(self.deleted), 3)
        self.assertEqual(files_under(self.room.places.items), [])
        self.assertEqual(self.room.journal.named("trouble"), [])
