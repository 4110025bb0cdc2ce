"""Servers on loopback that fall silent in the middle: a real connection each, while the time is ours."""

import pathlib

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from tests.relay.play import LETTER, kinds, letter
from tests.relay.sink import Sink
from unitymail.relay.content import BLOCK
from unitymail.relay.exchange import MOST_CHUNKS
from unitymail.relay.relay import Relay
from unitymail.routing.next_hop import NextHop
from unitymail.threads import Threads

PIPELINED = ("PIPELINING", "8BITMIME")
CHUNKED = ("PIPELINING", "CHUNKING")
LARGE = (b"x" * 70 + b"\r\n") * 200_000
A_POLL_S = 0.01
CERTAINLY = 10
"""Looks in a row at which a transport must be full: what the kernels of both ends take has been taken then."""


class OurTime(Clock):
    """The reactor, whose sockets and threads are real, with a clock that stands."""

    def __getattr__(self, name):
        return getattr(reactor, name)


class Mute:
    """Says nothing more once `step` has come. `fell_silent` then."""

    def __init__(self, step, *extensions):
        self.fell_silent = False
        self.sink = Sink(*extensions, at={step: self._silence})

    def _silence(self, session):
        session.mode = "over"
        self.fell_silent = True


class HalfTls(Mute):
    """Begins TLS and never shakes hands."""

    def __init__(self):
        super().__init__("STARTTLS", "STARTTLS")

    def _silence(self, session):
        session.transport.write(b"220 go on\r\n")
        super()._silence(session)


class Chunks:
    """Takes chunks and answers none. `fell_silent` once it has as many as are sent before the first answer."""

    def __init__(self, expected):
        self._left = expected
        self.sink = Sink(*CHUNKED, at={"CHUNK": self._silence, "END": self._silence})

    def _silence(self, session):
        self._left -= 1

    @property
    def fell_silent(self):
        return not self._left


class Deaf:
    """Reads nothing more once it has asked for the message."""

    def __init__(self):
        self.sink = Sink(*PIPELINED, at={"DATA": self._go_on})
        self._full = 0

    def _go_on(self, session):
        session.transport.pauseProducing()
        return "354 go on"

    @property
    def fell_silent(self):
        """Whether the message stands still on its way."""
        full = any(getattr(writer, "producerPaused", False) for writer in reactor.getWriters())
        self._full = self._full + 1 if full else 0
        return self._full > CERTAINLY


class SilenceTest(TestCase):
    timeout = 60

    def setUp(self):
        self.folder = pathlib.Path(self.mktemp())
        self.folder.mkdir(parents=True)
        threads = Threads(reactor, "test", 2)
        threads.start()
        self.addCleanup(threads.stop)
        self.time = OurTime()
        self.relay = Relay(host="a.example.com", reactor=self.time, threads=threads, connections=lambda: 1)

    async def until(self, true):
        while not true():
            await self.let_others_go_on()

    async def let_others_go_on(self):
        self.time.advance(0)
        turn = Deferred()
        reactor.callLater(A_POLL_S, turn.callback, None)
        await turn

    async def given_up(self, mute, seconds, octets=LETTER, *, tls="none", **more):
        """The attempt at a server that says nothing for so many seconds; a second earlier there is none."""
        self.addCleanup(mute.sink.stop)
        hop = NextHop("smart-host", "the smart host", "127.0.0.1", mute.sink.number, tls=tls, **more)
        found = []
        sent = self.relay.send(hop, letter(self.folder, octets)).addBoth(found.append)
        await self.until(lambda: mute.fell_silent or found)
        self.time.advance(seconds - 1)
        await self.let_others_go_on()
        self.assertEqual(found, [])
        self.time.advance(1)
        await sent
        await mute.sink.stop()
        await self.until(lambda: not any(map(len, self.relay._pools.values())))
        self.assertEqual(self.time.getDelayedCalls(), [])
        return found[0]

    def assert_waits(self, attempt, words, *, hop_down=True, sent_dot=False):
        """The message is kept; what is said of it tells what was waited for."""
        [(kind, status)] = kinds(attempt)
        self.assertEqual((kind, status[:3]), ("try-again", "4.4"))
        self.assertEqual(attempt.outcomes[0].why, f"The smart host took too long for {words}.")
        self.assertEqual((attempt.hop_down, attempt.sent_dot), (hop_down, sent_dot))

    async def test_at_each_step(self):
        """From greeting to last reply each has the time of RFC 5321; only after the dot may it have arrived."""
        for step, seconds, words in (
            ("BANNER", 300, "its greeting"), ("EHLO", 300, "its answer to EHLO"), ("MAIL", 300, "its answer to MAIL"),
            ("RCPT", 300, "its answer to RCPT"), ("DATA", 120, "its answer to DATA"),
        ):
            self.assert_waits(await self.given_up(Mute(step, *PIPELINED), seconds), words)
        attempt = await self.given_up(Mute("END", *PIPELINED), 600)
        self.assert_waits(attempt, "its answer to the whole message", hop_down=False, sent_dot=True)

    async def test_at_each_chunk(self):
        """With more to send three minutes, as for any block; when all was sent, as long as a whole message may take."""
        self.assert_waits(await self.given_up(Chunks(MOST_CHUNKS), 180, LARGE), "taking the message")
        attempt = await self.given_up(Chunks(2), 600, LARGE[: 2 * BLOCK])
        self.assert_waits(attempt, "its answer to BDAT", hop_down=False, sent_dot=True)
        attempt = await self.given_up(Mute("END", *CHUNKED), 600)
        self.assert_waits(attempt, "its answer to the whole message", hop_down=False, sent_dot=True)

    async def test_before_tls(self):
        """At STARTTLS and in the middle of the handshake: two minutes."""
        attempt = await self.given_up(Mute("STARTTLS", "STARTTLS"), 120, tls="opportunistic")
        self.assert_waits(attempt, "its answer to STARTTLS")
        attempt = await self.given_up(HalfTls(), 120, tls="required")
        self.assert_waits(attempt, "TLS and its answer to EHLO under it")

    async def test_a_handshake_that_hangs(self):
        """Where TLS is only welcome, the message goes without it after two minutes, on a new connection."""
        half = HalfTls()
        attempt = await self.given_up(half, 120, tls="opportunistic")
        self.assertEqual(kinds(attempt), [("done", "2.0.0")])
        self.assertEqual((half.sink.messages, half.sink.connections), ([LETTER], 2))
        self.assertNotIn("C: STARTTLS", attempt.dialogue)

    async def test_a_node_that_ends(self):
        """It does not wait for who has not even greeted; what waited there comes back untried."""
        mute = Mute("BANNER")
        self.addCleanup(mute.sink.stop)
        hop = NextHop("smart-host", "the smart host", "127.0.0.1", mute.sink.number, tls="none")
        found = []
        self.relay.send(hop, letter(self.folder)).addBoth(found.append)
        await self.until(lambda: mute.fell_silent and len(self.relay._pools[hop]))
        await self.relay.close()
        self.assertEqual((found, self.time.getDelayedCalls()), ([None], []))

    async def test_at_the_sign_in(self):
        """A server that thinks about a password for ever: two minutes."""
        password = self.folder / "password"
        password.write_text("secret\n")
        attempt = await self.given_up(Mute("AUTH", "AUTH PLAIN"), 120, username="vm1", password_file=str(password))
        self.assert_waits(attempt, "its answer to our sign-in")

    async def test_in_the_middle_of_the_message(self):
        """A server that reads no further: three minutes for a block, and no dot was sent."""
        self.assert_waits(await self.given_up(Deaf(), 180, LARGE), "taking the message")
