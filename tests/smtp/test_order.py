"""Replies leave in the order of the commands, whatever takes how long inside (RFC 2920 3.2).

Each conversation is held twice: once by a client that waits for each answer, where every question inside is answered
at once; and once by one that says all of it without waiting, where a place at the door, sign-in, judging, encoding,
commit and the question who has a message already each take a time of their own, and the network cuts the octets as it
likes. Both must hear the same.
"""

import re
from base64 import b64encode
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from zope.interface import implementer

from tests.scram import Client
from tests.smtp.conversation import LETTER, Conversation, FakeLogin, codes
from tests.smtp.fake_spool import FakeSpool
from tests.smtp.peers import KEY, PEOPLE, TELLS, SayingKey
from tests.smtp.stage import OPEN
from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.interfaces.threads import IThreads
from unitymail.ledger.local import LocalLedger
from unitymail.policy.tarpit import FREE, MOST_S

_ENVELOPE = b"MAIL FROM:<robin@vm1.example.com>%b\r\nRCPT TO:<chris@vm1.example.com>\r\n"
_LETTER = b"From: %b@vm1.example.com\r\nSubject: x\r\n\r\n..Hi.\r\n"
_LONG = _LETTER % b"robin" + b"x" * 70 * 500 + b"\r\n"


def _bdat(octets, last=True):
    return b"BDAT %d%b\r\n%b" % (len(octets), b" LAST" if last else b"", octets)


def _by_data(letter, parameters=b""):
    return _ENVELOPE % parameters + b"DATA\r\n" + letter + b".\r\n"


_SCRAM = b"AUTH SCRAM-SHA-256 %b\r\n*\r\n" % b64encode(Client("robin", b"secret").first())
COMMANDS = [
    b"NOOP\r\n", b"EHLO client.example\r\n", b"HELO client.example\r\n", b"VRFY x\r\n", b"RSET\r\n", b"HELP\r\n",
    b"FOO\r\n", b"DATA\r\n", b"EXPN all\r\n", b"RCPT TO:<nobody@vm1.example.com>\r\n", b"MAIL FROM:<a@b@c>\r\n",
    b"AUTH PLAIN AHJvYmluAHNlY3JldA==\r\n", b"AUTH PLAIN AHJvYmluAHdyb25n\r\n", b"AUTH PLAIN\r\n*\r\n",
    _SCRAM, b"AUTH LOGIN\r\ncm9iaW4=\r\nc2VjcmV0\r\n", _ENVELOPE % b"", _ENVELOPE % b" MT-PRIORITY=9",
    _by_data(_LETTER % b"robin"), _by_data(_LETTER % b"terry"), _by_data(_LONG), _by_data(b"a\0\r\n"),
    _bdat(_LETTER % b"robin"), _bdat(_LETTER % b"robin", last=False), _ENVELOPE % b"" + _bdat(_LONG),
    _ENVELOPE % b" BODY=BINARYMIME" + _bdat(_LETTER % b"robin" + b"\0\n"), b"BDAT 0 LAST\r\n",
]
_TOLD = b" " + TELLS.encode()
TO_PEERS = [
    *COMMANDS[:10], _by_data(_LETTER % b"chris", _TOLD), _by_data(_LONG, _TOLD), _by_data(_LETTER % b"chris"),
    _by_data(_LETTER % b"chris", _TOLD.replace(b"n1.t1", b"n1.t2")), _ENVELOPE % _TOLD + _bdat(_LETTER % b"chris"),
]
DELAYS = st.lists(st.sampled_from([0.0, 0.0, 0.001, 0.1, 2.0]), min_size=1, max_size=12)


