"""The whole client against real servers on loopback: nothing lost, nothing doubled, and no turn too long."""

import gc
import os
import pathlib
import random
import resource

from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from tests.relay.play import LETTER, kinds, letter
from tests.relay.sink import Sink
from unitymail.interfaces.relay import IRelay
from unitymail.relay.relay import Relay
from unitymail.routing.next_hop import NextHop
from unitymail.threads import Threads
from unitymail.turns import LONG_TURN_S, TurnWatch

PIPELINED = ("PIPELINING", "8BITMIME", "DSN")
CHUNKED = ("PIPELINING", "CHUNKING")


class Mute:
    """A resolver that never answers."""

    def __getattr__(self, name):
        return lambda host, timeout: Deferred()


class Stage(TestCase):
    timeout = 60

    def setUp(self):
        self.folder = pathlib.Path(self.mktemp())
        self.folder.mkdir(parents=True)
        self.threads = Threads(reactor, "test", 2)
        self.threads.start()
        self.addCleanup(self.threads.stop)
        self.limit = 3
        self.relay = Relay(
            host="me", reactor=reactor, threads=self.threads, connections=lambda: self.limit, resolver=Mute()
        )

    def sink(self, *extensions, **more):
        made = Sink(*extensions, **more)
        self.addCleanup(made.stop)
        self.addCleanup(self.relay.close)
        self.hop = NextHop("smart-host", "the smart host", "127.0.0.1", made.number, tls="none")
        return made

    def send(self, *octets, **more):
        return ensureDeferred(self.relay.send(self.hop, letter(self.folder, *octets, **more)))

    def all(self, *sent):
        return gatherResults(sent)


class RelayTest(Stage):
    def test_interface(self):
        """It is what the courier was promised."""
        verifyObject(IRelay, self.relay)
        self.hop = NextHop("smart-host", "the smart host", "127.0.0.1")
        self.assertEqual(self.relay.most(self.hop), 6)

    async def test_many_messages(self):
        """Each arrives once, as it was, over no more connections than allowed, whatever the server speaks."""
        for extensions in ((), PIPELINED, CHUNKED):
            sink = self.sink(*extensions)
            octets = [b"Subject: %d\r\n\r\n.dot\r\n..\r\n" % number for number in range(60)]
            attempts = await self.all(*[self.send(each) for each in octets])
            self.assertEqual([kinds(each) for each in attempts], [[("done", "2.0.0")]] * 60)
            self.assertEqual(sorted(sink.messages), sorted(octets))
            self.assertEqual(sink.connections, 3)

    async def test_a_hop_that_was_changed(self):
        """What is sent afterwards goes to where it is now, whoever still waits for where it was."""
        silent = self.sink(at={"BANNER": None})
        before = [self.send() for _ in range(6)]
        now = self.sink(*PIPELINED)
        for attempt in await self.all(*[self.send() for _ in range(6)]):
            self.assertEqual(kinds(attempt), [("done", "2.0.0")])
        self.assertEqual(now.connections, 3)
        await self.relay.close()
        self.assertEqual(await self.all(*before), [None] * 6)
        self.assertEqual((silent.connections, silent.messages), (3, []))

    async def test_what_a_hop_was_before_is_forgotten(self):
        """However often it is changed, no more is kept than what is still in use."""
        self.sink()
        for number in range(5):
            self.hop = NextHop("smart-host", f"smart host {number}", "127.0.0.1", 0, tls="none")
            await self.send()
        self.assertEqual(len(self.relay._pools), 1)

    async def test_connections_are_renewed(self):
        """A server that closes after each message, told or not, gets the next one on a new connection."""

        def bye(session):
            session.transport.write(b"250 2.0.0 taken\r\n")
            session.transport.loseConnection()
            session.sink.messages.append(session.body)

        self.limit = 1
        sink = self.sink(*PIPELINED, at={"END": bye})
        for _ in range(5):
            self.assertEqual(kinds(await self.send()), [("done", "2.0.0")])
        self.assertEqual((sink.messages, sink.connections), ([LETTER] * 5, 5))

    async def test_a_server_of_many_moods(self):
        """One that closes, asks to wait and refuses at random: nothing is lost, or doubled but after a lost dot."""
        moods = random.Random(7)

        def moody(session):
            return moods.choice(["250 2.1.0 fine"] * 30 + ["421 4.3.2 bye", "451 4.3.0 later", ""])

        def at_the_end(session):
            if not session.body:
                return "554 5.5.1 nobody to give it to"
            mood = moods.choice(["taken"] * 20 + ["451 4.3.0 later", "421 4.3.2 bye", "lost", "bye"])
            if mood not in ("taken", "lost", "bye"):
                return mood
            if mood != "lost":
                session.transport.write(b"250 2.0.0 taken\r\n")
            session.sink.messages.append(session.body)
            if mood != "taken":
                session.mode = "over"
                session.transport.loseConnection()
            return None

        for extensions in (PIPELINED, CHUNKED):
            sink = self.sink(*extensions, at={"MAIL": moody, "RCPT": moody, "END": at_the_end})
            left = [b"Subject: %d\r\n\r\n.dot\r\n" % number for number in range(300)]
            wanted, lost_dots, rounds = sorted(left), 0, 0
            while left and rounds < 40:
                rounds += 1
                attempts = await self.all(*[self.send(octets) for octets in left])
                told = list(zip(left, attempts, strict=True))
                lost_dots += sum(attempt is not None and attempt.sent_dot for _, attempt in told)
                left = [octets for octets, attempt in told if attempt is None or kinds(attempt)[0][0] != "done"]
            self.assertEqual(left, [])
            self.assertEqual(sorted(set(sink.messages)), wanted)
            self.assertLessEqual(len(sink.messages) - len(wanted), lost_dots)

    async def test_large(self):
        """8 MB with a dot at each line arrive as they were, by DATA and by BDAT, and no turn is long."""
        octets = (b"." + b"x" * 60 + b"\r\n") * 130_000
        for extensions in (PIPELINED, CHUNKED):
            sink = self.sink(*extensions)
            self.assertEqual(kinds(await self.send(octets)), [("done", "2.0.0")])
            self.assertTrue(sink.messages == [octets])

    async def test_dropped_after_the_dot(self):
        """Then it may have arrived: it is to be sent again, and the trace can say why."""
        self.sink(*PIPELINED, at={"END": ""})
        attempt = await self.send()
        self.assertEqual(kinds(attempt), [("try-again", "4.4.2")])
        self.assertTrue(attempt.sent_dot)
        self.assertFalse(attempt.hop_down)

    async def test_dropped_at_each_step(self):
        """Before the dot nothing can have arrived."""
        for step in ("BANNER", "EHLO", "MAIL", "RCPT", "DATA"):
            sink = self.sink(*PIPELINED, at={step: ""})
            attempt = await self.send()
            self.assertEqual(kinds(attempt), [("try-again", "4.4.2")], step)
            self.assertEqual((attempt.sent_dot, sink.messages), (False, []), step)

    async def test_closing_before_the_greeting(self):
        """Whoever is still looked for, connected to or not greeted by is left at once."""
        silent = self.sink(at={"BANNER": None})
        sent = self.send()
        self.hop = NextHop("far", "a hop far away", "mail.example.com", 25, tls="none")
        far = self.send()
        while not silent.connections:
            turn = Deferred()
            reactor.callLater(0, turn.callback, None)
            await turn
        began = reactor.seconds()
        await self.relay.close()
        self.assertLess(reactor.seconds() - began, 5)
        self.assertEqual(await self.all(sent, far), [None, None])

    async def test_closing(self):
        """Messages under way get their outcome, connections end, and later ones wait for the next start."""
        sink = self.sink(*PIPELINED)
        sent = [self.send() for _ in range(3)]
        await self.relay.close()
        for attempt in await self.all(*sent):
            self.assertTrue(attempt is None or kinds(attempt) == [("done", "2.0.0")])
        self.assertIsNone(await self.send())
        other = NextHop("other", "another hop", "127.0.0.1", sink.number)
        self.assertIsNone(await self.relay.send(other, letter(self.folder)))


