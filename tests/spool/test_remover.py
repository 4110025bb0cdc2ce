"""Finished items are removed by a process of its own, as long as it lives; without it nothing is lost or stays."""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

import unitymail
from tests.fakes import FakeDoorbell, FakeUsage, RecordingJournal
from tests.spool.finisher import finish, put_items
from tests.spool.room import HOST, LinkStore, a_spool
from unitymail.disk import Disk
from unitymail.spool import remover
from unitymail.spool.spool import Spool
from unitymail.threads import Threads


class RemoverTests(TestCase):
    """`self.spool` is a running one, with forty items to finish."""

    def setUp(self):
        self.threads = Threads(reactor, "commit", 4)
        self.threads.start()
        self.addCleanup(self.threads.stop)
        self.root = os.path.abspath(self.mktemp())
        self.journal = RecordingJournal()
        self.spool = Spool(
            os.path.join(self.root, "spool"), disk=Disk(), threads=self.threads, clock=reactor, journal=self.journal,
            store=LinkStore(os.path.join(self.root, "accounts")), doorbell=FakeDoorbell(), host=HOST, usage=FakeUsage(),
        )
        self.remover = self.spool._leaving._remover
        self.stopped = False
        self.addCleanup(self.stop)
        return self.spool.recover()

    async def stop(self):
        if not self.stopped:
            self.stopped = True
            await self.spool.stop()

    async def end(self, *numbers):
        """These forties of items, one after the other; each has left when this returns."""
        for number in numbers:
            traces = put_items(self.spool, f"n{number}", 40)
            await gatherResults([Deferred.fromCoroutine(finish(self.spool.queue, trace)) for trace in traces])
            await self.settled()
            self.assertEqual(os.listdir(self.spool._places.items), [])
            self.assertEqual(len(self.spool._in_hand._held), 0)

    async def settled(self):
        """Once all that is finished has left."""
        await self.spool._committer.when_idle()
        await self.spool._leaving.when_idle()

    async def leave_at_once(self, count):
        """So many items, which are still there afterwards. On a busy machine those of `end` may end one by one."""
        traces = {f"t{n}" for n in range(count)}
        self.assertEqual(await self.remover.remove(dict.fromkeys(traces, -1)), traces)

    async def begun(self):
        """Once there is a process, which many items at once bring about; its id."""
        await self.leave_at_once(remover.WORTH)
        for _ in range(1_000):
            if self.remover._process is not None:
                return self.remover._process.pid
            await deferLater(reactor, 0.01)
        self.fail("no process was begun")

    def troubles(self):
        return [event.args[0] for event in self.journal.named("trouble")]

    async def test_many_at_once_begin_a_process_that_does_it(self):
        """The next ones are removed by the process; it has ended when the spool has stopped."""
        pid = await self.begun()
        await self.end(0)
        removed = []
        self.spool._leaving.remove = lambda finished: removed.extend(finished)
        before = len(os.listdir("/proc/self/fd"))
        await self.end(1, 2, 3)
        self.assertEqual(removed, [])
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        self.assertEqual(self.remover._process.pid, pid)
        inherited = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd") if int(fd) > 2]
        self.assertEqual([path for path in inherited if not path.startswith(self.spool._places.items)], [])
        await self.stop()
        self.assertRaises(ProcessLookupError, os.kill, pid, 0)
        self.assertEqual(self.troubles(), [])
        self.assertEqual(os.listdir(self.spool._places.journal), [])

    async def test_few_items_are_not_worth_it(self):
        """A node that relays now and then runs no process for it."""
        for n in range(20):
            await finish(self.spool.queue, *put_items(self.spool, f"few{n}", 1))
            await self.settled()
        await self.leave_at_once(remover.WORTH - 1)
        self.assertIsNone(self.remover._process)
        self.assertIsNone(self.remover._beginning)

    async def test_killed_in_the_middle(self):
        """What it had is removed by a thread; that is told once, and another process is begun a minute later."""
        pid = await self.begun()
        os.kill(pid, signal.SIGSTOP)
        ending = Deferred.fromCoroutine(self.end(1))
        await deferLater(reactor, 0.1)
        self.assertNoResult(ending)
        os.kill(pid, signal.SIGKILL)
        await ending
        await self.end(2)
        self.assertIsNone(self.remover._process)
        self.assertEqual(len(self.troubles()), 1)
        self.remover._not_before = 0.0
        again = await self.begun()
        self.assertNotEqual(again, pid)
        os.kill(again, signal.SIGKILL)
        await self.end(3)
        self.assertEqual(len(self.troubles()), 1)

    async def test_killed_again_and_again_under_load(self):
        """Whenever it dies, every item is finished once and leaves nothing behind."""
        for number in range(10):
            self.remover._not_before = 0.0
            pid = await self.begun()
            reactor.callLater(0.002 * number, os.kill, pid, signal.SIGKILL)
            await self.end(number)
            while self.remover._process is not None:
                await deferLater(reactor, 0.01)
        self.assertEqual(len(self.troubles()), 1)

    async def test_one_that_does_not_answer(self):
        """It is killed after a while: a thread removes what it had, and a stop of the node waits no longer."""
        pid = await self.begun()
        self.patch(remover, "LATE_S", 0.2)
        os.kill(pid, signal.SIGSTOP)
        await self.end(1)
        self.assertIsNone(self.remover._process)
        self.assertEqual(len(self.troubles()), 1)
        await self.stop()
        self.assertRaises(ProcessLookupError, os.kill, pid, 0)

    async def test_a_stop_waits_for_one_that_is_ending(self):
        """It was killed a moment ago and somebody waits for its end already: the stop does not end before that."""
        pid = await self.begun()
        waiting, ending = threading.Event(), remover._wait_for
        self.patch(remover, "_wait_for", lambda process: (waiting.wait(30), ending(process)))
        self.remover._lose(OSError("for the test"))
        stopping = Deferred.fromCoroutine(self.stop())
        await deferLater(reactor, 0.05)
        self.assertFalse(stopping.called)
        waiting.set()
        await stopping
        self.assertRaises(ProcessLookupError, os.kill, pid, 0)

    async def test_one_that_does_not_end(self):
        """A stop of the node kills it after a while."""
        pid = await self.begun()
        self.patch(remover, "LATE_S", 0.2)
        os.kill(pid, signal.SIGSTOP)
        await self.stop()
        self.assertRaises(ProcessLookupError, os.kill, pid, 0)
        self.assertEqual(self.troubles(), [])

    async def test_one_that_cannot_be_begun(self):
        """Threads do it then; nobody tries again at once."""
        self.patch(sys, "executable", "/nowhere/python")
        await self.leave_at_once(remover.WORTH)
        await self.end(0, 1)
        while self.remover._beginning is not None:
            await deferLater(reactor, 0.01)
        await self.end(2)
        self.assertIsNone(self.remover._beginning)
        self.assertEqual(len(self.troubles()), 1)

    async def test_a_stop_while_it_begins(self):
        """It is waited for and ended."""
        processes = []
        begin = remover._begin_process

        def begin_process(folder):
            processes.append(begin(folder))
            return processes[-1]

        self.patch(remover, "_begin_process", begin_process)
        await self.leave_at_once(remover.WORTH)
        await self.stop()
        self.assertEqual([process.returncode for process, _ in processes], [0])

    async def test_one_that_was_idle(self):
        """It ends by itself, even at the moment when more is asked of it: nobody is told of any trouble."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self.patch(remover, "_begin_process", lambda folder: (subprocess.Popen(["/bin/true"]), ours))
        await self.begun()
        self.remover._not_before = float("inf")
        theirs.send(b"over")
        await self.end(1)
        self.assertEqual(self.troubles(), [])
        self.assertEqual(ours.fileno(), -1)
        theirs.close()

    async def test_what_it_cannot_remove(self):
        """A thread tries again, and tells why."""
        await self.begun()
        traces = put_items(self.spool, "odd", 20)
        stuck = os.path.join(self.spool._places.items, f"{traces[7]}.eml")
        claimed = [await self.spool.queue.claim(trace) for trace in traces]
        os.unlink(stuck)
        os.mkdir(stuck)
        await gatherResults([self.spool.queue.finish(item) for item in claimed])
        await self.settled()
        self.assertEqual(os.listdir(self.spool._places.items), [f"{traces[7]}.eml"])
        self.assertEqual(self.troubles()[:1], [f"removing the files of {traces[7]}; it is tried again"])
        os.rmdir(stuck)


def children_of(pid):
    for task in Path(f"/proc/{pid}/task").iterdir():
        yield from map(int, (task / "children").read_text().split())


def is_removing(pid):
    """Whether it runs its own program already."""
    return b"removing.py" in Path(f"/proc/{pid}/cmdline").read_bytes()


class KilledNodeTests(TestCase):
    def test_kill_9_while_items_leave(self):
        """What was said to be finished is gone after the next start, all else is there whole; no process stays."""
        for at in (60, 400, 1_000):
            root = os.path.abspath(self.mktemp())
            with subprocess.Popen(
                [sys.executable, "-m", "tests.spool.finisher", root, "1500"], stdout=subprocess.PIPE, text=True,
                cwd=Path(unitymail.__file__).parent.parent,
            ) as process:
                finished = {process.stdout.readline().strip() for _ in range(at)}
                process.send_signal(signal.SIGSTOP)
                helpers = [os.pidfd_open(pid) for pid in children_of(process.pid)]
                process.kill()
                finished.update(line.strip() for line in process.stdout if line.endswith("\n"))
            for helper in helpers:
                self.assertTrue(select.select([helper], [], [], 20)[0])
                os.close(helper)
            self.assertTrue(helpers or at < 1_000)
            room = a_spool(root)
            self.successResultOf(room.spool.recover())
            left = {name.removesuffix(".json") for name in os.listdir(room.places.items) if name.endswith(".json")}
            self.assertEqual(left & finished, set())
            self.assertEqual({f"{trace}.eml" for trace in left} | {f"{trace}.json" for trace in left},
                             set(os.listdir(room.places.items)))
            self.assertGreaterEqual(len(left) + len(finished) + 120, 1_500)
            self.successResultOf(room.spool.stop())

    def test_a_node_that_starts_while_the_old_process_still_works(self):
        """It waits for what that one has in hand; then all is as if it had been alone."""
        root = os.path.abspath(self.mktemp())
        with subprocess.Popen(
            [sys.executable, "-m", "tests.spool.finisher", root, "3000"], stdout=subprocess.PIPE, text=True,
            cwd=Path(unitymail.__file__).parent.parent,
        ) as process:
            finished, helper = set(), None
            while helper is None:
                finished.add(process.stdout.readline().strip())
                helper = next(filter(is_removing, children_of(process.pid)), None)
            os.kill(helper, signal.SIGSTOP)
            finished.update(process.stdout.readline().strip() for _ in range(1_500))
            process.kill()
            finished.update(line.strip() for line in process.stdout if line.endswith("\n"))
        room = a_spool(root)
        starting = threading.Thread(target=room.spool.recover)
        starting.start()
        starting.join(0.2)
        self.assertTrue(starting.is_alive())
        os.kill(helper, signal.SIGCONT)
        starting.join(20)
        self.assertFalse(starting.is_alive())
        left = {name.removesuffix(".json") for name in os.listdir(room.places.items) if name.endswith(".json")}
        self.assertEqual(left & finished, set())
        for trace in left:
            self.assertEqual(os.path.getsize(room.spool._items.message_path(trace)), 2_000)
        self.assertEqual({name for name in os.listdir(room.places.items) if name.endswith(".eml")},
                         {f"{trace}.eml" for trace in left})
        self.successResultOf(room.spool.stop())
