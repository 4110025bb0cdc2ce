"""The parent's watch: all serve before the node is ready, the dead are replaced, the hung ended, the end is orderly."""

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import RecordingJournal
from unitymail.interfaces.ledger import Count
from unitymail.ledger.local import LocalLedger
from unitymail.ledger.words import Take, Taken
from unitymail.workers.berth import HUNG_AFTER_S, SERVES_WITHIN_S, UNWELL_AFTER_S
from unitymail.workers.supervisor import STOPS_WITHIN_S, CannotServe, Supervisor
from unitymail.workers.words import Beat, Cover, Leaving, OfLedger, Ready, Reload, Stop


class FakeWorker:
    def __init__(self, pid, berth, heard, ended):
        self.pid, self.berth, self.heard, self.ended = pid, berth, heard, ended
        self.said, self.killed = [], False

    def say(self, word):
        self.said.append(word)

    def kill(self):
        self.killed = True

    def covers(self):
        return next((word.berths for word in reversed(self.said) if isinstance(word, Cover)), ())


class SupervisorTests(SynchronousTestCase):
    def setUp(self):
        self.clock, self.journal, self.ledger = Clock(), RecordingJournal(), LocalLedger()
        self.workers, self.mended, self.changes = [], [], []
        self.mending = lambda pid: succeed(None)
        self.cannot = None
        self.crew = Supervisor(
            2, begin=self.begin, mend=self.mend, ledger=self.ledger, journal=self.journal, clock=self.clock,
            changed=lambda: self.changes.append(len(self.crew.workers())),
        )

    def begin(self, berth, heard, ended):
        if self.cannot is not None:
            raise self.cannot
        self.workers.append(FakeWorker(100 + len(self.workers), berth, heard, ended))
        return self.workers[-1]

    async def mend(self, pid):
        self.mended.append(pid)
        await self.mending(pid)

    def started(self):
        done = self.crew.start()
        for worker in self.workers:
            worker.heard(Ready())
        self.successResultOf(done)
        return self.workers[:2]

    def beat(self, seconds, *workers):
        """So much time goes by, in which these workers are heard of."""
        for _ in range(seconds):
            self.clock.advance(1)
            for worker in workers:
                worker.heard(Beat())

    # beginning

    def test_ready_when_all_are(self):
        """Not before the last worker serves."""
        done = self.crew.start()
        self.assertEqual([worker.berth for worker in self.workers], [0, 1])
        self.workers[1].heard(Ready())
        self.assertNoResult(done)
        self.assertEqual(self.workers[1].said, [])
        self.workers[0].heard(Ready())
        self.successResultOf(done)
        self.assertEqual([call.args[0] for call in self.journal.named("worker_ready")], [101, 100])

    def test_one_that_cannot_begin(self):
        """The node does not start on half its workers: the others are ended, and it is said why."""
        done = self.crew.start()
        self.workers[0].heard(Ready())
        self.workers[1].ended("exit code 1")
        self.assertIn("exit code 1", str(self.failureResultOf(done, CannotServe).value))
        self.assertEqual(self.workers[0].said, [Stop()])
        gone = self.crew.stop()
        self.assertNoResult(gone)
        self.workers[0].ended("exit code 0")
        self.successResultOf(gone)
        self.clock.advance(1000)
        self.assertEqual(len(self.workers), 2)

    def test_no_process_can_be_made(self):
        """At the start that is the end of it; which file is in the way is said."""
        self.cannot = PermissionError(13, "Permission denied", "/opt/bin/python")
        why = str(self.failureResultOf(self.crew.start(), CannotServe).value)
        self.assertEqual(why, "a worker cannot be started: /opt/bin/python: Permission denied")
        self.successResultOf(self.crew.stop())

    # replacing

    def test_the_dead_are_replaced(self):
        """What they left is seen to first, and the journal tells of them."""
        one, _ = self.started()
        waiting = Deferred()
        self.mending = lambda pid: waiting
        one.ended("killed by signal 9")
        self.clock.advance(5)
        self.assertEqual((self.mended, len(self.workers)), ([100], 2))
        waiting.callback(None)
        self.clock.advance(0)
        self.assertEqual((self.workers[2].berth, self.workers[2].pid), (0, 102))
        self.assertEqual(self.journal.named("worker_ended")[0].args, (100, "killed by signal 9", 0))
        self.workers[2].heard(Ready())
        self.assertEqual([worker["restarts"] for worker in self.crew.workers()], [1, 0])
        self.assertEqual(self.changes, [2, 2, 1, 2])

    def test_who_dies_again_and_again_waits(self):
        """No busy loop: the pauses grow, up to a minute, and each is said."""
        self.started()
        born = []
        for _ in range(9):
            before = len(self.workers)
            self.workers[-1].ended("exit code 1")
            seconds = 0
            self.clock.advance(0)
            while len(self.workers) == before:
                self.clock.advance(1)
                seconds += 1
            born.append(seconds)
        self.assertEqual(born, [0, 1, 2, 4, 8, 16, 32, 60, 60])
        self.assertEqual([call.args[2] for call in self.journal.named("worker_ended")], born)

    def test_no_process_for_a_while(self):
        """When the system gives none the place stays empty, and it is tried again."""
        one, _ = self.started()
        self.cannot = OSError(11, "Resource temporarily unavailable")
        one.ended("killed by signal 9")
        self.clock.pump([0, 1, 1, 1])
        self.assertEqual(len(self.workers), 2)
        self.cannot = None
        self.clock.pump([1] * 10)
        self.assertEqual(len(self.workers), 3)

    def test_what_cannot_be_mended(self):
        """It is said, and the place is taken nevertheless."""
        one, _ = self.started()

        def mending(pid):
            raise OSError(28, "No space left on device")

        self.mending = mending
        one.ended("killed by signal 9")
        self.clock.advance(0)
        self.assertEqual(len(self.workers), 3)
        self.assertEqual(len(self.journal.named("trouble")), 1)

    def test_who_cannot_be_told(self):
        """A notice that cannot be written, a report that nobody takes: the dead are replaced all the same."""
        one, two = self.started()

        def fail(*_):
            raise OSError(28, "No space left on device")

        self.crew._changed = fail
        self.crew.on_report("work", fail)
        two.heard(Beat({"work": 1}))
        one.heard(Beat({"work": 1}))
        one.ended("killed by signal 9")
        self.clock.advance(0)
        self.assertEqual((self.mended, len(self.workers)), ([100], 3))
        self.workers[2].heard(Ready())
        self.assertEqual(two.covers(), ())
        self.assertEqual(len(self.journal.named("trouble")), 5)

    # places

    def test_places_of_the_dead_return(self):
        """Connections of a dead worker count no more."""
        one, two = self.started()
        most = (Count("smtp", "", 2),)
        for number in range(2):
            one.heard(OfLedger(Take(number, most)))
        self.assertIsInstance(one.said[-1].word, Taken)
        two.heard(OfLedger(Take(1, most)))
        self.assertNotIsInstance(two.said[-1].word, Taken)
        one.ended("killed by signal 9")
        two.heard(OfLedger(Take(2, most)))
        self.assertIsInstance(two.said[-1].word, Taken)

    # covering

    def test_others_accept_for_whom_is_not_well(self):
        """For the dead at once, until they are replaced; for who leaves; for who says nothing for a few seconds."""
        one, two = self.started()
        one.ended("killed by signal 9")
        self.assertEqual(two.covers(), (0,))
        self.clock.advance(0)
        again = self.workers[2]
        self.assertEqual(two.covers(), (0,))
        again.heard(Ready())
        self.assertEqual(two.covers(), ())
        two.heard(Leaving())
        self.assertEqual(again.covers(), (1,))
        two.ended("exit code 0")
        self.assertTrue(self.journal.named("worker_ended")[-1].asked)
        self.clock.advance(0)
        third = self.workers[3]
        third.heard(Ready())
        self.assertEqual(again.covers(), ())
        self.beat(UNWELL_AFTER_S, third)
        self.assertEqual(third.covers(), (0,))
        again.heard(Beat())
        self.assertEqual(third.covers(), ())

    def test_who_hangs_is_ended(self):
        """After half a minute without a word it is killed, by its own id, and replaced like the dead."""
        one, two = self.started()
        self.beat(HUNG_AFTER_S - 1, two)
        self.assertFalse(one.killed)
        self.beat(1, two)
        self.assertEqual((one.killed, two.killed), (True, False))
        one.ended("killed by signal 9")
        self.clock.advance(0)
        self.assertEqual(len(self.workers), 3)

    def test_who_never_serves_is_ended(self):
        """A beat is not all: the start of a node, or a place that is empty, does not wait for a worker for ever."""
        done = self.crew.start()
        one, two = self.workers
        two.heard(Ready())
        self.beat(SERVES_WITHIN_S - 1, one, two)
        self.assertFalse(one.killed)
        self.beat(1, one, two)
        self.assertEqual((one.killed, two.killed), (True, False))
        self.assertIn("did not begin to serve within 300 s", self.journal.named("trouble")[0].args[0])
        one.ended("killed by signal 9")
        self.failureResultOf(done, CannotServe)
        self.crew.stop()
        two.ended("exit code 0")

    def test_a_parent_that_was_held_up_blames_nobody(self):
        """An hour in which this process did not run (a suspended machine, a clock set) counts as a second."""
        one, two = self.started()
        self.clock.advance(3600)
        self.assertFalse(one.killed or two.killed)

    # reports

    def test_reports(self):
        """Each value is told with who said it, and at last that nobody does any more."""
        one, two = self.started()
        found = []
        self.crew.on_report("work", lambda pid, value: found.append((pid, value)))
        one.heard(Beat({"work": 1, "other": 2}))
        two.heard(Beat({}))
        one.ended("exit code 1")
        two.ended("exit code 1")
        self.assertEqual(found, [(100, 1), (100, None)])

    # reloading and ending

    def test_reload(self):
        """Every worker that lives is told."""
        one, two = self.started()
        one.ended("killed by signal 9")
        self.crew.reload()
        self.assertEqual(two.said[-1], Reload())
        self.assertNotIn(Reload(), one.said)

    def test_the_end(self):
        """All are told, nobody is replaced, and it is over when the last has gone and what was left is seen to."""
        one, two = self.started()
        waiting = Deferred()
        self.mending = lambda pid: waiting
        gone = self.crew.stop()
        self.assertEqual([one.said[-1], two.said[-1]], [Stop(), Stop()])
        one.ended("exit code 0")
        two.ended("exit code 0")
        self.assertNoResult(gone)
        waiting.callback(None)
        self.successResultOf(gone)
        self.successResultOf(self.crew.stop())
        self.assertEqual([call.args[2] for call in self.journal.named("worker_ended")], [None, None])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_who_does_not_end_is_ended(self):
        """Patience is bounded; only those that still live are killed."""
        one, two = self.started()
        gone = self.crew.stop()
        one.ended("exit code 0")
        self.beat(int(STOPS_WITHIN_S), two)
        self.assertEqual((one.killed, two.killed), (False, True))
        two.ended("killed by signal 9")
        self.successResultOf(gone)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_the_end_while_a_place_is_empty(self):
        """Who was about to be begun is not."""
        one, two = self.started()
        one.ended("exit code 1")
        self.clock.advance(0)
        self.workers[2].ended("exit code 1")
        gone = self.crew.stop()
        two.ended("exit code 0")
        self.successResultOf(gone)
        self.clock.advance(1000)
        self.assertEqual(len(self.workers), 3)

    def test_an_end_without_a_beginning(self):
        """When the node cannot start for another reason there is nothing to end."""
        self.successResultOf(self.crew.stop())
