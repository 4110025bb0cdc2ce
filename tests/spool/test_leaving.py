"""Finished items leave: answered first, then removed; meanwhile they are nobody's, and a crash brings none back."""

import os

from twisted.internet.defer import Deferred

from tests.fakes import InlineThreads
from tests.spool.queue_room import QueueTests, tried
from tests.spool.room import NOW
from unitymail.interfaces.spool import DONE
from unitymail.spool import leaving
from unitymail.spool.leaving import Leaving


class SlowToRemove(InlineThreads):
    """Everything is done at once, but the removing of files waits until the test lets it go."""

    def __init__(self):
        self.held = None

    def run(self, function, *args, **kwargs):
        if self.held is None or getattr(function, "__func__", None) is not Leaving.remove:
            return super().run(function, *args, **kwargs)
        done = Deferred()
        self.held.append(lambda: done.callback(function(*args, **kwargs)))
        return done

    def go(self):
        held, self.held = self.held, None
        for job in held:
            job()


class LeavingTests(QueueTests):
    def setUp(self):
        super().setUp()
        self.threads = self.room.threads = SlowToRemove()
        for one in (self.room.spool._leaving, self.room.spool._committer, self.room.spool):
            one._threads = self.threads
        self.threads.held = []

    def end(self, *traces):
        """Items of files, each finished."""
        for trace in traces:
            self.put(trace)
        self.queue.look()
        for trace in traces:
            self.finish(tried(self.claim(trace), DONE))

    def left(self):
        return sorted(name for name in os.listdir(self.places.items) if name.endswith(".json"))

    def test_the_answer_does_not_wait(self):
        """Who finishes an item goes on while its files are still there; nobody sees it any more or can claim it."""
        self.end("t1")
        self.assertEqual(self.left(), ["t1.json"])
        self.assertEqual(self.queue.look(), 0)
        self.assertIsNone(self.queue.due(NOW + 3_600))
        self.assertIsNone(self.claim("t1"))
        self.assertIsNone(self.claim("t1", self.another()))
        self.threads.go()
        self.assertEqual(os.listdir(self.places.items), [])
        self.assertNotIn("t1", self.room.spool._in_hand)

    def test_a_crash_before_the_files_go(self):
        """The note is durable: the next start removes them, and does nothing again."""
        self.end("t1")
        self.crash()
        self.assertEqual(self.queue.look(), 0)
        self.assertEqual(os.listdir(self.places.items), [])

    def test_a_crash_between_the_two_files(self):
        """A message file alone is no item: the next start removes it."""
        self.end("t1")
        self.fails = lambda call: call == "unlink" and not self.left()
        self.threads.go()
        self.fails = lambda call: False
        self.assertEqual(os.listdir(self.places.items), ["t1.eml"])
        self.crash()
        self.assertEqual(self.queue.look(), 0)
        self.assertEqual(os.listdir(self.places.items), [])

    def test_all_that_wait_go_together(self):
        """One job at a time, and the next takes all that have ended meanwhile."""
        self.end("t1", "t2", "t3")
        self.assertEqual(len(self.threads.held), 1)
        run, jobs = self.threads.run, []
        self.threads.run = lambda job, *args: (jobs.append(job), run(job, *args))[1]
        self.threads.go()
        self.assertEqual(len(jobs), 1)
        self.assertEqual(os.listdir(self.places.items), [])

    def test_no_more_than_some_wait(self):
        """Beyond that the next commit removes them before it writes that more have ended."""
        self.patch(leaving, "MOST", 2)
        self.end("t1", "t2", "t3", "t4", "t5", "t6")
        self.assertEqual(self.left(), ["t1.json", "t2.json", "t3.json", "t6.json"])
        self.threads.go()
        self.assertEqual(os.listdir(self.places.items), [])

    def test_a_stop_waits_for_them(self):
        """A clean stop leaves a clean spool."""
        self.end("t1", "t2")
        stopped = self.room.spool.stop()
        self.assertNoResult(stopped)
        self.threads.go()
        self.successResultOf(stopped)
        self.assertEqual(os.listdir(self.places.items), [])
        self.assertEqual(os.listdir(self.places.journal), [])

    def test_their_notes_stay_until_their_absence_is_durable(self):
        """The retirement lets no note go before its item, nor before that would survive a power cut."""
        self.end("t1")
        since = len(self.room.disk.events)
        self.retire()
        self.assertEqual(self.room.spool._commits.unretired(), 1)
        self.assertNotIn("unlink", self.events(since))
        self.threads.go()
        self.assertEqual(self.room.spool._commits.unretired(), 1)
        self.retire()
        self.assertEqual(self.room.spool._commits.unretired(), 0)
        calls = [event[:2] for event in self.room.disk.events[since:]]
        files = [calls.index(("unlink", f"spool/items/t1.{ending}")) for ending in ("json", "eml")]
        durable = calls.index(("flush_directory", "spool/items"))
        self.assertLess(max(files), durable)
        segments = [n for n, (call, path) in enumerate(calls) if call == "unlink" and path.startswith("spool/journal/")]
        self.assertEqual([n > durable for n in segments], [True])

    def test_files_that_cannot_go_are_told_of_and_tried_again(self):
        """The retirement removes what could not be removed at once."""
        self.end("t1", "t2")
        self.fails = lambda call: call == "unlink"
        self.threads.go()
        (trouble, _) = self.room.journal.named("trouble")
        self.assertEqual(trouble.args[0], "removing the files of t1; it is tried again")
        self.assertIsNone(self.claim("t1", self.another()))
        self.fails = lambda call: False
        self.retire()
        self.assertEqual(os.listdir(self.places.items), [])
        self.assertEqual(self.room.spool._commits.unretired(), 0)

    def test_a_surprise_leaves_them_to_the_retirement(self):
        """Neither they nor those that come later stay because of it."""

        class Odd:
            async def remove(self, locked):
                raise RuntimeError("can't start new thread")

        class Odder(Odd):
            async def remove(self, locked):
                await asked
                await super().remove(locked)

        asked = Deferred()
        self.room.spool._leaving._remover = Odder()
        self.end("t8", "t9")
        asked.callback(None)
        self.retire()
        self.assertEqual((os.listdir(self.places.items), self.room.spool._commits.unretired()), ([], 0))
        self.room.journal.events.clear()

        self.room.spool._leaving._remover = Odd()
        self.end("t1")
        (trouble,) = self.room.journal.named("trouble")
        self.assertEqual(trouble.args[0], "removing finished items")
        self.room.spool._leaving._remover = None
        self.threads.go()
        self.assertEqual(self.room.spool._leaving._waiting, [])
        self.end("t2")
        self.assertEqual(self.left(), ["t1.json"])
        self.retire()
        self.assertEqual(os.listdir(self.places.items), [])
        self.assertEqual(self.room.spool._commits.unretired(), 0)
