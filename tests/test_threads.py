"""Work that may block: done in threads, answered in the reactor's thread, finished before the end."""

import threading

from twisted.internet import reactor
from twisted.internet.defer import gatherResults, inlineCallbacks
from twisted.trial import unittest

from unitymail.threads import Threads


class ThreadsTests(unittest.TestCase):
    def pool(self, size):
        threads = Threads(reactor, "test", size)
        threads.start()
        self.addCleanup(threads.stop)
        return threads

    @inlineCallbacks
    def test_the_answer_comes_in_the_reactors_thread(self):
        """The work is done elsewhere, with all its arguments; its result comes home."""
        where = []
        answer = self.pool(1).run(lambda a, *, b: (a + b, threading.current_thread()), 1, b=2)
        answer.addCallback(lambda found: where.append(threading.current_thread()) or found)
        total, thread = yield answer
        self.assertEqual(total, 3)
        self.assertIsNot(thread, threading.current_thread())
        self.assertEqual(where, [threading.current_thread()])

    @inlineCallbacks
    def test_an_exception_comes_back_and_the_thread_lives_on(self):
        """Whatever the work raises fails its own Deferred, and nothing else."""
        threads = self.pool(1)
        yield self.assertFailure(threads.run(lambda: 1 / 0), ZeroDivisionError)
        found = yield threads.run(lambda: "well")
        self.assertEqual(found, "well")

    @inlineCallbacks
    def test_as_many_at_once_as_it_has_threads(self):
        """Three jobs that wait for each other all run in a pool of three; never more than that."""
        threads, meeting = self.pool(3), threading.Barrier(3, timeout=10)
        yield gatherResults([threads.run(meeting.wait) for _ in range(3)])
        names = yield gatherResults([threads.run(lambda: threading.current_thread().name) for _ in range(50)])
        self.assertLessEqual(len(set(names)), 3)

    @inlineCallbacks
    def test_one_after_the_other_wakes_one_thread(self):
        """What an answer leads to is done by the thread that gave it, however many others are idle."""
        threads, meeting = self.pool(4), threading.Barrier(4, timeout=10)
        yield gatherResults([threads.run(meeting.wait) for _ in range(4)])
        names = set()
        for _ in range(50):
            names.add((yield threads.run(lambda: threading.current_thread().name)))
        self.assertEqual(len(names), 1)

    @inlineCallbacks
    def test_the_end_comes_to_threads_at_work_and_to_idle_ones(self):
        """Nobody is left over after `stop`: neither who has nothing to do nor who has a queue before it."""
        threads, meeting = Threads(reactor, "test", 3), threading.Barrier(3, timeout=10)
        threads.start()
        yield gatherResults([threads.run(meeting.wait) for _ in range(3)])
        before, held = threading.active_count(), threading.Event()
        rest = [threads.run(held.wait, 10) for _ in range(2)] + [threads.run(lambda: None) for _ in range(20)]
        held.set()
        threads.stop()
        self.assertEqual(threading.active_count(), before - 3)
        yield gatherResults(rest)

    @inlineCallbacks
    def test_one_thread_keeps_the_order(self):
        """A pool of one does its jobs one after the other, first come first served."""
        threads, seen = self.pool(1), []
        yield gatherResults([threads.run(seen.append, n) for n in range(100)])
        self.assertEqual(seen, list(range(100)))

    @inlineCallbacks
    def test_the_end_waits_for_what_was_asked(self):
        """`stop` returns when everything queued is done; what comes later is left undone."""
        threads, done = Threads(reactor, "test", 1), []
        first = threads.run(done.append, 1)
        threads.start()
        rest = [threads.run(done.append, n) for n in (2, 3)]
        threads.stop()
        self.assertEqual(done, [1, 2, 3])
        yield gatherResults([first, *rest])
        self.assertFalse(threads.run(done.append, 4).called)
        self.assertEqual(done, [1, 2, 3])

    @inlineCallbacks
    def test_when_the_system_gives_no_more_threads(self):
        """Those that are there do the work, one job after the other; with none at all who asks is told."""
        begin, threads = threading.Thread.start, self.pool(3)

        def refused(thread):
            raise RuntimeError("can't start new thread")

        self.patch(threading.Thread, "start", refused)
        yield self.assertFailure(threads.run(threading.current_thread), RuntimeError)
        self.patch(threading.Thread, "start", begin)
        first = yield threads.run(threading.current_thread)
        self.patch(threading.Thread, "start", refused)
        others = yield gatherResults([threads.run(threading.current_thread) for _ in range(5)])
        self.assertEqual(others, [first] * 5)
        self.patch(threading.Thread, "start", begin)
