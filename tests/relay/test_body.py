"""Large messages: block by block, no faster than they are taken."""

import os

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tests.fakes import InlineThreads
from tests.relay.play import Untouched, Wire, letter
from unitymail.relay.body import BodySender
from unitymail.relay.content import BLOCK, Blocks

SIZE = 5 * BLOCK + 100


class Slow:
    """Threads that answer when told."""

    def __init__(self):
        self.asked = []

    def run(self, function, *arguments):
        self.asked.append((function, Deferred()))
        return self.asked[-1][1]

    def answer(self):
        function, answered = self.asked.pop(0)
        answered.callback(function())


class Stage:
    def __init__(self, folder, threads=None):
        self.outgoing = letter(folder, os.urandom(SIZE))
        self.blocks = Blocks(self.outgoing, Untouched())
        self.wire = Wire()
        self.sent = []
        self.results = []
        self.pause_after = 0
        self.sender = BodySender(self.blocks, transport=self.wire, threads=threads or InlineThreads(), send=self.send)
        self.sender.done.addBoth(self.results.append)

    def send(self, octets, last):
        self.sent.append((octets, last))
        if self.pause_after and len(self.sent) >= self.pause_after:
            self.sender.pauseProducing()

    @property
    def closed(self):
        return self.blocks._file == -1


def test_everything(tmp_path):
    """All of it, in order, and the last block is known as such."""
    stage = Stage(tmp_path)
    stage.sender.start()
    with open(stage.outgoing.path, "rb") as file:
        assert b"".join(octets for octets, _ in stage.sent) == file.read()
    assert [last for _, last in stage.sent] == [False] * 5 + [True]
    assert stage.results == [None] and stage.closed and stage.wire.producer is None


def test_back_pressure(tmp_path):
    """A transport that is full is left alone until it asks for more: one block is in memory, not the message."""
    stage = Stage(tmp_path)
    stage.pause_after = 2
    stage.sender.start()
    assert len(stage.sent) == 2
    stage.pause_after = 4
    stage.sender.resumeProducing()
    assert len(stage.sent) == 4
    stage.pause_after = 0
    stage.sender.resumeProducing()
    assert stage.results == [None]


def test_held(tmp_path):
    """Whoever sends it may hold it back too, whatever the transport wants."""
    stage = Stage(tmp_path)
    stage.sender.hold()
    stage.sender.start()
    stage.sender.resumeProducing()
    assert stage.sent == []
    stage.sender.let_go()
    assert stage.results == [None]


def test_one_read_at_a_time(tmp_path):
    """However often it is asked, one thread reads."""
    threads = Slow()
    stage = Stage(tmp_path, threads)
    stage.sender.start()
    stage.sender.resumeProducing()
    assert len(threads.asked) == 1
    threads.answer()
    assert len(stage.sent) == 1 and len(threads.asked) == 1


def test_stopped_while_reading(tmp_path):
    """The file is closed once nobody reads it, and nothing more is sent."""
    threads = Slow()
    stage = Stage(tmp_path, threads)
    stage.sender.start()
    stage.sender.stopProducing()
    stage.sender.stop()
    assert not stage.closed
    threads.answer()
    assert stage.closed and stage.sent == [] and stage.results == []
    stage = Stage(tmp_path, threads)
    stage.sender.start()
    stage.sender.stop()
    threads.asked.pop()[1].errback(Failure(OSError("disk")))
    assert stage.closed and stage.results == []


def test_stopped_between_blocks(tmp_path):
    """A connection that ends while we wait for it to take more leaves no file open."""
    stage = Stage(tmp_path)
    stage.pause_after = 1
    stage.sender.start()
    stage.sender.stop()
    assert stage.closed
    stage.sender.resumeProducing()
    assert len(stage.sent) == 1


def test_unreadable(tmp_path):
    """A failing disk is told, and the message not ended as if it were whole."""
    stage = Stage(tmp_path)
    os.truncate(stage.outgoing.path, BLOCK)
    stage.sender.start()
    assert [last for _, last in stage.sent] == [False]
    assert stage.results[0].check(OSError) and stage.closed and stage.wire.producer is None
