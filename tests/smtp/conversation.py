"""A client that talks to one SMTP session over a string, with a clock that a test turns by hand."""

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from tests.fakes import ROBIN, FakeBook, FakeUsage, InlineThreads, RecordingJournal
from tests.scram import one_password
from tests.smtp.fake_spool import FakeSpool
from unitymail.interfaces.login import SignInRefused
from unitymail.ledger.local import LocalLedger
from unitymail.people.access import AccessRule
from unitymail.policy.tarpit import MOST_S
from unitymail.settings.site import SiteSettings
from unitymail.smtp.admission import SILENCE_S
from unitymail.smtp.server import SMTPDoor

LETTER = b"From: robin@vm1.example.com\r\nTo: chris@vm1.example.com\r\nSubject: Hello\r\n\r\nHi.\r\n"
TRUSTED = (AccessRule("192.0.2.0/24", allow=True),)


class FakeLogin:
    """Robin's password is `secret`. `answer` may be a SignInRefused, an error, or a Deferred."""

    def __init__(self):
        self.asked = []
        self.answer = None

    def sign_in(self, name, password, place):
        self.asked.append((name, password, place))
        if isinstance(self.answer, Deferred):
            return self.answer
        return self._judge(name, password)

    def scram(self, place):
        self.asked.append(("scram", place))
        return one_password(b"secret", ROBIN, place, self.answer)

    async def _judge(self, name, password):
        if self.answer is not None:
            raise self.answer
        if (name, password) != (b"robin", b"secret"):
            raise SignInRefused("bad-credentials", "wrong password")
        return ROBIN


class Wire(StringTransport):
    """A transport that can start TLS in name, and tells whether it is being read."""

    def __init__(self, ip):
        StringTransport.__init__(self, peerAddress=IPv4Address("TCP", ip, 40_000))
        self.tls = None
        self.aborted = False
        self.writes = 0

    def write(self, data):
        self.writes += 1
        StringTransport.write(self, data)

    def startTLS(self, context):
        self.tls = context

    def getHandle(self):
        return None

    def abortConnection(self):
        self.aborted = True
        StringTransport.abortConnection(self)

    @property
    def reading(self):
        return self.producerState == "producing"


class Conversation:
    """A door with its collaborators, and one client of it at `ip`; it is `patient` where a reply is held back."""

    def __init__(
        self, *, door="mta", ip="192.0.2.7", site=None, access=TRUSTED, connect=True, people=(), **options
    ):
        self.patient = isinstance(options.get("clock", Clock()), Clock)
        self.site = site or SiteSettings()
        self.book = FakeBook(*people, site=self.site, access=access)
        self.spool = options.pop("spool", None) or FakeSpool()
        self.login = options.pop("login", None) or FakeLogin()
        self.journal = RecordingJournal()
        self.usage = FakeUsage()
        self.clock = options.pop("clock", None) or Clock()
        self.clock.advance(1_800_000_000)
        self.threads = options.pop("threads", None) or InlineThreads()
        self.ledger = options.pop("ledger", None) or LocalLedger()
        self.door = SMTPDoor(
            door=door, ledger=self.ledger, host="vm1.example.com", book=self.book, login=self.login, spool=self.spool,
            threads=self.threads, usage=self.usage, journal=self.journal, clock=self.clock, **options,
        )
        self.ip = ip
        if connect:
            self.connect()

    def connect(self, ip=None):
        """Another client of the same door; it becomes the one that talks, once it was greeted."""
        self.arrive(ip)
        if not self.wire.value():
            self.clock.advance(SILENCE_S)
        return self

    def arrive(self, ip=None):
        """The same, but it does not wait for the banner."""
        self.session = self.door.buildProtocol(None)
        self.wire = Wire(ip or self.ip)
        self.session.makeConnection(self.wire)
        return self

    def connections(self):
        """How many hold a place."""
        return self.ledger.held("smtp")

    def heard(self):
        """What the server said since the last time, as text."""
        octets = self.wire.value()
        self.wire.clear()
        return octets.decode()

    def say(self, *lines):
        """Send these lines in one segment; what the server says to them."""
        return self.send(b"".join((line.encode() if isinstance(line, str) else line) + b"\r\n" for line in lines))

    def send(self, octets):
        self.session.dataReceived(octets)
        while self.patient and self.session._order.speech.holding:
            self.clock.advance(MOST_S)
        return self.heard()

    def codes(self, *lines):
        """The reply codes, with enhanced codes where there are any; lines of one reply count once."""
        return codes(self.say(*lines))

    def greeted(self):
        self.heard()
        self.say("EHLO client.example")
        return self

    def signed_in(self):
        self.greeted()
        assert self.codes("AUTH PLAIN AHJvYmluAHNlY3JldA==") == ["235 2.7.0"]
        return self

    def letter(self, *recipients, octets=LETTER, sender="robin@vm1.example.com"):
        """Send a letter, one group per round trip; the codes of it all."""
        found = self.codes(f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{r}>" for r in recipients), "DATA")
        if found[-1] == "354":
            found += codes(self.send(octets + b".\r\n"))
        return found

    def hang_up(self):
        """The client goes away."""
        from twisted.internet.error import ConnectionDone
        from twisted.python.failure import Failure

        self.session.connectionLost(Failure(ConnectionDone()))


def codes(text):
    """`250 2.1.0` of each last line of a reply."""
    found = []
    for line in text.splitlines():
        if line[3:4] == "-":
            continue
        word = line[4:].split(" ")[0]
        found.append(f"{line[:3]} {word}" if word.count(".") == 2 and word.replace(".", "").isdigit() else line[:3])
    return found
