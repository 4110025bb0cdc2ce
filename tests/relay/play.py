"""A client on a stage: its transport is memory, its clock is ours, and the server is whoever writes the test."""

from collections import deque

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from tests.fakes import InlineThreads
from unitymail.interfaces.relay import Outgoing
from unitymail.mail.envelope import Recipient
from unitymail.mail.message import Category, Sensitivity
from unitymail.relay.client import Client
from unitymail.relay.conversation import Conversation
from unitymail.relay.sending import Waiting
from unitymail.routing.decision import FromPeer
from unitymail.routing.next_hop import NextHop

HOP = NextHop("smart-host", "the smart host mail.example.com", "mail.example.com")
REQUIRED = NextHop("smart-host", "the smart host mail.example.com", "mail.example.com", tls="required")
PEER = NextHop("peer l-b", "the peer b", "b.example.com", tls="pinned", fingerprint="00" * 32)
LETTER = b"From: robin@vm1.example.com\r\nSubject: Hello\r\n\r\n.Hello\r\n"
FULL = ("PIPELINING", "8BITMIME", "SIZE 100000", "DSN", "SMTPUTF8", "ENHANCEDSTATUSCODES")
TOLD = FromPeer(
    "a.TRACE-1", "TRACE-1", "robin@vm1.example.com", "user", Category.VOICE, Sensitivity.PRIVATE, True
)


class Wire(StringTransport):
    """A TCP transport in memory; ends when the client says so, or `lose` does."""

    def __init__(self):
        super().__init__(peerAddress=IPv4Address("TCP", "192.0.2.1", 25))
        self.tls = []
        self.aborted = False
        self.nodelay = False

    def setTcpNoDelay(self, on):
        self.nodelay = bool(on)

    def setTcpKeepAlive(self, on):
        pass

    def startTLS(self, creator):
        self.tls.append(creator)

    def abortConnection(self):
        self.aborted = True
        super().abortConnection()


class Turns:
    """Whose turn it is, without a pool: those who wait go one after the other; who was not heard gets None."""

    def __init__(self):
        self.waiting = deque()
        self.at_rest = True
        self.hopeless = False

    def next(self, conversation, *, in_hope):
        if not self.waiting or (in_hope and not self.waiting[0].may_follow(conversation.client.offers)):
            return None
        return self.waiting.popleft()

    def settled(self, conversation, waiting, attempt):
        waiting.attempt.callback(attempt)

    def unfit(self, waiting, attempt):
        waiting.attempt.callback(attempt)

    def free(self, conversation):
        self.at_rest = True

    def left(self, conversation, unheard, settled, *, hopeless):
        self.hopeless = hopeless
        for waiting, attempt in [*settled, *((each, None) for each in unheard)]:
            waiting.attempt.callback(attempt)


class Play:
    """`hear` gives the client octets and returns what it says to them."""

    def __init__(self, hop=HOP, *, handshake=None, sign_in=None, threads=None):
        self.clock = Clock()
        self.threads = threads or InlineThreads()
        self.ended = []
        self.trouble = []
        self.client = Client(
            hop, hop.host, identity="vm1.example.com", clock=self.clock, handshake=handshake, sign_in=sign_in,
            ended=self.ended.append,
        )
        self.client.ready.addCallback(self.trouble.append)
        self.turns = Turns()
        self.conversation = Conversation(self.client, self.turns, threads=self.threads, now=self.clock.seconds)
        self.wire = Wire()
        self.client.makeConnection(self.wire)

    def said(self):
        self.clock.advance(0)
        octets = self.wire.value()
        self.wire.clear()
        return octets.decode()

    def hear(self, *lines):
        self.client.dataReceived("".join(f"{line}\r\n" for line in lines).encode())
        return self.said()

    def ehlo(self, *extensions):
        """The server's answer to EHLO."""
        lines = ["mx.example.net", *extensions]
        return [f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines]

    def greet(self, *extensions):
        self.hear("220 mx.example.net ESMTP")
        return self.hear(*self.ehlo(*extensions))

    def send(self, outgoing):
        """Begin, or wait for the end of what is under way; a list that the Attempt (None, Failure) will be in."""
        waiting = Waiting(outgoing)
        found = []
        waiting.attempt.addBoth(found.append)
        self.turns.waiting.append(waiting)
        if self.turns.at_rest:
            self.turns.at_rest = False
            self.conversation.go_on()
        return found

    def lose(self, reason=None):
        self.client.connectionLost(reason or Failure(ConnectionDone()))


class Untouched:
    """What is read, as it is read."""

    def block(self, octets):
        return octets

    def end(self):
        return b""


def letter(folder, octets=LETTER, *, to=("kim@example.net",), head=b"", **more):
    """An Outgoing whose file is in `folder`."""
    path = folder / f"m{len(list(folder.iterdir()))}"
    path.write_bytes(octets)
    recipients = tuple(each if isinstance(each, Recipient) else Recipient(each) for each in to)
    more.setdefault("sender", "robin@vm1.example.com")
    size = len(head + octets)
    return Outgoing("TRACE-1", recipients=recipients, path=str(path), offset=0, size=size, head=head, **more)


def kinds(attempt):
    return [(outcome.kind, outcome.status) for outcome in attempt.outcomes]
