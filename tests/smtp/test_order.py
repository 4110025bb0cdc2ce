"""Replies leave in the order of the commands, whatever takes how long inside (RFC 2920 3.2).

Each conversation is held twice: once where every question is answered at once, and once where sign-in, judging,
encoding, commit and the question who has a message already each take a time of their own, and the network cuts the
octets as it likes. The client must not be able to tell.
"""

import re
from functools import partial
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from zope.interface import implementer

from tests.smtp.conversation import Conversation, FakeLogin, codes
from tests.smtp.fake_spool import FakeSpool
from tests.smtp.peers import KEY, PEOPLE, TELLS, SayingKey
from tests.smtp.stage import OPEN
from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.interfaces.threads import IThreads

_ENVELOPE = b"MAIL FROM:<robin@vm1.example.com>%b\r\nRCPT TO:<chris@vm1.example.com>\r\n"
_LETTER = b"From: %b@vm1.example.com\r\nSubject: x\r\n\r\n..Hi.\r\n"
_LONG = _LETTER % b"robin" + b"x" * 70 * 500 + b"\r\n"


def _bdat(octets, last=True):
    return b"BDAT %d%b\r\n%b" % (len(octets), b" LAST" if last else b"", octets)


def _by_data(letter, parameters=b""):
    return _ENVELOPE % parameters + b"DATA\r\n" + letter + b".\r\n"


COMMANDS = [
    b"NOOP\r\n", b"EHLO client.example\r\n", b"HELO client.example\r\n", b"VRFY x\r\n", b"RSET\r\n", b"HELP\r\n",
    b"FOO\r\n", b"DATA\r\n", b"EXPN all\r\n", b"RCPT TO:<nobody@vm1.example.com>\r\n", b"MAIL FROM:<a@b@c>\r\n",
    b"AUTH PLAIN AHJvYmluAHNlY3JldA==\r\n", b"AUTH PLAIN AHJvYmluAHdyb25n\r\n", b"AUTH PLAIN\r\n*\r\n",
    b"AUTH LOGIN\r\ncm9iaW4=\r\nc2VjcmV0\r\n", _ENVELOPE % b"", _ENVELOPE % b" MT-PRIORITY=9",
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
    """Each thing that is awaited takes the next of these times, over and over."""

    def __init__(self, clock, seconds):
        self.clock = clock
        self.seconds = seconds
        self.count = 0

    def after(self, function, *arguments):
        """What the function gives or raises, that much later."""
        done = Deferred()
        self.count += 1
        wait = self.seconds[self.count % len(self.seconds)]
        if wait:
            self.clock.callLater(wait, lambda: maybeDeferred(function, *arguments).chainDeferred(done))
        else:
            maybeDeferred(function, *arguments).chainDeferred(done)
        return done


@implementer(IThreads)
class SlowThreads:
    def __init__(self, delays):
        self.delays = delays

    def run(self, function, *args, **kwargs):
        return self.delays.after(partial(function, *args, **kwargs))


class SlowSpool(FakeSpool):
    """Every third commit finds the disk full."""

    def __init__(self, delays):
        super().__init__(memory_limit=10_000)
        self.delays = delays
        self.commits = 0

    def commit(self, *args, **kwargs):
        self.commits += 1
        self.commit_error = TryAgain(DISK_FULL) if self.commits % 3 == 0 else None
        return self.delays.after(partial(super().commit, *args, **kwargs))

    async def known_recipients(self, xid, addresses):
        await self.delays.after(lambda: None)
        return await super().known_recipients(xid, addresses)


class SlowLogin(FakeLogin):
    def __init__(self, delays):
        super().__init__()
        self.delays = delays

    def sign_in(self, name, password, place):
        return self.delays.after(self._judge, name, password)


def held(octets, places, delays, *, peer):
    """What the client hears, from beginning to end, and what was kept."""
    clock = Clock()
    slow = Delays(clock, delays)
    more = {"tls": SayingKey(KEY), "people": PEOPLE} if peer else {}
    c = Conversation(
        clock=clock, threads=SlowThreads(slow), spool=SlowSpool(slow), login=SlowLogin(slow), site=OPEN, **more
    )
    c.heard()
    if peer:
        c.say("EHLO b.example")
        c.say("STARTTLS")
        c.say("EHLO b.example")
    edges = sorted({0, len(octets), *(place % (len(octets) + 1) for place in places)})
    said = ""
    for begin, end in pairwise(edges):
        if not c.wire.disconnecting:
            c.session.dataReceived(octets[begin:end])
            said += c.heard()
            clock.advance(0.0005)
    for _ in range(600):
        clock.advance(0.1)
        said += c.heard()
    assert not c.spool.waiting and not c.session._order.pending
    return re.sub(r"trace \w+", "trace", said), [kept.octets for kept in c.spool.committed]


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=14), st.lists(st.integers(0, 10**6), max_size=12), DELAYS
)
def test_order(commands, places, delays):
    """Any commands of a client of any kind, pipelined."""
    octets = b"EHLO client.example\r\n" + b"".join(commands) + b"QUIT\r\n"
    assert held(octets, places, delays, peer=False) == held(octets, (), [0.0], peer=False)


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from(TO_PEERS), min_size=1, max_size=10), st.lists(st.integers(0, 10**6), max_size=12), DELAYS
)
def test_order_between_peers(commands, places, delays):
    """A peer that sends again what it sent before, pipelined: each is told of its own message."""
    octets = b"".join(commands) + b"QUIT\r\n"
    assert held(octets, places, delays, peer=True) == held(octets, (), [0.0], peer=True)


def test_the_delays_are_real():
    """The conversations above do wait, at each place that can, and come to their ends."""
    clock = Clock()
    slow = Delays(clock, [2.0])
    signs_in, judges = SlowLogin(slow), SlowThreads(slow).run(len, "abc")
    assert not judges.called
    clock.advance(2)
    assert judges.result == 3 and signs_in.sign_in(b"robin", b"secret", None).called is False
    octets = b"EHLO client.example\r\nAUTH PLAIN AHJvYmluAHNlY3JldA==\r\n" + _by_data(_LONG) + b"QUIT\r\n"
    said, kept = held(octets, (), [2.0], peer=False)
    assert codes(said)[-6:] == ["235 2.7.0", "250 2.1.0", "250 2.1.5", "354", "250 2.0.0", "221 2.0.0"]
    assert [message.count(b"x" * 35_000) for message in kept] == [1]
