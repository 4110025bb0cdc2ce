"""Who stands behind a load balancer, and who only says that it does."""

import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from tests.fakes import RecordingJournal
from tests.smtp.conversation import Conversation, codes
from tests.smtp.test_connection import CLIENT_CONTEXT, CONTEXT, reactor_clock
from unitymail.mail.reply import Reply
from unitymail.people.access import AccessRule
from unitymail.policy.access import read_pattern
from unitymail.proxy import front
from unitymail.proxy.front import Front
from unitymail.proxy.header import SIGNATURE
from unitymail.settings.site import SiteSettings
from unitymail.smtp.admission import SILENCE_S

HEADER = b"PROXY TCP4 203.0.113.9 198.51.100.1 40000 25\r\n"
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"
BEHIND = (AccessRule("203.0.113.0/24", allow=True),)
HELLO = b"EHLO client.example\r\n"


class Heard(Protocol):
    """Greets, and remembers what it was told."""

    def connectionMade(self):
        self.octets, self.lost = b"", 0
        self.factory.made.append(self)
        self.host = self.transport.getPeer().host
        self.transport.write(b"220 hello\r\n")

    def dataReceived(self, data):
        self.octets += data

    def connectionLost(self, reason):
        self.lost += 1


class Wire(StringTransport):
    """One that, as a socket's does, gives what comes to its `protocol`."""

    aborted = False

    def come(self, octets):
        self.protocol.dataReceived(octets)
        said = self.value()
        self.clear()
        return said

    def abortConnection(self):
        self.aborted = True
        super().abortConnection()


class Visit:
    """A client at `ip` of a front that knows the balancer 192.0.2.1."""

    def __init__(self, ip="192.0.2.1", words=Reply.octets, balancers=("192.0.2.1", "2001:db8::/32")):
        self.behind = Factory.forProtocol(Heard)
        self.behind.made = []
        self.clock, self.journal = Clock(), RecordingJournal()
        self.front = Front(
            self.behind, door="mta", balancers=tuple(map(read_pattern, balancers)), words=words, journal=self.journal,
            clock=self.clock,
        )
        self.come(ip)

    def come(self, ip):
        kind = IPv6Address if ":" in ip else IPv4Address
        self.wire = Wire(peerAddress=kind("TCP", ip, 1_234))
        self.wire.protocol = self.front.buildProtocol(None)
        self.wire.protocol.makeConnection(self.wire)

    def heard(self):
        said = self.wire.value()
        self.wire.clear()
        return said

    def lose(self):
        self.wire.protocol.connectionLost(Failure(ConnectionDone()))


@given(st.integers(0, len(HEADER + HELLO)), st.sampled_from([HEADER, LOCAL]))
def test_the_header_comes_first(cut, header):
    """Nothing begins before the header is whole, however it is cut; what follows it goes to the protocol behind."""
    v = Visit()
    octets = header + HELLO
    assert v.heard() == b"" and not v.behind.made
    v.wire.come(octets[:cut])
    assert bool(v.behind.made) == (cut >= len(header))
    v.wire.come(octets[cut:])
    [protocol] = v.behind.made
    assert protocol.octets == HELLO
    assert protocol.host == ("203.0.113.9" if header == HEADER else "192.0.2.1%proxy")
    assert v.wire.protocol is protocol and v.front.waiting == 0
    v.clock.advance(100)
    assert not v.wire.disconnecting


def test_no_header_in_time():
    """A balancer that says nothing for five seconds is told why, and let go."""
    v = Visit()
    v.wire.come(HEADER[:10])
    v.clock.advance(4.9)
    assert v.heard() == b"" and not v.wire.disconnecting
    v.clock.advance(0.2)
    assert codes(v.heard().decode()) == ["421 4.4.2"]
    assert v.wire.disconnecting and not v.behind.made and v.front.waiting == 0
    assert [e.args[:2] for e in v.journal.named("turned_away")] == [("mta", "192.0.2.1")]
    v.clock.advance(front.LINGER_S)
    assert v.wire.aborted


