"""Watched folders: one look for all who watch, at a ring and every five seconds."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import FakeDoorbell, HeldThreads, InlineThreads, RecordingJournal
from tests.imap.memory_store import MemoryStore
from unitymail.imap.watch import Watches


class WatchTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.doorbell = FakeDoorbell()
        self.journal = RecordingJournal()
        self.account = MemoryStore().account("u-robin")
        self.inbox = self.account.folder("INBOX")
        self.heard = []

    def watches(self, threads=None):
        return Watches(
            clock=self.clock, threads=threads or InlineThreads(), doorbell=self.doorbell, journal=self.journal
        )

    def looks(self):
        return self.inbox.calls.count("refresh")

    def test_a_ring(self):
        """A ring makes one look, however many watch, and all are told at once."""
        watches = self.watches()
        for n in range(3):
            watches.watch("u-robin", self.inbox, lambda gone, n=n: self.heard.append((n, gone)))
        self.inbox.arrive(b"x")
        self.doorbell.ring("u-robin", "INBOX")
        self.assertEqual(sorted(self.heard), [(0, False), (1, False), (2, False)])
        self.assertEqual(self.looks(), 1)
        self.assertEqual(len(watches), 1)

    def test_other_folders(self):
        """A ring for another folder or account is not ours."""
        self.watches().watch("u-robin", self.inbox, self.heard.append)
        self.doorbell.ring("u-robin", "Sent")
        self.doorbell.ring("u-chris", "INBOX")
        self.assertEqual(self.looks(), 0)

    def test_without_a_ring(self):
        """Every five seconds there is one look per folder; nothing new is nothing to tell."""
        watches = self.watches()
        for _ in range(3):
            watches.watch("u-robin", self.inbox, self.heard.append)
        self.clock.pump([1] * 16)
        self.assertEqual((self.looks(), self.heard), (3, []))
        self.inbox.arrive(b"x")
        self.clock.advance(5)
        self.assertEqual(self.heard, [False] * 3)

    def test_a_ring_during_a_look(self):
        """A ring that comes while a look is on its way makes another, and only one."""
        threads = HeldThreads()
        self.watches(threads).watch("u-robin", self.inbox, self.heard.append)
        for _ in range(4):
            self.doorbell.ring("u-robin", "INBOX")
        self.assertEqual(len(threads.waiting), 1)
        threads.step()
        self.assertEqual(len(threads.waiting), 1)
        self.inbox.arrive(b"x")
        threads.step()
        self.assertEqual((self.heard, threads.waiting), ([False], []))

    def test_stopping(self):
        """When the last one stops, nothing remains, even while a look is on its way."""
        threads = HeldThreads()
        watches = self.watches(threads)
        stops = [watches.watch("u-robin", self.inbox, self.heard.append) for _ in range(2)]
        self.doorbell.ring("u-robin", "INBOX")
        stops[0]()
        stops[0]()
        self.assertEqual(len(watches), 1)
        stops[1]()
        self.inbox.arrive(b"x")
        threads.step()
        self.assertEqual((len(watches), self.clock.getDelayedCalls(), self.doorbell.listeners), (0, [], []))
        self.assertEqual(self.heard, [])

    def test_deleted(self):
        """The deletion of a watched folder is told."""
        work = self.account.create("Work")
        self.watches().watch("u-robin", work, self.heard.append)
        self.account.delete("Work")
        self.doorbell.ring("u-robin", "Work")
        self.assertEqual(self.heard, [True])

    def test_trouble(self):
        """A look that fails goes to the journal; the next one comes."""
        self.watches().watch("u-robin", self.inbox, self.heard.append)
        looks, self.inbox.refresh = self.inbox.refresh, lambda: 1 / 0
        self.clock.advance(5)
        self.assertEqual(len(self.journal.named("trouble")), 1)
        self.inbox.refresh = looks
        self.inbox.arrive(b"x")
        self.clock.advance(5)
        self.assertEqual(self.heard, [False])

    def test_slices(self):
        """A thousand watchers are told in slices, so that the reactor can do other work in between."""
        for _ in range(1000):
            self.watches_many().watch("u-robin", self.inbox, self.slow)
        self.inbox.arrive(b"x")
        self.doorbell.ring("u-robin", "INBOX")
        self.assertLess(len(self.heard), 10)
        for _ in range(400):
            self.clock.advance(0)
        self.assertEqual(len(self.heard), 1000)

    def watches_many(self):
        if not hasattr(self, "many"):
            self.many = self.watches()
        return self.many

    def slow(self, gone):
        self.heard.append(gone)
        self.clock.rightNow += 0.001

    def test_another_program_is_seen_at_once(self):
        """Who can see what others do to the directories looks then; nobody sees what nobody watches."""
        eyes = FakeEyes()
        watches = Watches(
            clock=self.clock, threads=InlineThreads(), doorbell=self.doorbell, journal=self.journal, eyes=eyes
        )
        stop = watches.watch("u-robin", self.inbox, self.heard.append)
        self.inbox.arrive(b"x")
        eyes.watched[0]()
        self.assertEqual((self.heard, self.looks()), ([False], 1))
        stop()
        self.assertEqual(eyes.watched, [])


class FakeEyes:
    """`watched`: what to call when something changed."""

    def __init__(self):
        self.watched = []

    def watch(self, places, changed):
        self.watched.append(changed)
        return lambda: self.watched.remove(changed)