class SlowReaderTest(Stage):
    async def test_memory_is_flat(self):
        """50 MB to a server that reads slowly: neither the message nor much of it is ever in memory."""
        self.addCleanup(self.relay.close)
        reader = SlowReader()
        port = reactor.listenTCP(0, reader, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.hop = NextHop("smart-host", "the smart host", "127.0.0.1", port.getHost().port, tls="none")
        octets = os.urandom(50).hex().encode() + b"\r\n"
        watch = TurnWatch(lambda took: None)
        watch.watch(reactor)
        self.addCleanup(setattr, reactor, "_poller", reactor._poller._poller)
        outgoing = letter(self.folder, octets * (50_000_000 // len(octets)))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        gc.collect()
        gc.freeze()
        self.addCleanup(gc.unfreeze)
        watch.forget()
        attempt = await self.relay.send(self.hop, outgoing)
        self.assertEqual(kinds(attempt), [("done", "2.0.0")])
        self.assertGreater(reader.octets, 50_000_000)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        self.assertLess(grown, 12_000, "KiB")
        self.assertLess(watch.longest, LONG_TURN_S)


class SlowReader(Factory):
    """Reads a little, rests, reads again; answers when the dot came."""

    noisy = False

    def __init__(self):
        self.octets = 0

    def buildProtocol(self, address):
        return SlowSession(self)


class SlowSession(Protocol):
    def __init__(self, reader):
        self.reader = reader
        self.tail = b""
        self.data = False

    def connectionMade(self):
        self.transport.write(b"220 slow\r\n")

    def dataReceived(self, octets):
        self.reader.octets += len(octets)
        self.tail = (self.tail + octets)[-64:]
        if self.data:
            self.taken()
        elif octets.startswith(b"EHLO"):
            self.transport.write(b"250-slow\r\n250 PIPELINING\r\n")
        elif octets.startswith(b"QUIT"):
            self.transport.loseConnection()
        else:
            self.data = True
            self.transport.write(b"250 ok\r\n250 ok\r\n354 go\r\n")

    def taken(self):
        if self.tail.endswith(b"\r\n.\r\n"):
            self.data = False
            self.transport.write(b"250 2.0.0 taken\r\n")
        else:
            self.transport.pauseProducing()
            reactor.callLater(0.001, self.go_on)

    def go_on(self):
        if self.connected:
            self.transport.resumeProducing()
