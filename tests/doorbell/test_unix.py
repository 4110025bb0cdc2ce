"""Ringing between processes, with real processes and real sockets."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from tests.fakes import RecordingJournal
from unitymail.doorbell import calling, sockets
from unitymail.doorbell.ears import Ears
from unitymail.doorbell.neighbours import _Line
from unitymail.doorbell.unix import Doorbell
from unitymail.interfaces.doorbell import Announced, IDoorbell, NewItem

ROOT = str(Path(__file__).parent.parent.parent)
ANOTHER = str(Path(__file__).parent / "another_process.py")


class Another:
    """A running neighbour."""

    def __init__(self, run, behaviour="prompt"):
        self.process = subprocess.Popen(
            [sys.executable, ANOTHER, run, "robin", behaviour],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": ROOT},
        )
        assert self.process.stdout.readline() == "ready\n"
        self.pid = self.process.pid

    def hears(self):
        """The next folder it heard, in a thread."""
        return threads.deferToThread(self.process.stdout.readline)

    def ring(self, folder):
        self.process.stdin.write(f"{folder}\n")
        self.process.stdin.flush()

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class UnixTestCase(TestCase):
    timeout = 30

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.run_dir = str(Path(folder.name) / "run")
        self.journal = RecordingJournal()

    def bell(self, take=None, run=None, courier=0):
        bell = Doorbell(run or self.run_dir, reactor=reactor, journal=self.journal, take=take, courier=courier)
        bell.start()
        self.addCleanup(bell.stop)
        return bell

    def another(self, behaviour="prompt"):
        other = Another(self.run_dir, behaviour)
        self.addCleanup(lambda: other.process.poll() is None and other.end(signal.SIGKILL))
        return other

    def heard_by(self, bell, account="robin"):
        """Fires with the next folder."""
        d = Deferred()
        stop = bell.listen(account, lambda folder: (stop(), d.callback(folder)))
        return d


class RingingTests(UnixTestCase):
    async def test_a_ring_is_heard_here_and_there(self):
        """Both ways, with names that hold anything, and at once within the process."""
        bell, here = self.bell(), []
        verifyObject(IDoorbell, bell)
        other = self.another()
        bell.listen("robin", here.append)
        bell.ring("robin", "Entwürfe/ü")
        self.assertEqual(here, ["Entwürfe/ü"])
        self.assertEqual(await other.hears(), "heard Entwürfe/ü\n")
        heard = self.heard_by(bell)
        other.ring("INBOX")
        self.assertEqual(await heard, "INBOX")
        self.assertEqual(await other.hears(), "heard INBOX\n")
        bell.ring("chris", "INBOX")
        bell.ring("robin", "Sent")
        self.assertEqual(await other.hears(), "heard Sent\n")

    async def test_asked_how_it_stands(self):
        """It writes that down before it answers; who cannot is heard in the journal, and answers all the same."""
        bell, written = self.bell(), []
        bell.on_ask(lambda: written.append(1))
        self.assertTrue(await threads.deferToThread(calling.ask, self.run_dir, os.getpid()))
        self.assertEqual(written, [1])
        bell.on_ask(lambda: written.remove(2))
        self.assertTrue(await threads.deferToThread(calling.ask, self.run_dir, os.getpid()))
        self.assertEqual([event.event for event in self.journal.events], ["trouble"])

    async def test_a_mailbox_to_be_counted(self):
        """A program beside the node has it counted."""
        bell, counted = self.bell(), Deferred()
        bell.on_count(counted.callback)
        self.assertEqual(await threads.deferToThread(calling.count, self.run_dir, "u-robin"), 1)
        self.assertEqual(await counted, "u-robin")

    async def test_nobody_answers(self):
        """A process that is not there, and one that says nothing: known at once, or after the time one has."""
        self.assertFalse(await threads.deferToThread(calling.ask, self.run_dir, 2**22 + 1))
        other = self.another()
        other.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        self.assertFalse(await threads.deferToThread(calling.ask, self.run_dir, other.pid, 0.2))
        self.assertLess(time.monotonic() - began, 10)
        other.process.send_signal(signal.SIGCONT)
        self.assertTrue(await threads.deferToThread(calling.ask, self.run_dir, other.pid))

    async def test_new_items_are_handed_to_the_courier_alone(self):
        """All of one turn in few lines, in order; the other neighbours hear nothing of it, and of rings only they."""
        courier, other = self.another(), self.another()
        bell = self.bell(courier=courier.pid)
        traces = [f"t{n}" for n in range(11)]
        bell.hand_over([NewItem(trace, 1.0, 1, "smart-host") for trace in traces[:5]])
        bell.hand_over([NewItem(trace, 1.0, 1, "") for trace in traces[5:]])
        self.assertEqual(await courier.hears(), f"items {' '.join(traces[:8])}\n")
        self.assertEqual(await courier.hears(), f"items {' '.join(traces[8:])}\n")
        bell.ring("robin", "INBOX")
        self.assertEqual(await other.hears(), "heard INBOX\n")
        bell.hand_over([NewItem("t11", 1.0, 1, "")])
        self.assertEqual(await courier.hears(), "items t11\n")

    async def test_a_courier_that_is_gone_costs_nothing(self):
        """What nobody takes is dropped: the items are in their folder."""
        bell = self.bell(courier=2**22 + 1)
        bell.hand_over([NewItem("t1", 1.0, 1, "")])
        await deferLater(reactor, 0.01)
        self.assertEqual(bell._handed, [])

    async def test_neighbours_may_come_and_go(self):
        """A process that starts later hears; one that was killed is forgotten and its socket removed."""
        bell = self.bell()
        bell.ring("robin", "nobody is there")
        await deferLater(reactor, 0)
        first = self.another()
        bell.ring("robin", "one")
        self.assertEqual(await first.hears(), "heard one\n")
        first.end(signal.SIGKILL)
        second = self.another()
        bell.ring("robin", "two")
        self.assertEqual(await second.hears(), "heard two\n")
        for _ in range(100):
            if first.pid not in sockets.bells(self.run_dir):
                break
            await deferLater(reactor, 0.02)
        self.assertEqual(set(sockets.bells(self.run_dir)), {os.getpid(), second.pid})

    async def test_many_rings_of_one_turn_are_one(self):
        """A thousand deliveries to one folder in a turn ring the neighbours once."""
        bell, other = self.bell(), self.another()
        for _ in range(1000):
            bell.ring("robin", "INBOX")
        bell.ring("robin", "end")
        self.assertEqual([await other.hears(), await other.hears()], ["heard INBOX\n", "heard end\n"])

    async def test_nobody_is_woken_for_what_nobody_there_reads(self):
        """A neighbour is told of the mailboxes that somebody has open there; of others it gets no octet."""
        bell, other, said, say = self.bell(), self.another(), [], _Line.say
        self.patch(_Line, "say", lambda line, data: (said.append(data), say(line, data)))
        bell.ring("chris", "INBOX")
        await deferLater(reactor, 0)
        self.assertEqual(said, [])
        bell.ring("chris", "INBOX")
        bell.ring("robin", "Sent")
        self.assertEqual(await other.hears(), "heard Sent\n")
        self.assertEqual(said, [b'["rings",["robin","Sent"]]\n'])

    async def test_who_begins_to_listen_is_rung_for_from_then_on(self):
        """And no more once they stop, be it said twice; with another listener for the account it goes on."""
        bell, there = self.bell(), Ears(os.path.join(self.run_dir, sockets.ears_of(os.getpid())))
        first, second = (bell.listen("robin", lambda folder: None) for _ in range(2))
        first()
        first()
        self.assertTrue(there.hear("robin"))
        second()
        self.assertFalse(there.hear("robin"))

    async def test_a_neighbour_of_an_earlier_version_is_told_everything(self):
        """It shows nobody who listens there."""
        other = self.another()
        os.unlink(os.path.join(self.run_dir, sockets.ears_of(other.pid)))
        bell = self.bell()
        bell.ring("chris", "INBOX")
        await deferLater(reactor, 0)
        (line,) = bell._neighbours._known.values()
        self.assertTrue(line.ears.hear("chris"))
        bell.ring("robin", "INBOX")
        self.assertEqual(await other.hears(), "heard INBOX\n")

    async def test_a_neighbour_that_does_not_read_costs_no_memory(self):
        """What it does not take is dropped for it; ringing goes on."""
        os.makedirs(self.run_dir, exist_ok=True)
        deaf = subprocess.Popen(
            [sys.executable, "-c", "import os, socket, sys\n"
             "s = socket.socket(socket.AF_UNIX); s.bind(f'{sys.argv[1]}/bell-{os.getpid()}.sock'); s.listen()\n"
             "print('ready', flush=True); c, _ = s.accept(); sys.stdin.read()", self.run_dir],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.addCleanup(lambda: (deaf.communicate(), None)[1])
        self.assertEqual(deaf.stdout.readline(), b"ready\n")
        bell = self.bell()
        for number in range(300):
            bell.ring("robin", f"{number} " + "x" * 10_000)
            await deferLater(reactor, 0)
        (line,) = bell._neighbours._known.values()
        self.assertTrue(line._speaker._full)
        self.assertLess(len(line._speaker.transport.dataBuffer) + line._speaker.transport._tempDataLen, 500_000)

    async def test_it_leaves_no_name_behind(self):
        """Stopping removes the socket."""
        bell = Doorbell(self.run_dir, reactor=reactor, journal=self.journal)
        bell.start()
        self.assertEqual(set(sockets.bells(self.run_dir)), {os.getpid()})
        self.assertEqual(os.stat(sockets.bells(self.run_dir)[os.getpid()]).st_mode & 0o777, 0o600)
        await bell.stop()
        self.assertEqual(os.listdir(self.run_dir), [])

    async def test_a_deep_directory_is_no_obstacle(self):
        """Socket addresses are short, directories need not be."""
        deep = str(Path(self.run_dir) / ("deep" * 20) / ("deeper" * 20))
        bell = self.bell(run=deep, take=succeed)
        heard = self.heard_by(bell)
        self.assertEqual(await threads.deferToThread(calling.ring, deep, [("robin", "INBOX")]), 1)
        self.assertEqual(await heard, "INBOX")
        announced = await threads.deferToThread(calling.announce, deep, 3)
        self.assertEqual(announced, Announced((os.getpid(),), ()))

    async def test_garbage_at_the_bell_is_left_alone(self):
        """Unknown words, binary and endless lines harm nobody."""
        bell = self.bell(take=succeed)
        path = sockets.bells(self.run_dir)[os.getpid()]

        def shout():
            for garbage in (b"\xff\0\n[]\n{}\nring\n", b"x" * 100_000, b'["ring",1,2]\n'):
                with socket.socket(socket.AF_UNIX) as line:
                    line.connect(path)
                    try:
                        line.sendall(garbage)
                    except OSError:
                        pass

        await threads.deferToThread(shout)
        heard = self.heard_by(bell)
        await threads.deferToThread(calling.ring, self.run_dir, [("robin", "INBOX")])
        self.assertEqual(await heard, "INBOX")
        self.assertEqual(self.journal.named("trouble"), [])


class AnnouncingTests(UnixTestCase):
    def announce(self, usn, within=2.0):
        return threads.deferToThread(calling.announce, self.run_dir, usn, within)

    async def test_it_returns_when_every_process_has_the_change(self):
        """Not before the slowest has looked."""
        taking = Deferred()
        self.bell(take=lambda usn: taking)
        other = self.another()
        reactor.callLater(0.1, taking.callback, 12)
        began = time.monotonic()
        announced = await self.announce(12)
        self.assertEqual(announced, Announced(tuple(sorted((os.getpid(), other.pid))), ()))
        self.assertGreaterEqual(time.monotonic() - began, 0.09)

    async def test_a_process_that_does_not_answer_is_named(self):
        """After the time given, no later."""
        self.bell(take=succeed)
        stuck = self.another("stuck")
        began = time.monotonic()
        announced = await self.announce(12, 0.3)
        self.assertEqual(announced, Announced((os.getpid(),), (stuck.pid,)))
        self.assertLess(time.monotonic() - began, 1.9)

    async def test_a_process_that_could_not_take_it_is_named(self):
        """An honest smaller number is not the change."""
        self.bell(take=lambda usn: succeed(usn - 1))
        self.assertEqual(await self.announce(12, 0.2), Announced((), (os.getpid(),)))

    async def test_no_process_is_no_wait(self):
        """With the node down the command returns at once, and dead sockets go."""
        other = self.another()
        other.end(signal.SIGKILL)
        began = time.monotonic()
        self.assertEqual(await self.announce(12), Announced())
        self.assertLess(time.monotonic() - began, 1.9)
        self.assertEqual(os.listdir(self.run_dir), [])
        self.assertEqual(calling.running(self.run_dir), [])
        self.assertEqual(calling.announce("/nowhere/at/all", 1), Announced())

    async def test_a_process_that_ends_meanwhile_is_not_waited_for(self):
        """Its successor reads the directory anyway."""
        stuck = self.another("stuck")
        announcing = self.announce(12, 5.0)
        await deferLater(reactor, 0.2)
        began = time.monotonic()
        await threads.deferToThread(stuck.end, signal.SIGKILL)
        await announcing
        self.assertLess(time.monotonic() - began, 3)
