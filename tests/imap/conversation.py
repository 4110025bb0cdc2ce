"""A client and the IMAP door in one process: octets in, octets out, time that a test moves."""

from twisted.internet import defer
from twisted.internet.interfaces import ISSLTransport, ITLSTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from zope.interface import alsoProvides, implementer

from tests.fakes import ROBIN, FakeBook, FakeDoorbell, InlineThreads, RecordingJournal
from tests.imap.memory_store import MemoryStore
from tests.scram import one_password
from unitymail.disk import Disk
from unitymail.imap.door import IMAPDoor
from unitymail.interfaces.login import ILogin, SignInRefused
from unitymail.ledger.local import LocalLedger
from unitymail.smtp.turns import Turns

MESSAGE = b"From: chris@vm1.example.com\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"


@implementer(ILogin)
class FakeLogin:
    """`passwords` by name; a SignInRefused kind in `refusals` wins; with `held` the answer waits for the test."""

    def __init__(self, book):
        self.book = book
        self.passwords = {b"robin": b"secret", b"chris": b"secret", b"terry": b"secret"}
        self.refusals = {}
        self.places = []
        self.held = None

    def sign_in(self, name, password, place):
        self.places.append(place)
        if name in self.refusals:
            return defer.fail(SignInRefused(self.refusals[name], "test"))
        if self.passwords.get(name) != password:
            return defer.fail(SignInRefused("bad-credentials", "test"))
        user = self.book.user_named(name.decode())
        if self.held is not None:
            return self.held.addCallback(lambda _: user)
        return defer.succeed(user)

    def scram(self, place):
        self.places.append(place)
        refusal = SignInRefused(self.refusals[b"robin"], "test") if b"robin" in self.refusals else None
        return one_password(b"secret", self.book.user_named("robin"), place, refusal)


class SilentThreads(InlineThreads):
    """While something runs in a `thread`, nobody may write to a client: transports are the reactor's."""

    busy = False

    def run(self, function, *args, **kwargs):
        return super().run(self._silently, function, *args, **kwargs)

    def _silently(self, function, *args, **kwargs):
        before, self.busy = self.busy, True
        try:
            return function(*args, **kwargs)
        finally:
            self.busy = before


@implementer(ITLSTransport)
class Wire(StringTransport):
    """A transport that can be full, turn to TLS, and remember how it ended."""

    def __init__(self, host, threads=None):
        super().__init__(peerAddress=None)
        self.host = host
        self.threads = threads
        self.aborted = False
        self.tls_context = None
        self.no_delay = False

    def write(self, data):
        assert not getattr(self.threads, "busy", False), "a transport is written to from a thread"
        super().write(data)

    def getPeer(self):
        from twisted.internet.address import IPv4Address

        return IPv4Address("TCP", self.host, 40000)

    def startTLS(self, context, normal=True):
        self.tls_context = context
        alsoProvides(self, ISSLTransport)

    def setTcpNoDelay(self, on):
        self.no_delay = on

    def abortConnection(self):
        self.aborted = True
        self.disconnecting = True

    def registerProducer(self, producer, streaming):
        assert streaming
        super().registerProducer(producer, streaming)

    def pauseProducing(self):
        self.producerState = "paused"

    def resumeProducing(self):
        self.producerState = "producing"


class House:
    """The collaborators that the doors of a test share."""

    def __init__(self, *, site=None, users=(), **door):
        self.clock = Clock()
        self.clock.advance(1000)
        self.book = FakeBook(*users, site=site)
        self.login = FakeLogin(self.book)
        self.store = MemoryStore()
        self.doorbell = FakeDoorbell()
        self.journal = RecordingJournal()
        self.threads = SilentThreads()
        self.ledger = LocalLedger()
        settings = {
            "name": "imap", "host": "vm1.example.com", "book": self.book, "login": self.login, "store": self.store,
            "disk": Disk(), "threads": self.threads, "doorbell": self.doorbell, "journal": self.journal,
            "clock": self.clock, "turns": Turns(self.clock), "ledger": self.ledger,
        }
        self.door = IMAPDoor(**{**settings, **door})

    @property
    def account(self):
        return self.store.account(ROBIN.id)

    @property
    def inbox(self):
        return self.account.folder("INBOX")

    def connect(self, host="127.0.0.1"):
        return Client(self, host)

    def signed_in(self, host="127.0.0.1"):
        client = Client(self, host)
        client.say("x LOGIN robin secret")
        return client

    def selected(self, name="INBOX", command="SELECT"):
        client = self.signed_in()
        client.say(f'x {command} "{name}"')
        return client


class Client:
    """One connection; `greeting` is what it was greeted with."""

    def __init__(self, house, host="127.0.0.1"):
        self.house = house
        self.wire = Wire(host, house.threads)
        self.protocol = house.door.buildProtocol(None)
        self.protocol.makeConnection(self.wire)
        self.greeting = self.heard()

    @property
    def session(self):
        return self.protocol.session

    def heard(self):
        """What came since the last time, as text."""
        octets = self.wire.value()
        self.wire.clear()
        return octets.decode("latin-1")

    def send(self, octets):
        self.protocol.dataReceived(octets.encode() if isinstance(octets, str) else octets)

    def say(self, line):
        """One line; the lines that came back."""
        self.send(line.encode() + b"\r\n" if isinstance(line, str) else line + b"\r\n")
        return self.heard().split("\r\n")[:-1]

    def leave(self):
        from twisted.internet.error import ConnectionDone
        from twisted.python.failure import Failure

        self.protocol.connectionLost(Failure(ConnectionDone()))

    @property
    def closed(self):
        return self.wire.disconnecting