def test_no_header_at_all():
    """Whoever talks SMTP at once from a balancer's address gets nowhere."""
    v = Visit()
    assert codes(v.wire.come(HELLO).decode()) == ["554 5.5.1"]
    assert v.wire.disconnecting and not v.behind.made
    assert v.wire.come(HEADER) == b"" and not v.behind.made
    v.lose()
    assert v.clock.getDelayedCalls() == [] and v.front.waiting == 0


def test_others_are_greeted_at_once():
    """From other addresses nothing is waited for, and the front is out of the way after the first octets."""
    v = Visit("203.0.113.5")
    assert v.heard() == b"220 hello\r\n"
    [protocol] = v.behind.made
    v.wire.come(HELLO)
    assert v.wire.protocol is protocol and protocol.octets == HELLO and protocol.host == "203.0.113.5"


@pytest.mark.parametrize("header", [HEADER, LOCAL, b"PROXY UNKNOWN\r\n"])
@pytest.mark.parametrize("pieces", [1, 2])
def test_others_may_not_say_who_they_are(header, pieces):
    """A header from any other address is refused, and the connection closed: no address is believed."""
    v = Visit("203.0.113.5")
    v.heard()
    half = len(header) // 2 if pieces == 2 and header != LOCAL else 0
    said = v.wire.come(header[:half]) + v.wire.come(header[half:]) if half else v.wire.come(header)
    assert codes(said.decode()) == ["554 5.7.1"] and v.wire.disconnecting
    [protocol] = v.behind.made
    assert protocol.octets == b""
    v.lose()
    assert protocol.lost == 1 and v.clock.getDelayedCalls() == []


@pytest.mark.parametrize("second", [b"PROXY TCP4 127.0.0.1 127.0.0.1 1 25\r\n", LOCAL, SIGNATURE])
def test_a_header_is_believed_once(second):
    """A client of a balancer that sends one too has its address no less, whether it comes at once or later."""
    for pieces in ((HEADER + second,), (HEADER, second), (HEADER, HELLO, second)):
        v = Visit()
        for piece in pieces:
            v.wire.come(piece)
        [protocol] = v.behind.made
        assert protocol.octets == b"".join(pieces).removeprefix(HEADER)
        assert protocol.host == v.wire.getPeer().host == "203.0.113.9"


@pytest.mark.parametrize("header", [HEADER, LOCAL])
def test_a_header_after_the_first_words(header):
    """From any other address it is words like others, and changes nothing."""
    v = Visit("203.0.113.5")
    v.wire.come(HELLO)
    v.wire.come(header)
    assert v.behind.made[0].octets == HELLO + header and v.wire.getPeer().host == "203.0.113.5"


def test_the_silence_before_the_banner_is_the_clients():
    """A stranger is listened to once its header was read: it may not talk in the same breath, and is greeted later."""
    c = Conversation(connect=False, site=SiteSettings(smtp_allow_untrusted=True), access=())
    balanced = Front(
        c.door, door="mta", balancers=(read_pattern("192.0.2.1"),), words=Reply.octets, journal=c.journal, clock=c.clock
    )
    for late in (b"", HELLO):
        wire = Wire(peerAddress=IPv4Address("TCP", "192.0.2.1", 1_234))
        wire.protocol = balanced.buildProtocol(None)
        wire.protocol.makeConnection(wire)
        c.clock.advance(SILENCE_S * 2)
        said = wire.come(HEADER + late)
        assert codes(said.decode()) == (["554 5.5.1"] if late else [])
        c.clock.advance(SILENCE_S)
        assert codes(wire.value().decode()) == ([] if late else ["220"])
        assert c.ledger.held("smtp", "203.0.113.9") == 1
        wire.protocol.connectionLost(Failure(ConnectionDone()))
        assert c.connections() == 0


def test_words_that_only_look_like_a_header():
    """An IMAP tag may be PROXY, and an empty line gets its answer."""
    for octets in (b"PROXY NOOP\r\n", b"\r\n", b"P\r\n", b"\x16\x03\x01"):
        v = Visit("203.0.113.5")
        v.wire.come(octets[:1])
        v.wire.come(octets[1:])
        assert v.behind.made[0].octets == octets


