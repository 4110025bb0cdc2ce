"""Commands over a large folder never hold the reactor up: no turn uses more than 10 ms of its thread's CPU."""

import time

from twisted.internet import defer, endpoints, protocol, reactor
from twisted.trial.unittest import TestCase

from tests.imap.conversation import House
from unitymail.mail.structure import scan
from unitymail.mail.summary import summarise
from unitymail.threads import Threads

COUNT = 20_000
LINES = (
    "FETCH 1:* (FLAGS)",
    "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
    "UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (From To Subject Date)])",
    "FETCH 1:3000 BODY.PEEK[]",
    "FETCH 1:5000 (PREVIEW SAVEDATE EMAILID)",
    "FETCH 1:3000 (BINARY.PEEK[1] BINARY.SIZE[1])",
    "FETCH 1:9000 (UID BODY[HEADER.FIELDS (Subject)])",
    "SEARCH OR UNSEEN KEYWORD work NOT 5:9 UID 1:*",
    "SEARCH OR FROM robin OR TO nobody SUBJECT nothing",
    "UID SEARCH SINCE 1-Jan-2000 SENTSINCE 1-Jan-2000 LARGER 10",
    "SEARCH TEXT nowhere 1:2000",
    "UID SORT (SUBJECT REVERSE DATE) UTF-8 ALL",
    "SORT (REVERSE SIZE) UTF-8 2:19000",
    "UID SORT RETURN (ALL) (SUBJECT REVERSE DATE) UTF-8 NOT 5",
    "UID THREAD REFERENCES UTF-8 ALL",
    "THREAD ORDEREDSUBJECT UTF-8 2:19000",
    "UID THREAD REFERENCES UTF-8 ALL",
    "STORE 1:* +FLAGS (\\Flagged)",
    "UID STORE 2:15000 -FLAGS.SILENT (\\Flagged)",
    "COPY 1:* Junk",
    "UID MOVE 1:5000 Archive",
)
SYNC = (
    "ENABLE QRESYNC",
    "UID STORE 1:* (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Seen)",
    "UID STORE 1:* +FLAGS.SILENT (\\Flagged)",
    "STORE 1:* (UNCHANGEDSINCE 99999) -FLAGS (\\Flagged)",
    "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 9000)",
    "UID FETCH 1:* (UID) (PARTIAL -2:-9000 CHANGEDSINCE 9000)",
    "UID MOVE 1:5000 Archive",
    "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)",
    "SELECT INBOX (QRESYNC (1001 1 1:20000 (1:15000 1:15000)))",
    f"SELECT INBOX (QRESYNC (1001 1 {','.join(map(str, range(1, 20_000, 2)))}))",
)


class Talk(protocol.Protocol):
    """Sends a line, hears until its tagged answer."""

    def __init__(self):
        self.tail = b""
        self.waiting = defer.Deferred()

    def dataReceived(self, data):
        self.tail = (self.tail + data)[-4_000:]
        last = self.tail.split(b"\r\n")[-2:]
        if last[1:] == [b""] and last[0].startswith((b"a ", b"* OK [CAPABILITY ")):
            self.tail = b""
            self.waiting.callback(last[0])

    def say(self, line):
        self.waiting = defer.Deferred()
        self.transport.write(b"a " + line.encode() + b"\r\n")
        return self.waiting


class TurnTests(TestCase):
    timeout = 60

    def setUp(self):
        pool = Threads(reactor, "store", 2)
        pool.start()
        self.addCleanup(pool.stop)
        self.house = House(threads=pool, clock=reactor)
        octets = b"From: robin@vm1.example.com\r\nSubject: Lunch\r\nDate: 1 Jan 2027 10:00 +0000\r\n\r\nhello\r\n"
        summary = summarise(octets, scan(octets))
        for _ in range(COUNT):
            self.house.inbox._add(octets, 0, 1_795_000_000.0).summary = summary
        self.house.inbox._renew()
        self.longest = 0.0
        for name in ("runUntilCurrent", "doIteration"):
            self.patch(reactor, name, self.timed(getattr(reactor, name)))

    def timed(self, function):
        def timing(*args):
            began = time.thread_time()
            function(*args)
            self.longest = max(self.longest, time.thread_time() - began)

        return timing

    async def test_no_long_turn(self):
        """Whatever is asked of 20,000 messages."""
        self.assertEqual(await self.long_turns(LINES), {})

    async def test_no_long_turn_of_synchronising(self):
        """Whatever is asked about changes of 20,000 messages, or claimed to be known of them."""
        self.assertEqual(await self.long_turns(SYNC), {})

    async def long_turns(self, lines):
        """The lines in whose answers a turn was too long, and how long (ms)."""
        port = reactor.listenTCP(0, self.house.door, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        talk = Talk()
        where = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        greeted = talk.waiting
        await endpoints.connectProtocol(where, talk)
        self.addCleanup(talk.transport.abortConnection)
        await greeted
        await talk.say("LOGIN robin secret")
        await talk.say("SELECT INBOX")
        long = {}
        for line in lines:
            self.longest = 0.0
            answer = await talk.say(line)
            self.assertTrue(answer.startswith(b"a OK"), (line, answer))
            if self.longest > 0.010:
                long[line[:80]] = round(self.longest * 1000, 1)
        return long
