"""The group commit: what shares what, in which order, and who suffers when something fails."""

import os
from types import SimpleNamespace

from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from tests.fakes import FakeDoorbell, FakeUsage, RecordingJournal
from tests.power.recording import RecordingDisk
from tests.spool.room import HOST, LinkStore, a_spool, files_under, receive
from unitymail.disk import Disk
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.threads import IThreads
from unitymail.routing.steps import RelayToSmartHost
from unitymail.spool import batch
from unitymail.spool.spool import Spool
from unitymail.threads import Threads


@implementer(IThreads)
class HeldThreads:
    """Work waits until the test lets it go on."""

    def __init__(self):
        self.waiting = []

    def run(self, function, *args, **kwargs):
        done = Deferred()
        self.waiting.append((done, function, args, kwargs))
        return done

    def go(self):
        """Run what waits now; how much it was."""
        now, self.waiting = self.waiting, []
        for done, function, args, kwargs in now:
            try:
                found = function(*args, **kwargs)
            except Exception:
                found = Failure()
            done.callback(found)
        return len(now)


class GroupTests(SynchronousTestCase):
    def setUp(self):
        self.fail_at = None
        root = self.mktemp()
        os.makedirs(root)
        self.disk = RecordingDisk(root, self.before)
        self.threads = HeldThreads()
        self.room = a_spool(root, disk=self.disk, threads=self.threads)

    def before(self, call):
        if self.fail_at is not None and call == self.fail_at[0]:
            if self.fail_at[1] == 0:
                self.fail_at = None
                raise OSError(5, "Input/output error")
            self.fail_at = (call, self.fail_at[1] - 1)

    def send(self, *traces, **facts):
        return [receive(self.room, trace, b"\r\nHello.\r\n", **facts)[0] for trace in traces]

    def batch(self, *traces):
        """These messages finish while another batch runs, so they share one."""
        first = self.send(f"{traces[0]}x")
        answers = self.send(*traces)
        self.threads.go()
        self.successResultOf(first[0])
        return answers

    def calls(self, since):
        return [event[0] for event in self.disk.events[since:]]

    def mailbox(self):
        return sorted(name.split(".")[1] for name in self.room.store.mailbox("u-robin"))

    def test_all_that_waits_shares_one_record_flush(self):
        """Five messages: each file flushed, the directory once, then the journal once, then the links."""
        answers = self.batch("t1", "t2", "t3", "t4", "t5")
        since = len(self.disk.events)
        self.assertEqual(self.threads.go(), 1)
        self.assertEqual(
            self.calls(since),
            ["create", "write"] * 5 + ["flush"] * 5 + ["flush_directory", "write", "flush"] + ["link"] * 5,
        )
        for answer in answers:
            self.successResultOf(answer)

    def test_nobody_is_answered_before_the_links(self):
        """The answers come after the whole batch is visible."""
        (answer,) = self.send("t1")
        self.assertNoResult(answer)
        self.threads.go()
        self.successResultOf(answer)
        self.assertEqual(self.mailbox(), ["t1"])

    def test_a_file_that_fails_fails_alone(self):
        """One message's file cannot be written: it is told to try again, the others of the batch are delivered."""
        for call in ("create", "write", "flush"):
            with self.subTest(call=call):
                names = [f"{call}{n}" for n in range(3)]
                answers = [receive(self.room, name)[0] for name in names]
                self.threads.go()
                self.fail_at = (call, 1)
                self.threads.go()
                self.successResultOf(answers[0])
                self.successResultOf(answers[1])
                failure = self.failureResultOf(answers[2], TryAgain)
                self.assertEqual(failure.value.reply.code, 451)
                self.assertNotIn(names[2], self.mailbox())

    def test_a_journal_that_fails_fails_the_batch(self):
        """The record of a batch cannot be made: none of it is kept or visible, and the next batch is delivered."""
        for round, (call, skip) in enumerate((("write_at", 0), ("flush", 2), ("flush_directory", 0))):
            with self.subTest(call=call):
                answers = self.batch(f"a{round}", f"b{round}")
                self.fail_at = (call, skip)
                self.threads.go()
                self.assertIsNone(self.fail_at)
                for answer in answers:
                    self.failureResultOf(answer, TryAgain)
                (answer,) = self.send(f"c{round}")
                self.threads.go()
                self.successResultOf(answer)
        self.assertEqual(self.mailbox(), ["a0x", "a1x", "a2x", "c0", "c1", "c2"])
        self.room.clock.advance(1)
        self.threads.go()
        self.assertEqual(self.room.spool._commits.unretired(), 0)

    def test_the_same_trace_twice_at_once(self):
        """Two commits of one trace in flight: both are answered, one is stored."""
        answers = self.send("t1", "t1")
        while self.threads.go():
            pass
        for answer in answers:
            self.successResultOf(answer)
        self.assertEqual(self.mailbox(), ["t1"])
        self.assertEqual(len(self.room.journal.named("delivered")), 1)

    def test_a_large_message_keeps_nobody_waiting(self):
        """Its file is flushed by itself; small messages are committed meanwhile."""
        large = receive(self.room, "large", b"\r\n" + b"x" * 100_000)[0]
        (small,) = self.send("small")
        held = self.threads.waiting.pop(0)
        self.threads.go()
        self.successResultOf(small)
        self.assertNoResult(large)
        self.threads.waiting.append(held)
        while self.threads.go():
            pass
        self.successResultOf(large)

    def test_a_stop_waits_for_what_is_finishing(self):
        """A clean stop comes after the answers, also to a large message whose file is still being flushed."""
        large = receive(self.room, "large", b"\r\n" + b"x" * 100_000)[0]
        stopped = self.room.spool.stop()
        self.assertNoResult(stopped)
        while self.threads.go():
            pass
        self.successResultOf(large)
        self.successResultOf(stopped)
        self.assertEqual(files_under(self.room.places.root), [])

    def test_an_item_that_cannot_be_made_is_made_later(self):
        """The message is durable: it is accepted, and the retirement makes the item."""
        relay = RelayToSmartHost("pat@elsewhere.example")
        answer, _ = receive(self.room, "t1", b"\r\nx\r\n", relay)
        self.fail_at = ("link", 0)
        self.threads.go()
        self.successResultOf(answer)
        self.assertIsNone(self.room.spool.queue.next_time())
        born = self.room.spool._in_hand.born
        self.room.spool._in_hand.born = lambda *args: 1 / 0
        self.room.clock.advance(1)
        self.threads.go()
        self.assertEqual(self.room.journal.named("trouble")[-1].args[0], "making the item of t1; it is tried again")
        self.room.spool._in_hand.born = born
        self.room.clock.advance(1)
        self.threads.go()
        self.assertEqual(self.room.spool.queue.due(self.room.clock.seconds()), "t1")

    def break_off(self, at, *traces):
        """A batch of these ends with a surprise at the link of one of them; the answers of all."""
        link_all = batch.link_all

        def surprising(store, item, states, *, again):
            found = link_all(store, item, states, again=again)
            if item.trace == at:
                raise MemoryError("for the test")
            return found

        self.patch(batch, "link_all", surprising)
        answers = self.batch(*traces)
        self.threads.go()
        self.patch(batch, "link_all", link_all)
        for answer in answers:
            self.successResultOf(answer)
        return answers

    def test_broken_off_between_its_record_and_the_answer(self):
        """A surprise after the durable point: all are accepted, the others are delivered, and that one is delivered a
        moment later by the courier, who is told that it may be there already."""
        self.break_off("t2", "t1", "t2", "t3")
        self.assertEqual(len(self.room.journal.named("delivered")), 3)
        self.room.clock.advance(1)
        self.threads.go()
        self.assertEqual(self.room.spool._commits.unretired(), 0)
        self.assertEqual(self.room.spool.queue.due(self.room.clock.seconds()), "t2")
        item = self.successResultOf(self.room.spool.queue.claim("t2"))
        self.assertEqual([(state.step.account, state.attempts) for state in item.steps], [("u-robin", 1)])
        self.assertEqual(self.mailbox(), ["t1", "t1x", "t2", "t3"])

    def test_a_commit_that_is_broken_off(self):
        """The thread itself fails, at some message: what is beyond the durable point is accepted and sooner or later
        delivered or an item, by this life of the process or by the next."""
        for again in (False, True):
            with self.subTest(restart=again):
                link = batch.Batches._link
                word = "after" if again else "now"

                def surprising(committer, message, *, at=f"{word}2", link=link):
                    if message.incoming.trace == at:
                        raise RuntimeError("for the test")
                    link(committer, message)

                self.patch(batch.Batches, "_link", surprising)
                answers = self.batch(*(f"{word}{n}" for n in range(1, 4)))
                self.threads.go()
                self.patch(batch.Batches, "_link", link)
                for answer in answers:
                    self.successResultOf(answer)
                if again:
                    os.close(self.room.spool._commits._life)
                    self.room = a_spool(self.room.root, disk=self.disk, store=self.room.store, clock=self.room.clock)
                    self.successResultOf(self.room.spool.recover())
                    self.assertEqual([name for name in self.mailbox() if name.startswith(word)],
                                     ["after1", "after1x", "after2", "after3"])
                    continue
                self.room.clock.advance(1)
                self.threads.go()
                due = self.room.spool.queue.due
                self.assertEqual({due(self.room.clock.seconds()) for _ in range(3)}, {"now2", "now3", None})
                self.assertEqual(self.room.spool._commits.unretired(), 0)

    def test_an_append_that_ends_in_a_surprise(self):
        """Whatever it is, it counts as a journal that cannot be written: none is kept, and nothing comes back."""
        flush = self.disk.flush

        def surprising(fd):
            if os.readlink(f"/proc/self/fd/{fd}").startswith(os.path.abspath(self.room.places.journal)):
                self.disk.flush = flush
                raise MemoryError("for the test")
            flush(fd)

        answers = self.batch("t1", "t2")
        self.disk.flush = surprising
        self.threads.go()
        for answer in answers:
            self.failureResultOf(answer, TryAgain)
        segment = self.room.spool._commits._current
        (answer,) = self.send("t3")
        self.threads.go()
        self.successResultOf(answer)
        self.assertIsNone(segment)  # nothing is ever written behind a flaw
        os.close(self.room.spool._commits._life)
        room = a_spool(self.room.root, disk=self.disk, store=self.room.store, clock=self.room.clock)
        self.successResultOf(room.spool.recover())
        self.assertEqual(self.mailbox(), ["t1x", "t3"])

    def test_records_that_cannot_be_retired_press_back(self):
        """When mailboxes cannot be made durable there is an end to what is accepted; afterwards mail flows again."""
        self.patch(batch, "MAX_UNRETIRED", 3)
        self.press_back()

    def test_long_records_press_back(self):
        """The same when few records are long, as those of messages to thousands are."""
        self.patch(batch, "MAX_UNRETIRED_OCTETS", 1_600)
        self.press_back()

    def press_back(self):
        make_durable = self.room.store.make_durable

        def broken(accounts):
            raise TryAgain(why="the disk is in trouble")

        self.room.store.make_durable = broken
        answers = []
        for n in range(5):
            answers += self.send(f"t{n}")
            self.threads.go()
        for answer in answers[:3]:
            self.successResultOf(answer)
        for answer in answers[3:]:
            self.assertEqual(self.failureResultOf(answer, TryAgain).value.reply.code, 452)
        self.room.store.make_durable = make_durable
        (answer,) = self.send("t9")
        self.threads.go()
        self.successResultOf(answer)
        self.assertEqual(self.mailbox(), ["t0", "t1", "t2", "t9"])


class ThreadedTests(TestCase):
    """The real thing: threads, a pool of flushers, the reactor."""

    def setUp(self):
        self.threads = Threads(reactor, "commit", 4)
        self.threads.start()
        self.addCleanup(self.threads.stop)

    async def test_many_at_once(self):
        """400 messages from 20 senders: each is in its mailbox once, and a clean stop leaves a clean spool."""
        root = self.mktemp()
        journal = RecordingJournal()
        store = LinkStore(os.path.join(root, "accounts"))
        spool = Spool(
            os.path.join(root, "spool"), disk=Disk(), threads=self.threads, store=store, doorbell=FakeDoorbell(),
            journal=journal, clock=reactor, host=HOST, usage=FakeUsage(),
        )
        room = SimpleNamespace(spool=spool)
        await spool.recover()

        async def sender(number):
            for n in range(20):
                await receive(room, f"s{number}n{n}", b"\r\n" + b"x" * (n * 5_000))[0]

        await gatherResults([ensureDeferred(sender(number)) for number in range(20)])
        self.assertEqual(len(store.mailbox("u-robin")), 400)
        await spool.stop()
        self.assertEqual(files_under(os.path.join(root, "spool")), [])
        self.assertEqual(journal.named("trouble"), [])
