"""Replies leave at the end of a turn, all of a connection's together; only what does not fit waits for the poller."""

import socket

from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from unitymail.departures import Departures


class Poller(Clock):
    """A clock, and the sets of a reactor."""

    def __init__(self):
        super().__init__()
        self.readers, self.writers, self.asked = set(), set(), 0

    def addReader(self, one):
        self.readers.add(one)

    def removeReader(self, one):
        self.readers.discard(one)

    def addWriter(self, one):
        self.asked += 1
        self.writers.add(one)

    def removeWriter(self, one):
        self.writers.discard(one)


class Producer:
    def __init__(self, more=()):
        self.more, self.said = list(more), []

    def pauseProducing(self):
        self.said.append("pause")

    def resumeProducing(self):
        self.said.append("resume")
        if self.more:
            self.transport.write(self.more.pop())

    def stopProducing(self):
        self.said.append("stop")


class DeparturesTests(SynchronousTestCase):
    def setUp(self):
        self.reactor = Poller()
        ours, self.peer = socket.socketpair()
        self.addCleanup(self.peer.close)
        self.addCleanup(ours.close)
        ours.setblocking(False)
        self.peer.setblocking(False)
        self.transport = Departures(self.reactor)(ours, Protocol(), ("peer", 1), None, 1, self.reactor)

    def heard(self):
        try:
            return self.peer.recv(1 << 20)
        except BlockingIOError:
            return b""

    def test_a_reply_leaves_without_the_poller(self):
        """What was written in a turn leaves in one piece at its end, and the poller is not asked."""
        self.transport.write(b"250 ")
        self.transport.write(b"ok\r\n")
        self.assertEqual(self.heard(), b"")
        self.reactor.advance(0)
        self.assertEqual(self.heard(), b"250 ok\r\n")
        self.assertEqual(self.reactor.asked, 0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_what_the_peer_does_not_read_waits_for_the_poller(self):
        """A socket that is full is not tried again before the poller says so, and nothing is lost or reordered."""
        large = bytes(range(256)) * 40_000
        self.transport.write(large)
        self.reactor.advance(0)
        self.assertEqual(self.reactor.writers, {self.transport})
        self.transport.write(b"end")
        self.reactor.advance(0)
        got = self.heard()
        while self.reactor.writers:
            self.assertIsNone(self.transport.doWrite())
            got += self.heard()
        self.assertEqual(got, large + b"end")
        self.assertEqual(self.reactor.asked, 1)

    def test_a_producer_goes_on_when_its_octets_left(self):
        """Back-pressure is as ever: paused when much waits, resumed when it left, in the turn after."""
        producer = Producer([b"more"])
        producer.transport = self.transport
        self.transport.registerProducer(producer, True)
        self.transport.write(b"x" * 70_000)
        self.assertEqual(producer.said, ["pause"])
        self.reactor.advance(0)
        self.assertEqual(producer.said, ["pause", "resume"])
        self.reactor.advance(0)
        self.assertEqual(self.heard(), b"x" * 70_000 + b"more")

    def test_the_last_words_leave_before_the_end(self):
        """loseConnection sends what was written, then the reactor is asked to end the connection."""
        self.transport.write(b"221 bye\r\n")
        self.transport.loseConnection()
        self.reactor.advance(0)
        self.assertEqual(self.heard(), b"221 bye\r\n")
        self.assertEqual(self.reactor.writers, {self.transport})
        self.assertIsNotNone(self.transport.doWrite())

    def test_a_connection_that_went_meanwhile_is_left_alone(self):
        """Octets for a connection that ended in the same turn are forgotten."""
        self.transport.write(b"250 ok\r\n")
        self.transport.connectionLost(Failure(ConnectionLost()))
        self.reactor.advance(0)
        self.assertEqual(self.reactor.writers, set())

    def test_a_peer_that_is_gone_is_for_the_reactor_to_find(self):
        """A send that fails is made again by the reactor, which then ends the connection as ever."""
        self.peer.close()
        self.transport.write(b"250 ok\r\n")
        self.reactor.advance(0)
        self.assertEqual(self.reactor.writers, {self.transport})

    def test_a_failing_producer_ends_its_own_connection_only(self):
        """What one connection's producer raises is logged, and the others' octets leave."""
        class Failing(Producer):
            def resumeProducing(self):
                raise ValueError("no")

        self.transport.registerProducer(Failing(), True)
        self.transport.write(b"x" * 70_000)
        other, peer = socket.socketpair()
        self.addCleanup(peer.close)
        self.addCleanup(other.close)
        other.setblocking(False)
        second = self.transport.departures(other, Protocol(), ("peer", 2), None, 2, self.reactor)
        second.write(b"250 ok\r\n")
        self.reactor.advance(0)
        self.assertEqual(peer.recv(100), b"250 ok\r\n")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
