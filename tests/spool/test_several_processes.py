"""One spool, several processes: some receive, one has the courier, and any of them may die at any moment."""

import collections
import os
import random
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.fakes import FakeUsage, RecordingJournal
from tests.spool.room import HOST, LinkStore
from unitymail.disk import Disk
from unitymail.doorbell.unix import Doorbell
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.spool import DONE
from unitymail.spool.journal_file import CommitJournal
from unitymail.spool.spool import Spool
from unitymail.threads import Threads

HERE = str(Path(__file__).parent.parent.parent)


class Receiver:
    """A running `receiver.py`. `accepted` are the traces that it had a 250 for, each with its kind."""

    def __init__(self, root, word, count, *xid):
        program = [sys.executable, "-m", "tests.spool.receiver", root, word, str(os.getpid()), str(count), *xid]
        self.process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=HERE)
        self.said = []
        self.ended = deferToThread(self._listen)

    def _listen(self):
        with self.process.stdout:
            for line in self.process.stdout:
                if line.endswith("\n"):
                    self.said.append(tuple(line.strip().split(" ", 1)))
        return self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        self.process.send_signal(signal.SIGKILL)


class Carrier:
    """A running `carrier.py`, that has recovered."""

    def __init__(self, root):
        program = [sys.executable, "-m", "tests.spool.carrier", root]
        self.process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE)

    def recovered(self):
        return deferToThread(self.process.stdout.readline)

    def end(self, how=None):
        """Fires with how it ended: by a signal, or when it has nothing to do any more."""
        if how is not None:
            self.process.send_signal(how)
        self.process.stdin.close()
        self.process.stdout.close()
        return deferToThread(self.process.wait)


