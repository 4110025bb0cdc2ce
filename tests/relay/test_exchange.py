"""Large messages on a connection: DATA and BDAT block by block, and what ends them early."""

import os

import pytest
from twisted.internet.defer import Deferred

from tests.relay.play import HOP, Play, kinds, letter
from unitymail.relay.content import BLOCK, SMALL

OK = ["250 ok", "250 ok"]
LINE = b"x" * 98 + b"\r\n"
LARGE = LINE * (3 * BLOCK // len(LINE))


def ready(*extensions, threads=None):
    play = Play(HOP, threads=threads)
    play.greet(*extensions)
    return play


def test_large_by_data(tmp_path):
    """All its octets, then the dot, then ten minutes for the answer."""
    play = ready("PIPELINING")
    found = play.send(letter(tmp_path, LARGE))
    play.said()
    assert play.hear(*OK, "354 go").encode() == LARGE + b".\r\n"
    play.clock.advance(599)
    assert not found
    play.hear("250 taken")
    assert kinds(found[0]) == [("done", "2.0.0")] and play.client.usable
    assert found[0].dialogue[-2:] == (f"C: <{len(LARGE) + 3:,} octets>", "S: 250 taken")


def test_large_by_bdat(tmp_path):
    """Chunks of a block each; never more than a few unanswered."""
    play = ready("PIPELINING", "CHUNKING")
    found = play.send(letter(tmp_path, LARGE * 3))
    play.said()
    said, commands = play.hear(*OK).encode(), []
    while said:
        end = said.index(b"\r\n")
        command, size = said[:end], int(said[:end].split()[1])
        assert len(said) >= end + 2 + size
        commands.append(command)
        said = said[end + 2 + size :]
        if not said and b"LAST" not in command:
            assert len(commands) >= 4
            said = play.hear("250 ok").encode()
    assert commands[-1].endswith(b" LAST") and not any(b"LAST" in each for each in commands[:-1])
    assert sum(int(each.split()[1]) for each in commands) == len(LARGE) * 3
    play.hear("250 ok", "250 ok", "250 ok", "250 2.0.0 taken")
    assert kinds(found[0]) == [("done", "2.0.0")] and play.client.usable


def test_a_chunk_is_refused(tmp_path):
    """The rest stays here, and the connection, out of step, ends."""
    play = ready("PIPELINING", "CHUNKING")
    found = play.send(letter(tmp_path, LARGE * 3, to=["kim@example.net"]))
    play.said()
    play.hear(*OK)
    play.hear("552 5.2.2 too much")
    assert kinds(found[0]) == [("failed", "5.2.2")]
    assert play.wire.aborted and not play.client.usable


@pytest.mark.parametrize(("reply", "expected"), [
    ("552 5.3.4 enough", ("failed", "5.3.4")), ("421 4.3.2 closing", ("try-again", "4.3.2")),
    ("250 2.0.0 already", ("try-again", "4.5.0")), ("nonsense", ("try-again", "4.5.0")),
])  # fmt: skip
def test_an_answer_in_the_middle(tmp_path, reply, expected):
    """A refusal counts before the end, an acceptance does not; neither leaves a connection to go on with."""
    play = ready("PIPELINING")
    hold(play)
    found = play.send(letter(tmp_path, LARGE))
    play.hear(*OK, "354 go")
    play.hear(reply)
    assert kinds(found[0]) == [expected] and play.wire.aborted and not found[0].sent_dot


def hold(play):
    """A transport that takes one block and no more."""
    register = play.wire.registerProducer

    def registered(producer, streaming):
        register(producer, streaming)
        write = play.wire.write

        def full(octets):
            write(octets)
            producer.pauseProducing()

        play.wire.write = full

    play.wire.registerProducer = registered


def test_a_slow_reader(tmp_path):
    """Three minutes for each block, however long all of them take; then it is given up."""
    play = ready("PIPELINING")
    hold(play)
    found = play.send(letter(tmp_path, LARGE))
    play.said()
    assert len(play.hear(*OK, "354 go")) <= BLOCK
    play.clock.advance(179)
    play.wire.producer.resumeProducing()
    assert 0 < len(play.said()) <= BLOCK
    play.clock.advance(179)
    assert not found
    play.clock.advance(1)
    assert kinds(found[0]) == [("try-again", "4.4.2")]
    assert "took too long for taking the message" in found[0].outcomes[0].why
    assert not found[0].sent_dot and play.wire.aborted


def test_dropped_in_the_middle(tmp_path):
    """Half a message is no message: it may be sent again."""
    play = ready("PIPELINING")
    hold(play)
    found = play.send(letter(tmp_path, LARGE))
    play.hear(*OK, "354 go")
    play.lose()
    assert kinds(found[0]) == [("try-again", "4.4.2")] and not found[0].sent_dot
    assert found[0].dialogue[-1] == "C: <131,072 octets>"


def test_unreadable_in_the_middle(tmp_path):
    """A disk that fails is told, and no dot makes the half whole."""
    play = ready("PIPELINING")
    hold(play)
    outgoing = letter(tmp_path, LARGE)
    found = play.send(outgoing)
    play.hear(*OK, "354 go")
    os.truncate(outgoing.path, 1000)
    play.wire.producer.resumeProducing()
    assert found[0].check(OSError) and play.wire.aborted
    assert "\r\n.\r\n" not in play.said()


class Slow:
    """Threads that answer when told."""

    def __init__(self):
        self.asked = []

    def run(self, function, *arguments):
        self.asked.append((function, arguments, Deferred()))
        return self.asked[-1][2]

    def answer(self):
        function, arguments, answered = self.asked.pop(0)
        answered.callback(function(*arguments))

    def fail(self):
        self.asked.pop(0)[2].errback(FileNotFoundError())


def test_dropped_while_the_file_is_opened(tmp_path):
    """No file stays open, and nothing is said to nobody."""
    threads = Slow()
    play = ready("PIPELINING", threads=threads)
    found = play.send(letter(tmp_path, LARGE))
    play.hear(*OK, "354 go")
    play.lose()
    threads.answer()
    assert kinds(found[0]) == [("try-again", "4.4.2")]


def test_dropped_while_the_message_is_looked_through(tmp_path):
    """A connection that ends before the first word of a message says nothing of it: it waits for another."""
    threads = Slow()
    play = ready("PIPELINING", threads=threads)
    found = play.send(letter(tmp_path, body="8bitmime"))
    play.clock.advance(3600)
    assert play.client.usable, "the time for resting is over"
    play.lose()
    threads.answer()
    assert found == [None] and not play.turns.hopeless


def test_unreadable_when_it_is_looked_through(tmp_path):
    """That is raised, and the connection goes on with the next message."""
    threads = Slow()
    play = ready("PIPELINING", threads=threads)
    found, other = play.send(letter(tmp_path, body="8bitmime")), play.send(letter(tmp_path))
    threads.fail()
    assert found[0].check(FileNotFoundError)
    play.hear(*OK, "354 go")
    play.hear("250 taken")
    assert kinds(other[0]) == [("done", "2.0.0")]


def test_the_limit_between_small_and_large(tmp_path):
    """One octet more makes no difference on the wire."""
    for size in (SMALL - 1, SMALL, SMALL + 1):
        play = ready("PIPELINING")
        octets = (LINE * (size // len(LINE) + 1))[: size - 2] + b"\r\n"
        play.send(letter(tmp_path, octets))
        play.said()
        assert play.hear(*OK, "354 go").encode() == octets + b".\r\n"


def test_the_first_of_two_chunks_is_refused(tmp_path):
    """Both were sent: an answer is to come that belongs to no message, so the connection is not used again."""
    play = ready("PIPELINING", "CHUNKING")
    found = play.send(letter(tmp_path, LARGE[: BLOCK + 1_000]))
    play.said()
    assert play.hear(*OK).count("BDAT ") == 2
    play.hear("552 5.2.2 too much")
    assert kinds(found[0]) == [("failed", "5.2.2")]
    assert play.wire.aborted and not play.client.usable


def test_no_chunks_in_lock_step(tmp_path):
    """A server without PIPELINING is sent a large message by DATA: it is sooner there."""
    play = ready("CHUNKING")
    found = play.send(letter(tmp_path, LARGE))
    play.said()
    play.hear("250 ok")
    assert play.hear("250 ok") == "DATA\r\n"
    play.hear("354 go on")
    play.hear("250 ok")
    assert kinds(found[0]) == [("done", "2.0.0")]