class Delays:
    """Each thing that is awaited takes the next of these times, over and over; with `only`, that alone does."""

    def __init__(self, clock, seconds, only=""):
        self.clock = clock
        self.seconds = seconds
        self.only = only
        self.count = 0

    def after(self, place, function, *arguments):
        """What the function gives or raises, that much later."""
        done = Deferred()
        self.count += 1
        wait = self.seconds[self.count % len(self.seconds)]
        if wait and self.only in ("", place):
            self.clock.callLater(wait, lambda: maybeDeferred(function, *arguments).chainDeferred(done))
        else:
            maybeDeferred(function, *arguments).chainDeferred(done)
        return done


@implementer(IThreads)
class SlowThreads:
    def __init__(self, delays):
        self.delays = delays

    def run(self, function, *args, **kwargs):
        return self.delays.after(function.__name__, partial(function, *args, **kwargs))


class SlowLedger(LocalLedger):
    def __init__(self, delays):
        super().__init__()
        self.delays = delays

    def take(self, counts, note=""):
        return self.delays.after("ledger", self.take_now, counts, note)


class SlowSpool(FakeSpool):
    """Every third commit finds the disk full."""

    def __init__(self, delays):
        super().__init__(memory_limit=10_000)
        self.delays = delays
        self.commits = 0

    def commit(self, *args, **kwargs):
        self.commits += 1
        self.commit_error = TryAgain(DISK_FULL) if self.commits % 3 == 0 else None
        return self.delays.after("commit", partial(super().commit, *args, **kwargs))

    async def known_recipients(self, xid, addresses):
        await self.delays.after("known_recipients", lambda: None)
        return await super().known_recipients(xid, addresses)


class SlowScram:
    """Another's, each step of which takes its time."""

    def __init__(self, exchange, delays):
        self.exchange = exchange
        self.delays = delays

    async def challenge(self, client_first):
        await self.delays.after("scram", lambda: None)
        return await self.exchange.challenge(client_first)


class SlowLogin(FakeLogin):
    def __init__(self, delays):
        super().__init__()
        self.delays = delays

    def sign_in(self, name, password, place):
        return self.delays.after("sign_in", self._judge, name, password)

    def scram(self, place):
        return SlowScram(super().scram(place), self.delays)


def arrived(delays, *, peer):
    """A client that does not wait for the banner; a peer has proven what it is."""
    more = {"tls": SayingKey(KEY), "people": PEOPLE} if peer else {}
    c = Conversation(
        clock=delays.clock, threads=SlowThreads(delays), spool=SlowSpool(delays), login=SlowLogin(delays), site=OPEN,
        ledger=SlowLedger(delays), connect=False, **more,
    )  # fmt: skip
    c.arrive()
    if peer:
        delays.clock.advance(MOST_S)
        c.heard()
        for line in ("EHLO b.example", "STARTTLS", "EHLO b.example"):
            c.say(line)
    return c


def result(c, said):
    """What the client heard from beginning to end, and what was kept."""
    assert not c.spool.waiting and not c.session._order.pending
    return re.sub(r"(trace) \w+|(334) \S{30,}", r"\1\2", said), [kept.octets for kept in c.spool.committed]


def one_by_one(commands, *, peer):
    """The client waits for whatever may come of a command before it goes on; nothing takes time inside."""
    c = arrived(Delays(Clock(), [0.0]), peer=peer)
    said = c.heard()
    for command in commands:
        if not c.wire.disconnecting:
            said += c.send(command)
    return result(c, said)


