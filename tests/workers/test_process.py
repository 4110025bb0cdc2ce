"""How a worker's process is begun and heard, and that nobody else is ever sent a signal."""

import os
import sys

from twisted.internet import error
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from unitymail.workers.process import FROM_WORKER, TO_WORKER, WorkerProcess, begin, command, environment
from unitymail.workers.words import Cover, Ready, spoken


class Transport:
    """What Twisted hands to a process protocol."""

    pid = 4711

    def __init__(self):
        self.written, self.signals = [], []

    def writeToChild(self, descriptor, octets):
        self.written.append((descriptor, octets))

    def signalProcess(self, name):
        if self.pid is None:
            raise error.ProcessExitedAlready
        self.signals.append(name)


class ProcessTests(SynchronousTestCase):
    def setUp(self):
        self.clock, self.heard, self.told, self.ended = Clock(), [], [], []
        self.process = WorkerProcess(
            heard=self.heard.append, told=self.told.append, ended=self.ended.append, clock=self.clock
        )
        self.transport = Transport()
        self.process.makeConnection(self.transport)

    def test_words(self):
        """Words go to the worker and come from it; its standard error is told line by line."""
        self.assertEqual(self.process.pid, 4711)
        self.process.say(Cover((1,)))
        self.clock.advance(0)
        self.assertEqual(self.transport.written, [(TO_WORKER, spoken(Cover((1,))))])
        self.process.childDataReceived(FROM_WORKER, spoken(Ready())[:4])
        self.process.childDataReceived(FROM_WORKER, spoken(Ready())[4:])
        self.assertEqual(self.heard, [Ready()])
        self.process.childDataReceived(2, b"Traceback\n  in")
        self.assertEqual(self.told, ["Traceback"])
        self.process.processEnded(Failure(error.ProcessDone(0)))
        self.assertEqual(self.told, ["Traceback", "  in"])

    def test_how_it_ended(self):
        """By itself, by a mistake, by a signal: said once, in the turn after."""
        for end, words in (
            (error.ProcessDone(0), "exit code 0"), (error.ProcessTerminated(3), "exit code 3"),
            (error.ProcessTerminated(None, 9), "killed by signal 9"),
        ):
            self.setUp()
            self.process.processExited(Failure(end))
            self.assertEqual(self.ended, [])
            self.clock.advance(0)
            self.process.processEnded(Failure(end))
            self.assertEqual(self.ended, [words])
            self.process.say(Ready())
            self.clock.advance(0)
            self.assertEqual(self.transport.written, [])

    def test_it_is_killed_while_it_lives(self):
        """And nobody is killed in its place afterwards: its number may be somebody else's by then."""
        self.process.kill()
        self.assertEqual(self.transport.signals, ["KILL"])
        self.transport.pid = None
        self.process.kill()
        self.assertEqual(self.transport.signals, ["KILL"])

    def test_noise_ends_it(self):
        """A worker that says nonsense is not trusted further."""
        self.process.childDataReceived(FROM_WORKER, b"hello\n")
        self.assertEqual(self.transport.signals, ["KILL"])
        self.assertIn("not understood", self.told[0])

    def test_the_environment(self):
        """Modules are found as here, from any folder; the service manager's sockets stay the parent's."""
        found = environment(
            {"NOTIFY_SOCKET": "@x", "LISTEN_FDS": "3", "LANG": "C", "PYTHONPATH": "old"}, ["", "/lib/one", "relative"]
        )
        home = os.path.dirname(os.path.dirname(os.path.abspath(sys.modules["unitymail"].__file__)))
        self.assertEqual(found, {"LANG": "C", "PYTHONPATH": f"{home}{os.pathsep}/lib/one"})

    def test_the_command(self):
        """The same Python, which looks for modules in no folder that happens to be the current one."""
        self.assertEqual(command(), [sys.executable, "-P", "-m", "unitymail.workers.worker"])

    def test_the_descriptors(self):
        """A worker inherits its outputs, its lines to the parent, its mark and the sockets, and nothing else."""
        begun = []

        class Reactor:
            def spawnProcess(self, *args, **kwargs):
                begun.append((args, kwargs))

        begin(Reactor(), self.process, [11, 12], 10)
        [(_, how)] = begun
        self.assertEqual(how["childFDs"], {0: "w", 1: 1, 2: "r", 3: "w", 4: "r", 5: 10, 6: 11, 7: 12})
        self.assertNotIn("uid", how)
