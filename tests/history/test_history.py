"""The history is written a moment later, gives way to nothing, and stands in nobody's way."""

import sqlite3

from twisted.internet import defer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.fakes import InlineThreads, RecordingJournal
from tests.history.letters import CHRIS, NOON, ROBIN, batch_of, decision, received, trace_of
from unitymail.disk import Disk
from unitymail.history.history import AGAIN_S, PRUNE_EVERY_S, WRITE_EVERY_S, History
from unitymail.history.schema import DAY_S
from unitymail.interfaces.history import IHistory


class MoodyDisk(Disk):
    """Fails with `error` while there is one."""

    error = None

    def begin(self, connection, *, durable):
        if self.error is not None:
            raise self.error
        super().begin(connection, durable=durable)


class HeldThreads:
    """Work waits until `go()`."""

    def __init__(self):
        self.waiting = []

    def run(self, function, *args):
        self.waiting.append((defer.Deferred(), function, args))
        return self.waiting[-1][0]

    def go(self):
        waiting, self.waiting = self.waiting, []
        for done, function, args in waiting:
            defer.execute(function, *args).chainDeferred(done)


class HistoryTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.clock.advance(NOON)
        self.disk = MoodyDisk()
        self.journal = RecordingJournal()
        self.threads = InlineThreads()
        self.path = self.mktemp()

    def make(self, **how):
        history = History(
            self.path, disk=self.disk, clock=self.clock, threads=self.threads, days=lambda: 30, journal=self.journal,
            **how,
        )  # fmt: skip
        self.addCleanup(lambda: self.go(history.stop()))
        return history

    def go(self, deferred):
        while isinstance(self.threads, HeldThreads) and self.threads.waiting:
            self.threads.go()
        return self.successResultOf(deferred)

    def note(self, history, n):
        for _, event, facts in batch_of(n, NOON)[trace_of(n)]:
            history.note(trace_of(n), event, facts)

    def troubles(self):
        return [trouble.args[0] for trouble in self.journal.named("trouble")]

    def test_it_keeps_its_promise(self):
        """The interface, whole."""
        verifyObject(IHistory, self.make())

    def test_written_within_a_second(self):
        """Nothing at once, everything soon, in one go."""
        history = self.make()
        for n in range(3):
            self.note(history, n)
        self.assertIsNone(history.story(trace_of(0)))
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(WRITE_EVERY_S)
        self.assertEqual(len(history.find(sender=ROBIN)), 3)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_while_it_writes(self):
        """What is noted meanwhile waits for the next time: one write at once."""
        self.threads = HeldThreads()
        history = self.make()
        self.note(history, 1)
        self.clock.advance(WRITE_EVERY_S)
        self.note(history, 2)
        self.clock.advance(WRITE_EVERY_S * 10)
        self.assertEqual(len(self.threads.waiting), 1)
        self.threads.go()
        self.clock.advance(WRITE_EVERY_S)
        self.threads.go()
        self.assertEqual(len(history.find(sender=ROBIN)), 2)

    def test_a_full_disk_costs_nothing_but_a_word(self):
        """Events wait and are written later; the journal hears of it once a minute."""
        history = self.make()
        self.disk.error = sqlite3.OperationalError("database or disk is full")
        self.note(history, 1)
        for _ in range(30):
            self.clock.advance(AGAIN_S)
        self.assertEqual(len(self.troubles()), 3)
        self.assertIn("mail goes on without", self.troubles()[0])
        self.note(history, 2)
        self.disk.error = None
        self.clock.advance(AGAIN_S)
        self.assertEqual(len(history.find(sender=ROBIN)), 2)
        self.assertEqual(len(history.story(trace_of(1)).events), 3)

    def test_bounded(self):
        """Beyond the bound events are dropped, and the journal says how many when it can write again."""
        history = self.make(most=4)
        self.disk.error = OSError(5, "Input/output error")
        for n in range(3):
            self.note(history, n)
        self.clock.advance(WRITE_EVERY_S)
        self.disk.error = None
        self.clock.advance(AGAIN_S)
        self.assertIn("5 events of messages are missing in the history: they came too fast for it", self.troubles())
        self.note(history, 4)
        self.clock.advance(WRITE_EVERY_S)
        self.assertIsNotNone(history.story(trace_of(4)))

    def test_a_damaged_file_begins_anew(self):
        """It is put aside, said, and the batch goes into the new one."""
        with open(self.path, "wb") as file:
            file.write(b"no database" * 100)
        history = self.make()
        self.note(history, 1)
        self.clock.advance(WRITE_EVERY_S)
        self.assertIsNotNone(history.story(trace_of(1)))
        self.assertIn(f"{self.path}.damaged", self.troubles()[0])

    def test_a_damaged_file_is_noticed_before_any_mail_comes(self):
        """Forgetting finds it first: it is put aside and said once, and `trace` answers again."""
        with open(self.path, "wb") as file:
            file.write(b"no database" * 100)
        history = self.make()
        history.start()
        self.clock.advance(WRITE_EVERY_S)
        self.assertIsNone(history.story(trace_of(1)))
        self.note(history, 1)
        self.clock.advance(WRITE_EVERY_S)
        self.assertIsNotNone(history.story(trace_of(1)))
        self.assertEqual([f"{self.path}.damaged" in words for words in self.troubles()], [True])

    def test_what_can_never_be_written_is_not_tried_forever(self):
        """A surprise costs its batch."""
        history = self.make()
        self.disk.error = ValueError("a surprise")
        self.note(history, 1)
        self.clock.advance(WRITE_EVERY_S)
        self.disk.error = None
        self.note(history, 2)
        self.clock.advance(AGAIN_S)
        self.assertEqual(len(history.find(sender=ROBIN)), 1)
        self.assertEqual(len(self.troubles()), 1)

    def test_old_stories_go(self):
        """After the days that the site keeps them; looked at now and then, and at once again while there is more."""
        history = self.make()
        history.start()
        self.note(history, 1)
        self.clock.advance(31 * DAY_S)
        self.note(history, 2)
        self.clock.advance(PRUNE_EVERY_S)
        for _ in range(5):
            self.clock.advance(WRITE_EVERY_S)
        self.assertEqual([story.trace for story in history.find(sender=ROBIN)], [trace_of(2)])
        self.assertIsNone(history.story(trace_of(1)))

    def test_pruning_that_fails_goes_on_later(self):
        """A locked file is no reason to keep stories forever."""
        history = self.make()
        history.start()
        self.disk.error = sqlite3.OperationalError("database is locked")
        self.clock.advance(WRITE_EVERY_S)
        self.assertEqual(len(self.troubles()), 1)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_stopping_writes_what_waits(self):
        """Nothing noted before the stop is lost, and nothing is left on the clock."""
        self.threads = HeldThreads()
        history = self.make()
        history.start()
        self.note(history, 1)
        self.clock.advance(WRITE_EVERY_S)
        self.note(history, 2)
        stopped = history.stop()
        self.assertNoResult(stopped)
        self.go(stopped)
        self.assertEqual(len(history.find(sender=ROBIN)), 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_thousand_recipients(self):
        """A message to very many is told whole, and each of them finds it."""
        many = [f"u{n}@example.com" for n in range(1_000)]
        history = self.make()
        history.note("t", "received", received(many))
        history.note("t", "decided", {"decision": decision(many)})
        for address in many:
            history.note("t", "delivered", {"account": address, "address": address})
        self.clock.advance(WRITE_EVERY_S)
        (story,) = history.find(sender=ROBIN, recipient="u999@example.com")
        self.assertEqual(len(story.recipients), 1_000)
        self.assertEqual(sum(event.event == "delivered" for event in story.events), 1_000)
        self.assertEqual(history.find(recipient=CHRIS), [])
