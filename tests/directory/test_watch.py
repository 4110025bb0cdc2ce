"""The watcher: a change is taken within a second, or at once when somebody rings; failures are said once."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import HeldThreads, InlineThreads, RecordingJournal
from unitymail.directory.watch import Watcher


class SmallBook:
    """A book whose directory is a number."""

    usn = 1
    newest = 1
    broken = None
    looks = 0

    def refresh(self):
        self.looks += 1
        if self.broken:
            raise self.broken
        changed, self.usn = self.newest != self.usn, self.newest
        return changed


class WatcherTests(SynchronousTestCase):
    def setUp(self):
        self.book, self.clock, self.journal = SmallBook(), Clock(), RecordingJournal()
        self.watcher = Watcher(self.book, InlineThreads(), clock=self.clock, journal=self.journal)
        self.heard = []
        self.watcher.listen(self.heard.append)

    def test_a_change_is_seen_within_a_second(self):
        """Nobody rings: polling finds it."""
        self.watcher.start()
        self.book.newest = 2
        self.clock.advance(1)
        self.assertEqual(self.heard, [2])
        self.assertEqual(self.journal.named("settings_changed")[0].args, (2,))
        self.successResultOf(self.watcher.stop())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_change_is_no_news(self):
        """A quiet directory fills no log."""
        self.watcher.start()
        self.clock.pump([1] * 10)
        self.assertEqual((self.heard, self.journal.events), ([], []))

    def test_a_ring_is_answered_with_the_number_taken(self):
        """Whoever rings learns that the change is in force."""
        self.book.newest = 7
        self.assertEqual(self.successResultOf(self.watcher.take(7)), 7)
        self.assertEqual(self.successResultOf(self.watcher.take(5)), 7)
        self.assertEqual(self.book.looks, 1)

    def test_a_look_under_way_does_not_count(self):
        """It may have begun before the change: a ring during a look makes another one, and many share it."""
        threads = HeldThreads()
        watcher = Watcher(self.book, threads, clock=self.clock, journal=self.journal)
        first = watcher.take(2)
        self.book.newest = 3
        later = [watcher.take(3), watcher.take(3)]
        threads.step()
        self.assertEqual(self.successResultOf(first), 3)
        self.assertNoResult(later[0])
        stopped = watcher.stop()
        self.assertNoResult(stopped)
        threads.step()
        self.assertEqual([self.successResultOf(d) for d in later], [3, 3])
        self.assertIsNone(self.successResultOf(stopped))
        self.assertEqual(threads.waiting, [])

    def test_trouble_is_said_once_and_does_not_stop_it(self):
        """A database that is away for a while makes one line, the answer is honest, and it is found again."""
        self.watcher.start()
        self.book.broken, self.book.newest = OSError("away"), 2
        self.clock.pump([1, 1, 1])
        self.assertEqual(self.successResultOf(self.watcher.take(2)), 1)
        self.assertEqual(len(self.journal.named("trouble")), 1)
        self.book.broken = None
        self.clock.advance(1)
        self.assertEqual(self.heard, [2])