def all_at_once(commands, places, seconds, *, peer):
    """All of it is on its way at once, in segments that end at these places."""
    clock = Clock()
    c = arrived(Delays(clock, seconds), peer=peer)
    octets = b"".join(commands)
    edges = sorted({0, len(octets), *(place % (len(octets) + 1) for place in places)})
    said = c.heard()
    for begin, end in pairwise(edges):
        if not c.wire.disconnecting:
            c.session.dataReceived(octets[begin:end])
            said += c.heard()
            clock.advance(0.0005)
    for _ in range(600):
        clock.advance(0.1)
        said += c.heard()
    return result(c, said)


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=14), st.lists(st.integers(0, 10**6), max_size=12), DELAYS
)
def test_order(commands, places, delays):
    """Any commands of a client of any kind, pipelined."""
    commands = [b"EHLO client.example\r\n", *commands, b"QUIT\r\n"]
    assert all_at_once(commands, places, delays, peer=False) == one_by_one(commands, peer=False)


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from(TO_PEERS), min_size=1, max_size=10), st.lists(st.integers(0, 10**6), max_size=12), DELAYS
)
def test_order_between_peers(commands, places, delays):
    """A peer that sends again what it sent before, pipelined: each is told of its own message."""
    commands = [*commands, b"QUIT\r\n"]
    assert all_at_once(commands, places, delays, peer=True) == one_by_one(commands, peer=True)


BEHIND = b"VRFY x\r\nEHLO again.example\r\nQUIT\r\n"
BINARY = _ENVELOPE % b" BODY=BINARYMIME" + _bdat(_LETTER % b"robin" + b"\0\n")


@pytest.mark.parametrize(("place", "octets", "before", "answer", "peer"), [
    ("ledger", b"EHLO client.example\r\n", [], ["220", "250"], False),
    ("sign_in", b"AUTH PLAIN AHJvYmluAHNlY3JldA==\r\n", [], ["235 2.7.0"], False),
    ("sign_in", b"AUTH PLAIN AHJvYmluAHdyb25n\r\n", [], ["535 5.7.8"], False),
    ("scram", _SCRAM, [], ["334", "501 5.7.0"], False),
    ("judge", _by_data(_LONG), ["250 2.1.0", "250 2.1.5", "354"], ["250 2.0.0"], False),
    ("without_binary", BINARY, ["250 2.1.0", "250 2.1.5"], ["250 2.0.0"], False),
    ("commit", _by_data(LETTER), ["250 2.1.0", "250 2.1.5", "354"], ["250 2.0.0"], False),
    ("commit", _ENVELOPE % b"" + _bdat(LETTER), ["250 2.1.0", "250 2.1.5"], ["250 2.0.0"], False),
    ("known_recipients", _by_data(LETTER, _TOLD), ["250 2.1.0", "250 2.1.5", "354"], ["250 2.0.0"], True),
    ("tarpit", b"FOO\r\n" * (FREE + 1), ["500 5.5.1"] * FREE, ["500 5.5.1"], False),
])  # fmt: skip
def test_nothing_overtakes(place, octets, before, answer, peer):
    """While one question takes time, what is behind it is not answered; then all of it is, in order."""
    delays = Delays(Clock(), [2.0], only=place)
    c = arrived(delays, peer=peer)
    if place != "ledger":
        c.heard()
        c.say("EHLO client.example")
    c.session.dataReceived(octets)
    c.session.dataReceived(BEHIND)
    assert codes(c.heard()) == before
    said = ""
    for _ in range(100):
        delays.clock.advance(0.1)
        said += c.heard()
    assert codes(said) == [*answer, "252 2.0.0", "250", "221 2.0.0"]


def test_the_delays_are_real():
    """The conversations above do wait, at each place that can, and come to their ends."""
    clock = Clock()
    slow = Delays(clock, [2.0])
    signs_in, judges = SlowLogin(slow), SlowThreads(slow).run(len, "abc")
    assert not judges.called
    clock.advance(2)
    assert judges.result == 3 and signs_in.sign_in(b"robin", b"secret", None).called is False
    commands = [b"EHLO client.example\r\n", b"AUTH PLAIN AHJvYmluAHNlY3JldA==\r\n", _by_data(_LONG), b"QUIT\r\n"]
    said, kept = all_at_once(commands, (), [2.0], peer=False)
    assert codes(said)[-6:] == ["235 2.7.0", "250 2.1.0", "250 2.1.5", "354", "250 2.0.0", "221 2.0.0"]
    assert [message.count(b"x" * 35_000) for message in kept] == [1]
