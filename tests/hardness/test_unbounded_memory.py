"""Class: unbounded literal and parser memory. Whatever a client announces or nests: little memory, and little time.

Known examples: CVE-2024-37358 (James: literals), CVE-2025-61600 (Stalwart), CVE-2024-34055 (Cyrus: literals before
sign-in), CVE-2026-27857 (Dovecot: parentheses before sign-in), GHSA-2qrf-pqgx-qh9v (Twisted). Stock Twisted keeps for
ever a line without end.
"""

import time
import tracemalloc
from contextlib import contextmanager

import pytest

from tests.imap.conversation import MESSAGE, House
from tests.smtp.conversation import Conversation
from unitymail.settings.site import SiteSettings

KB = 1024
MB = 1024 * KB
OPEN = SiteSettings(smtp_allow_untrusted=True, smtp_auth_without_tls=True, imap_auth_without_tls=True)
ENVELOPE = b"MAIL FROM:<robin@vm1.example.com>\r\nRCPT TO:<chris@vm1.example.com>\r\n"
BLOCK = 64 * KB
TURN_S = 0.030
"""Seconds of CPU of one read: three times what a node allows a turn of its reactor, for machines that are slow."""


@contextmanager
def memory_below(limit):
    """The most that is held at once within, beyond what was held before."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < limit, f"{peak:,} octets, {limit:,} are allowed"


def flood(send, octets, total=32 * MB, over=lambda: False):
    """Send `octets` again and again, as many as a socket gives at once: fewer when they are commands."""
    block = octets * max(1, BLOCK // len(octets))
    total = MB // 4 if b"\n" in octets else total
    for _ in range(max(2, total // len(block))):
        if over():
            return
        send(block)


class Smtp(Conversation):
    def __init__(self, *begin):
        super().__init__(site=OPEN, door="submission")
        self.greeted()
        for octets in begin:
            self.session.dataReceived(octets)
        self.heard()

    def put(self, octets):
        """As the network does it: nothing comes while the transport is not read."""
        for _ in range(200):
            if self.wire.reading or self.wire.disconnecting:
                break
            self.clock.advance(5)
        if self.wire.reading and not self.wire.disconnecting:
            self.session.dataReceived(octets)
            self.wire.clear()
            self.journal.events.clear()


SMTP_FLOODS = {
    "a line without end": ((), b"x"),
    "a line of NUL": ((), b"\0"),
    "CR for ever": ((), b"\r"),
    "empty lines": ((), b"\r\n"),
    "commands": ((), b"NOOP\r\n"),
    "wrong commands": ((), b"(((\r\n"),
    "parameters": ((), b"MAIL FROM:<> A=1 B=2 C=3 D=4\r\n"),
    "an AUTH line without end": ((b"AUTH LOGIN\r\n",), b"eHh4"),
    "AUTH again and again": ((), b"AUTH LOGIN\r\n*\r\n"),
    "an unwanted chunk": ((b"BDAT 900000 LAST\r\n",), b"x"),
    "greetings": ((), b"EHLO a.example\r\n"),
}


@pytest.mark.parametrize("kind", SMTP_FLOODS)
def test_floods_before_sign_in_over_smtp(kind):
    """32 MB of anything, from a client that nobody knows: under a megabyte is held at any time.

    With 64 KB of commands in one read also their answers; a clock that stands still lets them all be given in one turn.
    """
    begin, octets = SMTP_FLOODS[kind]
    c = Smtp(*begin)
    with memory_below(4 * MB if b"\n" in octets else MB):
        flood(c.put, octets, over=lambda: c.wire.disconnecting)
    assert not c.spool.held


@pytest.mark.parametrize("begin", [(b"DATA\r\n",), (b"BDAT 100000000\r\n",), (b"BDAT 1000000\r\n",)], ids=repr)
def test_a_message_over_the_limit(begin):
    """What is too large is passed over, not kept: with and without line ends, by DATA and by BDAT."""
    for octets in (b"x", b"x\r\n", b"\r\n", b"..\r\n"):
        c = Conversation(site=SiteSettings(smtp_max_message_kib=64)).greeted()
        c.send(ENVELOPE + begin[0])
        with memory_below(MB):
            flood(c.session.dataReceived, octets, total=16 * MB, over=lambda c=c: c.wire.disconnecting)
        assert not c.spool.committed


def test_fifteen_thousand_recipients():
    """All that a message may have, each as long as it may be: what the envelope is, and no more than that."""
    c = Conversation(site=SiteSettings(smtp_max_recipients=15_000)).greeted()
    c.say("MAIL FROM:<robin@vm1.example.com>")
    with memory_below(30 * MB):
        for n in range(15_100):
            c.session.dataReceived(b"RCPT TO:<chris+%d%b@vm1.example.com>\r\n" % (n, b"x" * 200))
            c.wire.clear()
    assert len(c.session._dialogue.transaction.recipients) == 15_000


def test_what_is_pipelined_behind_a_slow_answer():
    """While an answer takes time nothing is read, beyond what the network brought already."""
    c = Conversation().greeted()
    c.spool.hold = True
    c.letter("chris@vm1.example.com")
    with memory_below(MB):
        c.session.dataReceived(b"NOOP\r\n" * (BLOCK // 6))
    assert not c.wire.reading and len(c.session._order.framer) <= BLOCK


# IMAP


def literal(octets):
    return b"{%d+}\r\n%b" % (len(octets), octets)


class Imap:
    def __init__(self, *begin, signed_in=False):
        self.house = House(site=OPEN)
        if signed_in:
            for _ in range(5):
                self.house.inbox.put(MESSAGE)
        self.client = self.house.selected() if signed_in else self.house.connect()
        for octets in begin:
            self.client.send(octets)
        self.client.heard()

    def put(self, octets):
        """As the network does it: nothing comes while the transport is not read."""
        if not self.client.closed:
            self.client.send(octets)
            for _ in range(1_000):
                self.house.clock.advance(0)
                if self.client.wire.producerState == "producing":
                    break
            assert self.client.wire.producerState == "producing" or self.client.closed
            self.client.wire.clear()


BEFORE_SIGN_IN = {
    "a line without end": ((), b"x"),
    "a line of spaces": ((), b" "),
    "empty lines": ((), b"\r\n"),
    "commands": ((), b"a NOOP\r\n"),
    "wrong commands": ((), b"a b\r\n"),
    "parentheses": ((), b"a NOOP " + b"(" * 60_000 + b"\r\n"),
    "parentheses without end": ((b"a LIST (",), b"("),
    "literals": ((), b"a LOGIN {60000+}\r\n" + b"x" * 60_000 + b" {60000+}\r\n" + b"x" * 60_000 + b"\r\n"),
    "empty literals": ((b"a LOGIN ",), b"{0+}\r\n"),
    "a literal that is skipped": ((b"a LOGIN {60000000+}\r\n",), b"x"),
    "an AUTHENTICATE line": ((b"a AUTHENTICATE PLAIN\r\n",), b"eHh4"),
    "AUTHENTICATE again and again": ((), b"a AUTHENTICATE PLAIN\r\n*\r\n"),
    "an APPEND": ((b"a APPEND INBOX {1000000+}\r\n",), b"x"),
    "ID": ((), b"a ID (" + b'"x" "y" ' * 7_000 + b")\r\n"),
}


@pytest.mark.parametrize("kind", BEFORE_SIGN_IN)
def test_floods_before_sign_in_over_imap(kind):
    """16 MB of anything before sign-in: a megabyte is held at any time, or the client is told BYE."""
    begin, octets = BEFORE_SIGN_IN[kind]
    c = Imap(*begin)
    with memory_below(MB if kind not in ("ID", "empty literals") else 4 * MB):
        flood(c.put, octets, total=16 * MB, over=lambda: c.client.closed)


@pytest.mark.parametrize("size", [131_073, 10**6, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64, 10**40])
@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("plus", [b"", b"+"])
def test_announced_literals(size, signed_in, plus):
    """A literal of any size costs nothing until it is there, and is not asked for when it is too large."""
    c = Imap(signed_in=signed_in)
    verb = b"SEARCH SUBJECT" if signed_in else b"LOGIN"
    with memory_below(200 * KB):
        c.client.send(b"a %b {%d%b}\r\n" % (verb, size, plus))
    heard = c.client.heard()
    assert heard.startswith("a BAD [TOOBIG]") and "+ " not in heard
    assert ("* BYE " in heard) == (bool(plus) and size > 64 * MB)


SET = b",".join(b"%d" % n for n in range(1, 26_000, 2))[:60_000].rstrip(b",")
AFTER_SIGN_IN = {
    "a scattered set": b"FETCH %b FLAGS" % SET,
    "a scattered set of UIDs": b"UID FETCH %b FLAGS" % SET,
    "ranges upside down": b"FETCH %b FLAGS" % b",".join([b"4294967295:1"] * 4_600),
    "all, many times": b"FETCH %b FLAGS" % b",".join([b"1:*"] * 15_000),
    "a set that is searched": b"SEARCH %b" % SET,
    "sets that are searched": b"SEARCH " + b" ".join([b"1:*"] * 15_000),
    "nested NOT": b"SEARCH " + b"NOT " * 15_000 + b"ALL",
    "nested OR": b"SEARCH " + b"OR ALL " * 8_000 + b"ALL",
    "nested parentheses": b"SEARCH " + b"(" * 30_000 + b"ALL" + b")" * 30_000,
    "keys without number": b"SEARCH " + b"SEEN " * 12_000 + b"ALL",
    "text keys": b"SEARCH " + b"TEXT x " * 8_000 + b"ALL",
    "dates": b"SEARCH " + b"SINCE 1-Jan-2000 " * 3_500 + b"ALL",
    "attributes": b"FETCH 1 (" + b"FLAGS " * 10_000 + b"UID)",
    "sections": b"FETCH 1 (" + b"BODY.PEEK[1.1.1.1.1] " * 3_000 + b"UID)",
    "a deep section": b"FETCH 1 BODY.PEEK[" + b"1." * 30_000 + b"1]",
    "header fields": b"FETCH 1 BODY.PEEK[HEADER.FIELDS (" + b"Subject " * 7_500 + b"From)]",
    "flags": b"STORE 1 +FLAGS (" + b" ".join(b"k%d" % n for n in range(9_000)) + b")",
    "one long flag": b"STORE 1 +FLAGS (" + b"k" * 60_000 + b")",
    "a long mailbox name": b"CREATE " + b"x" * 60_000,
    "a deep mailbox name": b"CREATE " + b"x/" * 30_000 + b"y",
    "a long pattern": b'LIST "" "' + b"*" * 60_000 + b'"',
    "a pattern that goes back": b'LIST "" "' + b"*a" * 2_000 + b'b"',
    "many patterns": b'LIST "" (' + b"a%* " * 15_000 + b"b)",
    "names in UTF-7": b"SELECT &" + b"AAAA" * 15_000 + b"-",
    "status items": b"STATUS INBOX (" + b"MESSAGES " * 6_500 + b"UNSEEN)",
    "ID": b"ID (" + b'"x" "y" ' * 7_500 + b")",
    "capabilities": b"ENABLE " + b"X " * 30_000 + b"Y",
    "many literals": b"SEARCH " + b"SUBJECT {1+}\r\nx " * 4_000 + b"ALL",
    "a large literal": b"SEARCH SUBJECT {131000+}\r\n" + b"x" * 131_000,
}


def timed(octets):
    """(a client, the seconds of CPU until it has its answer, or the command goes on in another turn)."""
    c = Imap(signed_in=True)
    began = time.thread_time()
    c.client.send(octets)
    return c, time.thread_time() - began


@pytest.mark.parametrize("kind", AFTER_SIGN_IN)
def test_the_most_expensive_commands(kind):
    """As long a command as there may be, of the kind that costs most: ten megabytes, and a turn of the reactor."""
    octets = b"t " + AFTER_SIGN_IN[kind] + b"\r\n"
    assert len(octets) < 140_000
    c = Imap(signed_in=True)
    with memory_below(12 * MB):
        c.put(octets)
    assert c.house.journal.named("trouble") == []
    c, took = min((timed(octets) for _ in range(3)), key=lambda found: found[1])
    for _ in range(1_000):
        c.house.clock.advance(0)
    assert " OK " in (heard := c.client.heard()) or " NO " in heard or " BAD " in heard
    assert took < TURN_S, f"{took * 1000:.0f} ms"


def test_messages_without_number_in_one_append():
    """A thousand messages in one command: the second is refused, the others are skipped, and none is kept in memory."""
    c = Imap(signed_in=True)
    with memory_below(8 * MB):
        c.put(b"t APPEND INBOX")
        for _ in range(1_000):
            c.put(b" {5000+}\r\n" + b"x" * 5_000)
    c.client.send(b"\r\nt2 NOOP\r\n")
    for _ in range(100):
        c.house.clock.advance(0)
    assert "t2 OK" in c.client.heard()


def test_a_message_over_the_limit_of_append():
    """It is refused before it is sent, and skipped when it is sent all the same."""
    c = Imap(signed_in=True)
    with memory_below(MB):
        c.client.send(b"t APPEND INBOX {60000000+}\r\n")
        assert c.client.heard().startswith("t NO [TOOBIG]")
        flood(c.put, b"x", total=900 * BLOCK)
    c.client.send(b"x" * (60_000_000 - 900 * BLOCK) + b"\r\nt2 NOOP\r\n")
    assert "t2 OK" in c.client.heard()