def test_balancers_by_block_and_none():
    """A block of IPv6 addresses is one too; where there are no balancers nobody is one."""
    v = Visit("2001:db8::5")
    assert v.heard() == b""
    v.come("::ffff:192.0.2.1")
    assert v.heard() == b""
    v.come("2001:db8::5%eth0")
    v.wire.come(LOCAL)
    assert v.behind.made.pop().host == "2001:db8::5%proxy"
    v.come("2001:db9::5")
    assert v.heard() == b"220 hello\r\n"
    assert Visit(balancers=()).heard() == b"220 hello\r\n"
    v.wire.come(b"x")
    assert v.behind.made[0].host == "2001:db9::5"


def test_a_bounded_crowd(monkeypatch):
    """Connections that keep their header back do not fill the memory; one that goes makes room."""
    monkeypatch.setattr(front, "MOST_WAITING", 2)
    v = Visit()
    first = v.wire
    v.come("192.0.2.1")
    v.come("192.0.2.1")
    assert codes(v.heard().decode()) == ["421 4.3.2"] and v.wire.disconnecting
    first.protocol.connectionLost(Failure(ConnectionDone()))
    v.come("192.0.2.1")
    assert v.wire.come(HEADER) == b"220 hello\r\n"


def test_under_tls_nothing_can_be_said():
    """Words in the clear would be no TLS: the connection is just closed."""
    v = Visit(words=lambda reply: b"")
    v.wire.come(HELLO)
    assert v.wire.aborted and v.heard() == b""


class OverTheWire(TestCase):
    """Real sockets, real TLS, the real door: the front stands outside of all that."""

    def serve(self, *, implicit, access=BEHIND, site=None, door="mta"):
        self.c = Conversation(
            connect=False, access=access, clock=reactor_clock(), tls=CONTEXT, implicit_tls=implicit,
            site=site or SiteSettings(), door=door,
        )
        behind = TLSMemoryBIOFactory(CONTEXT, False, self.c.door) if implicit else self.c.door
        factory = Front(
            behind, door=door, balancers=(read_pattern("127.0.0.1"),), words=Reply.octets, journal=self.c.journal,
            clock=reactor,
        )
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.addCleanup(lambda: self.c.door.drain(1))
        return port.getHost().port

    async def test_implicit_tls(self):
        """The header comes before the handshake; access, sign-in and journal know the client it names."""
        port = self.serve(implicit=True, door="submissions")

        def client():
            with socket.create_connection(("127.0.0.1", port)) as plain:
                plain.sendall(HEADER)
                with CLIENT_CONTEXT.wrap_socket(plain) as secure:
                    said = secure.recv(4096)
                    secure.sendall(HELLO + b"AUTH PLAIN AHJvYmluAHNlY3JldA==\r\nQUIT\r\n")
                    while b"221 " not in said:
                        said += secure.recv(4096)
                    return said

        said = await deferToThread(client)
        self.assertIn("235 2.7.0", codes(said.decode()))
        self.assertEqual(self.c.login.asked[0][2].client, "203.0.113.9")
        self.assertEqual(self.c.journal.named("connected")[0].args[1], "203.0.113.9")

    async def test_starttls_after_a_header(self):
        """The transport is the door's own: it starts TLS as ever, and counts the connection as the client's."""
        port = self.serve(implicit=False)

        def client():
            with socket.create_connection(("127.0.0.1", port)) as plain:
                plain.sendall(HEADER + HELLO + b"STARTTLS\r\n")
                said = b""
                while b"220 2.0.0" not in said:
                    said += plain.recv(4096)
                with CLIENT_CONTEXT.wrap_socket(plain) as secure:
                    self.held = self.c.ledger.held("smtp", "203.0.113.9")
                    secure.sendall(HELLO)
                    return secure.recv(4096)

        self.assertIn(b"250 ", await deferToThread(client))
        self.assertEqual(self.held, 1)

    async def test_a_denied_client_of_a_balancer(self):
        """It is the client's address that is refused, in place of the banner, under TLS where that comes first."""
        port = self.serve(implicit=True, door="submissions", access=(AccessRule("203.0.113.9", allow=False),))

        def client():
            with socket.create_connection(("127.0.0.1", port)) as plain:
                plain.sendall(HEADER)
                with ssl._create_unverified_context().wrap_socket(plain) as secure:
                    return secure.recv(4096)

        self.assertEqual(codes((await deferToThread(client)).decode()), ["554 5.7.1"])
