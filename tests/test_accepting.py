"""Clients are let in a few at a time, and only while there are descriptors for what they need."""

import errno
import resource
import socket
import sys

import pytest
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from unitymail.accepting import AT_ONCE, REST_S, SHARE_S, TELL_EVERY_S, Entrance, most_connections


class Reactor(Clock):
    """Time that a test moves, and what is being read from."""

    def __init__(self):
        super().__init__()
        self.readers = set()

    def addReader(self, reader):
        self.readers.add(reader)

    def removeReader(self, reader):
        self.readers.discard(reader)

    def removeWriter(self, writer):
        pass


class Rude(Protocol):
    """Fails on connection when the factory says so."""

    def connectionMade(self):
        self.factory.made.append(self)
        if self.factory.breaks:
            raise ValueError("broken")


class Door(Factory):
    protocol = Rude
    noisy = False

    def __init__(self):
        self.made = []
        self.breaks = False
        self.closed = False

    def buildProtocol(self, address):
        if self.closed:
            raise ValueError("closed for a reason that nobody knows")
        return super().buildProtocol(address)


class Failing:
    """A listening socket whose next accepts fail."""

    def __init__(self, listening, *errors):
        self._listening = listening
        self.errors = list(errors)
        self.asked = 0

    def accept(self):
        self.asked += 1
        if self.errors:
            raise OSError(self.errors.pop(0), "told to fail")
        return self._listening.accept()

    def __getattr__(self, name):
        return getattr(self._listening, name)


class Wire(StringTransport):
    """A transport for an accepted socket."""

    def __init__(self, connection, protocol, address, server, number, reactor):
        super().__init__()
        self.connection = connection
        server.transports.append(self)

    def abortConnection(self):
        self.connection.close()
        self.aborted = True


@pytest.fixture
def at():
    """A port with its reactor, its door, and the clients that a test makes."""
    at = Place()
    yield at
    at.close()


class Place:
    def __init__(self):
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        self.reactor, self.door, self.clients = Reactor(), Door(), []
        self.port = Entrance._fromListeningDescriptor(self.reactor, listening.fileno(), listening.family, self.door)
        self.port.transports = []
        self.port.transport = Wire
        self.port.cpu = lambda: 0.0
        self.port.startListening()
        self.address = listening.getsockname()
        listening.close()
        self.errors = []
        self.port.failed = self.errors.append

    def come(self, count=1):
        self.clients += [socket.create_connection(self.address, 5) for _ in range(count)]

    def fail(self, *errors):
        self.port.socket = Failing(self.port.socket, *errors)
        return self.port.socket

    def close(self):
        for transport in self.port.transports:
            transport.connection.close()
        for client in self.clients:
            client.close()
        if self.port.connected:
            self.port.stopListening()
            self.reactor.advance(1)
        assert not self.reactor.readers and not self.reactor.getDelayedCalls()


def test_a_crowd_comes_in_over_several_turns(at):
    """Hundreds who connect at once do not hold up those who are inside."""
    at.come(3 * AT_ONCE // 2)
    at.port.doRead()
    assert len(at.door.made) == AT_ONCE
    at.port.doRead()
    at.port.doRead()
    assert len(at.door.made) == 3 * AT_ONCE // 2


def test_a_crowd_that_costs_much_comes_in_over_more_turns(at):
    """Where a client costs as much as TLS does, fewer are let in at once; one is, whatever it costs."""
    at.port.cpu = lambda: len(at.door.made) * SHARE_S / 2.5
    at.come(5)
    at.port.doRead()
    assert len(at.door.made) == 3
    at.port.cpu = lambda: len(at.door.made) * SHARE_S * 10
    at.port.doRead()
    assert len(at.door.made) == 4


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_without_descriptors_the_port_rests(at, number):
    """No core is burnt: the port is not looked at for a while, then who waited is let in. It is told once."""
    at.come(2)
    listening = at.fail(number, number, number)
    for _ in range(3):
        assert at.port in at.reactor.readers
        at.port.doRead()
        assert at.port not in at.reactor.readers
        at.reactor.advance(REST_S)
    assert listening.asked == 3
    assert [error.errno for error in at.errors] == [number]
    at.port.doRead()
    assert len(at.door.made) == 2


def test_it_is_told_again_after_a_while(at):
    """Whoever reads the journal sees that it lasts, and the journal is not filled by it."""
    for _ in range(2 * round(TELL_EVERY_S / REST_S)):
        at.fail(errno.EMFILE)
        at.port.doRead()
        at.reactor.advance(REST_S)
    assert len(at.errors) == 2


def test_who_left_again_is_passed_over(at):
    """A client that thought better of it keeps nobody else out."""
    at.come()
    at.fail(errno.ECONNABORTED, errno.EPERM)
    at.port.doRead()
    assert len(at.door.made) == 1 and not at.errors


def test_closing_while_it_rests(at):
    """A port that rests can be closed, and does not come back."""
    at.fail(errno.EMFILE)
    at.port.doRead()
    at.port.stopListening()
    at.reactor.advance(2 * REST_S)
    assert not at.reactor.readers


def test_told_to_stop_while_it_rests(at):
    """Who stands by for another process is not woken by an old rest, and a start during one waits for its end."""
    at.fail(errno.EMFILE)
    at.port.doRead()
    at.port.stopReading()
    at.reactor.advance(2 * REST_S)
    assert not at.reactor.readers
    at.port.startReading()
    at.fail(errno.EMFILE)
    at.port.doRead()
    at.port.stopReading()
    at.port.startReading()
    assert not at.reactor.readers
    at.reactor.advance(REST_S)
    assert at.reactor.readers == {at.port}


def test_no_room_is_said(at):
    """With too many descriptors open a client hears why, and those that are left serve who is inside."""
    hosts = []
    at.port.refused = hosts.append
    at.port.refusal = b"421 4.3.2 Too many connections\r\n"
    at.port.most = 0
    at.come()
    at.port.doRead()
    assert at.clients[0].recv(100) == at.port.refusal
    assert at.clients[0].recv(100) == b""
    assert hosts == ["127.0.0.1"] and not at.door.made


def test_a_client_that_cannot_be_served(at):
    """An error that nobody foresaw ends one connection; the next client is let in."""
    at.come(2)
    at.door.breaks = True
    at.port.doRead()
    assert [wire.aborted for wire in at.port.transports] == [True, True]
    at.door.breaks = False
    at.come()
    at.port.doRead()
    assert len(at.door.made) == 3


def test_no_error_closes_the_port(at):
    """Whatever fails before there is a connection, or while a client is told why, costs that client its connection."""
    at.door.closed = True
    at.come()
    assert at.port.doRead() is None
    assert at.clients[0].recv(1) == b""
    at.door.closed, at.port.most = False, 0
    at.port.refused = lambda host: 1 / 0
    at.come()
    assert at.port.doRead() is None
    assert at.clients[1].recv(1) == b""
    at.port.most = 1 << 20
    at.come()
    at.port.doRead()
    assert len(at.door.made) == 1


@pytest.mark.parametrize(
    ("limit", "most"), [(1_024, 384), (20_000, 18_720), (100, 38), (resource.RLIM_INFINITY, sys.maxsize)]
)
def test_room_for_files(limit, most):
    """What indexes and messages may need is kept for them, and no more than they will ever need."""
    assert most_connections(limit) == most