class CarrierTests(TestCase):
    timeout = 100

    async def test_the_courier_is_killed_while_others_receive(self):
        """Again and again, and in the end a receiver too: what was accepted is relayed, and nothing of which the relay
        was noted is relayed again."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root, chance = folder.name, random.Random(7)
        receivers = [Receiver(root, "a", 100_000), Receiver(root, "b", 600)]
        for turn in range(6):
            carrier = Carrier(root)
            self.assertEqual(await carrier.recovered(), b"recovered\n")
            await deferLater(reactor, 0.1 + chance.random())
            if turn == 2:
                receivers[0].kill()
                self.assertEqual(await receivers[0].ended, -signal.SIGKILL)
            self.assertEqual(await carrier.end(signal.SIGKILL), -signal.SIGKILL)
        self.assertEqual(await receivers[1].ended, 0)
        carrier = Carrier(root)
        await carrier.recovered()
        self.assertEqual(await carrier.end(), 0)
        with open(os.path.join(root, "said")) as file:
            said = [tuple(line.split()) for line in file]
        relaying, relayed = collections.Counter(), set()
        for word, trace in said:
            if word == "relaying":
                self.assertNotIn(trace, relayed, "relayed again")
                relaying[trace] += 1
            else:
                relayed.add(trace)
        accepted = {trace for one in receivers for kind, trace in one.said if kind in "rb"}
        self.assertGreater(len(accepted), 300)
        self.assertEqual(accepted - relaying.keys(), set())
        self.assertLess(sum(count - 1 for count in relaying.values()), 7)
        for room in ("items", "intake", "journal"):
            self.assertEqual(os.listdir(os.path.join(root, "spool", room)), [])


class SeveralProcessesTests(TestCase):
    timeout = 100

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        self.journal = RecordingJournal()
        self.threads = Threads(reactor, "commit", 4)
        self.threads.start()
        self.addCleanup(self.threads.stop)
        self.bell = Doorbell(os.path.join(self.root, "run"), reactor=reactor, journal=self.journal)
        self.bell.start()
        self.addCleanup(self.bell.stop)
        self.store = LinkStore(os.path.join(self.root, "accounts"))
        self.spool = Spool(
            os.path.join(self.root, "spool"), disk=Disk(), threads=self.threads, store=self.store, doorbell=self.bell,
            journal=self.journal, clock=reactor, host=HOST, usage=FakeUsage(), shared=True,
        )
        self.addCleanup(self.spool.stop)
        self.bell.on_items(self.handed)
        self.heard = {}
        self.looks = 0
        self.relayed = collections.Counter()
        self.delays = []
        self.under_way = 0
        return self.spool.recover()

    def begin_courier(self, look_every=0.5):
        """Performs what is due at once."""
        self.spool.queue.listen(self.go_on)
        looking = LoopingCall(self.look)
        looking.start(look_every)
        alarm = LoopingCall(self.go_on)
        alarm.start(0.05)
        self.addCleanup(looking.stop)
        self.addCleanup(alarm.stop)

    def look(self):
        self.looks += 1
        return self.threads.run(self.spool.queue.look).addCallback(lambda _: self.go_on())

    def handed(self, items):
        self.heard.update({item.trace: reactor.seconds() for item in items})
        self.spool.queue.handed(items)

    def go_on(self):
        while self.under_way < 50 and (trace := self.spool.queue.due(reactor.seconds())) is not None:
            self.under_way += 1
            ensureDeferred(self.perform(trace)).addErrback(lambda failure: self.journal.trouble("x", failure.value))

    async def perform(self, trace):
        queue = self.spool.queue
        item = await queue.claim(trace)
        if item is not None:
            if any(state.outcome is None for state in item.steps):
                self.relayed[trace] += 1
                self.delays.append(reactor.seconds() - self.heard.get(trace, 0.0))
                item = replace(item, steps=tuple(replace(state, outcome=DONE) for state in item.steps))
                await queue.record(item)
            await queue.finish(item)
        self.under_way -= 1

    async def until(self, true, seconds=40):
        for _ in range(int(seconds / 0.05)):
            if true():
                return
            await deferLater(reactor, 0.05)
        self.fail("it took too long")

    def in_mailbox(self):
        return collections.Counter(name.split(".")[1] for name in self.store.mailbox("u-robin"))

    def names(self, room):
        return os.listdir(os.path.join(self.root, "spool", room))

    def check(self, receivers):
        """Everything accepted is there once, nothing is there twice, and nothing is left over."""
        accepted = {trace: kind for one in receivers for kind, trace in one.said}
        delivered = self.in_mailbox()
        for trace, kind in accepted.items():
            self.assertEqual(delivered[trace], int(kind in "db"), trace)
            self.assertEqual(self.relayed[trace], int(kind in "rb"), trace)
        self.assertLessEqual(max(delivered.values()), 1)
        self.assertLessEqual(max(self.relayed.values()), 1)
        return accepted

    async def test_items_of_others_are_taken_up_at_once(self):
        """What two other processes accepted and could not deliver themselves is worked on within a moment, once: nobody
        has to look for it."""
        self.begin_courier(look_every=3_600.0)
        receivers = [Receiver(self.root, word, 150) for word in "ab"]
        for one in receivers:
            self.assertEqual(await one.ended, 0)
        await self.until(lambda: not self.names("items"))
        self.assertEqual(len(self.check(receivers)), 300)
        self.assertEqual(sum(self.relayed.values()), 200)
        self.assertEqual((self.looks, self.heard.keys()), (1, self.relayed.keys()))
        self.delays.sort()
        self.assertLess(self.delays[len(self.delays) // 2], 0.5)
        await self.spool.recover_from(receivers[0].pid)
        self.assertEqual([self.names("intake"), self.names("nudges")], [[], []])
        self.assertFalse([name for name in self.names("journal") if name.startswith(f"{receivers[0].pid}-")])

    async def test_what_is_not_told_is_found(self):
        """A doorbell that nobody answers costs a moment, no mail."""
        self.bell.on_items(lambda items: None)
        self.begin_courier()
        receiver = Receiver(self.root, "a", 60)
        self.assertEqual(await receiver.ended, 0)
        await self.until(lambda: not self.names("items"))
        self.assertEqual(len(self.check([receiver])), 60)

    async def test_a_receiver_that_is_killed(self):
        """Again and again, at any moment, while others go on: nothing that got its 250 is lost, nothing doubled."""
        self.begin_courier()
        chance = random.Random(4)
        receivers, going = [], [Receiver(self.root, "steady", 600)]
        for number in range(12):
            victim = Receiver(self.root, f"v{number}", 5_000)
            receivers.append(victim)
            if number % 4:  # the others may be killed while they begin
                await self.until(lambda victim=victim: victim.said)
            await deferLater(reactor, chance.random() * 0.7)
            victim.kill()
            self.assertEqual(await victim.ended, -signal.SIGKILL)
            await self.spool.recover_from(victim.pid)
        self.assertEqual(await going[0].ended, 0)
        await self.spool.recover_from(going[0].pid)
        await self.until(lambda: not self.names("items"))
        accepted = self.check([*receivers, *going])
        self.assertGreater(len(accepted), 600)
        self.assertEqual(self.names("intake"), [])
        dead = {f"{one.pid}-" for one in (*receivers, *going)}
        self.assertFalse([name for name in self.names("journal") if any(name.startswith(pid) for pid in dead)])
        self.assertEqual([event.args for event in self.journal.named("trouble")], [])

    async def test_a_transaction_repeated_at_other_doors(self):
        """A peer that lost the reply and tries at other processes, at the same time and after one was killed, has its
        message delivered once."""
        for turn in range(4):
            xid = f"peer.{turn}"
            receivers = [Receiver(self.root, f"{turn}{word}", 40, xid) for word in "abc"]
            victim = Receiver(self.root, f"{turn}v", 100_000, xid)
            await deferLater(reactor, 0.5)
            victim.kill()
            await victim.ended
            await self.spool.recover_from(victim.pid)
            ends = await gatherResults([one.ended for one in receivers])
            self.assertEqual(ends, [0, 0, 0])
            said = collections.Counter(words[0] for one in (*receivers, victim) for words in one.said)
            self.assertGreater(said["known"], 10)  # those that asked before they sent; the others may be accepted
            self.assertEqual(len(self.in_mailbox()), turn + 1)

    async def test_what_a_dead_process_held_is_free_again(self):
        """A peer's transaction that a process had begun when it died is accepted once its remains were looked at."""
        xids = self.spool._xids
        other = type(xids)(
            os.path.join(self.root, "spool"), disk=Disk(), now=reactor.seconds, retry_for=lambda: 60.0,
            journal=self.journal, owner="77777-abc", shared=True,
        )
        self.assertEqual(other.reserve("x1", ["robin"]), frozenset())
        with self.assertRaises(Exception) as refused:
            xids.reserve("x1", ["robin"])
        self.assertIn("another process", str(refused.exception))
        other.close()
        path = os.path.join(self.root, "spool", "journal", "77777-abc.lock")
        Path(path).touch()
        await self.spool.recover_from(77777)
        self.assertEqual(xids.reserve("x1", ["robin"]), frozenset())
        self.assertFalse(os.path.exists(path))

    async def test_what_a_process_left_that_ended_well(self):
        """Files and transactions that it could not give back are taken back at its end; another process that has its
        number meanwhile keeps its own."""
        def xids(owner):
            return type(self.spool._xids)(
                os.path.join(self.root, "spool"), disk=Disk(), now=reactor.seconds, retry_for=lambda: 60.0,
                journal=self.journal, owner=owner, shared=True,
            )

        life = CommitJournal(os.path.join(self.root, "spool", "journal"), "77777-new", Disk())
        for owner in ("77777-old", "77777-new"):
            other = xids(owner)
            self.assertEqual(other.reserve(f"x-{owner}", ["robin"]), frozenset())
            other.close()
            Path(self.root, "spool", "intake", f"t.{owner}").touch()
        await self.spool.recover_from(77777)
        self.assertEqual(self.spool._xids.reserve("x-77777-old", ["robin"]), frozenset())
        self.assertRaises(TryAgain, self.spool._xids.reserve, "x-77777-new", ["robin"])
        self.assertEqual(self.names("intake"), ["t.77777-new"])
        life.close()
        await self.spool.recover_from(77777)
        self.assertEqual(self.spool._xids.reserve("x-77777-new", ["robin"]), frozenset())
        self.assertEqual(self.names("intake"), [])


