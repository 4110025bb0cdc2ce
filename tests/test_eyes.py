"""Directories that other programs change are noticed at once, and trouble with that hurts nobody."""

import os
import struct

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.inotify import IN_Q_OVERFLOW, INotifyError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.fakes import InlineThreads, RecordingJournal
from unitymail import eyes
from unitymail.eyes import Eyes


class Quiet(Clock):
    """A clock that lends its readers to nobody."""

    def addReader(self, reader):
        self.reader = reader

    def removeReader(self, reader):
        self.reader = None


class EyesTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Quiet()
        self.journal = RecordingJournal()
        self.places = [os.fsencode(self.mktemp()) for _ in range(2)]
        for place in self.places:
            os.mkdir(place)
        self.heard = []
        self.eyes = self.open()

    def open(self, **settings):
        made = Eyes(reactor=self.clock, threads=InlineThreads(), journal=self.journal, **settings)
        self.addCleanup(made.stop)
        return made

    def watch(self, name="a", which=slice(0, 1)):
        return self.eyes.watch(self.places[which], lambda: self.heard.append(name))

    def touch(self, place=0, name=b"file"):
        with open(os.path.join(self.places[place], name), "wb"):
            pass

    def read(self):
        """What the reactor does when the system has events."""
        self.clock.reader.doRead()

    def test_files_come_change_their_names_and_go(self):
        """Each is told, a moment later, once for all that happened meanwhile."""
        self.watch()
        for change in (self.touch, lambda: os.rename(self.places[0] + b"/file", self.places[0] + b"/other"),
                       lambda: os.unlink(self.places[0] + b"/other")):  # fmt: skip
            change()
            self.read()
            self.assertEqual(self.heard, [])
            self.clock.advance(eyes.SOON_S)
            self.assertEqual(self.heard, ["a"])
            self.heard.clear()
        for number in range(50):
            self.touch(name=b"%d" % number)
        self.read()
        self.clock.advance(eyes.SOON_S)
        self.assertEqual(self.heard, ["a"])

    def test_only_who_watches_the_directory(self):
        """Two may watch one, and one may watch two."""
        self.watch("a"), self.watch("b"), self.watch("c", slice(1, 2)), self.watch("d", slice(0, 2))
        self.touch(1)
        self.read()
        self.clock.advance(eyes.SOON_S)
        self.assertEqual(sorted(self.heard), ["c", "d"])

    def test_who_has_stopped_hears_nothing(self):
        """Nor does what was about to be told reach him; the others hear it."""
        stop = self.watch("a")
        self.watch("b")
        self.touch()
        self.read()
        stop()
        stop()
        self.clock.advance(1)
        self.assertEqual(self.heard, ["b"])

    def test_a_directory_that_is_removed(self):
        """It is told, and ends the watch of this directory only."""
        self.watch("a"), self.watch("b", slice(1, 2))
        os.rmdir(self.places[0])
        self.read()
        self.clock.advance(1)
        self.touch(1)
        self.read()
        self.clock.advance(1)
        self.assertEqual(self.heard, ["a", "b"])

    def test_a_directory_that_is_renamed(self):
        """Its watch goes with it."""
        self.watch()
        os.rename(self.places[0], self.places[0] + b".moved")
        self.places[0] += b".moved"
        self.touch()
        self.read()
        self.clock.advance(1)
        self.assertEqual(self.heard, ["a"])

    def test_more_than_the_system_can_tell(self):
        """When events were lost everybody is told."""
        self.watch("a"), self.watch("b", slice(1, 2))
        self.clock.reader._doRead(struct.pack("=iIII", -1, IN_Q_OVERFLOW, 0, 0))
        self.clock.advance(1)
        self.assertEqual(sorted(self.heard), ["a", "b"])

    def test_more_than_are_wanted(self):
        """Beyond the limit nobody hears anything, until others stop."""
        self.eyes = self.open(most=2)
        stop = self.watch("a", slice(0, 2))
        ended = self.watch("b")
        self.touch()
        self.read()
        self.clock.advance(1)
        self.assertEqual(self.heard, ["a"])
        stop(), ended()
        self.watch("c")
        self.touch(name=b"another")
        self.read()
        self.clock.advance(1)
        self.assertEqual(self.heard, ["a", "c"])

    def test_the_system_grants_no_more(self):
        """It is noted once; what is watched stays watched."""
        self.watch("a")

        def refuse(fd, path, mask):
            raise INotifyError("no")

        self.patch(eyes._Queue, "_inotify", type("No", (), {"add": staticmethod(refuse), "remove": print}))
        self.watch("b", slice(1, 2)), self.watch("c", slice(1, 2))
        self.touch()
        self.read()
        self.clock.advance(1)
        self.assertEqual(self.heard, ["a"])
        self.assertEqual(len(self.journal.named("trouble")), 1)

    def test_no_inotify_at_all(self):
        """A system without it is no trouble for whoever watches."""

        def refuse():
            raise INotifyError("no")

        self.patch(eyes._Queue, "_inotify", type("No", (), {"init": staticmethod(refuse)}))
        stop = self.watch("a")
        self.watch("b")
        stop()
        self.assertEqual(len(self.journal.named("trouble")), 1)

    def test_a_directory_that_is_not_there(self):
        """It went meanwhile: nothing to note."""
        os.rmdir(self.places[0])
        self.watch("a")()
        self.assertEqual(self.journal.named("trouble"), [])

    def test_no_directories(self):
        """Who has none to be watched opens nothing."""
        self.eyes.watch((), lambda: None)()
        self.assertFalse(hasattr(self.clock, "reader"))

    def test_the_descriptor_is_given_back(self):
        """When the process stops, nothing is left to read."""
        self.watch("a")
        descriptor = self.clock.reader.fileno()
        self.eyes.stop()
        with pytest.raises(OSError):
            os.fstat(descriptor)
        self.touch()
        self.clock.advance(1)
        self.assertEqual(self.heard, [])


class RealReactor(TestCase):
    async def test_a_change_is_told(self):
        """With the reactor, the threads and the system as they are."""
        place = os.fsencode(self.mktemp())
        os.mkdir(place)
        watching = Eyes(reactor=reactor, threads=InlineThreads(), journal=RecordingJournal())
        told = Deferred()
        stop = watching.watch([place], lambda: told.callback("told"))
        try:
            os.mkdir(place + b"/new")
            self.assertEqual(await told.addTimeout(30, reactor), "told")
        finally:
            stop()
            watching.stop()
