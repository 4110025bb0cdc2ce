"""Class: slow clients. An octet a minute holds a connection for a stated time only, in whatever state, and no thread.

Known examples: Slowloris and its kin for mail; the idle time-outs of many servers start anew with every octet. Stock
Twisted's do, and its FETCH has none.
"""

import itertools

import pytest
from twisted.protocols.tls import TLSMemoryBIOFactory

from tests.certificates import certificate, new_key, write_pair
from tests.imap.conversation import House
from tests.smtp.conversation import LETTER, Conversation, Wire, codes
from unitymail.imap.outlet import STALL_S
from unitymail.imap.server import AUTOLOGOUT_S, SIGN_IN_WITHIN_S
from unitymail.imap.server import PACE as UPLOAD_PACE
from unitymail.settings.site import SiteSettings
from unitymail.smtp.patience import FRUITLESS_S, HANDSHAKE_S, LINE_S, PACE, SILENT_S
from unitymail.smtp.session import LINGER_S, LOOK_EVERY_S
from unitymail.tls import ServerTls

MINUTE = 60
A_DAY = 24 * 60 * MINUTE
ENVELOPE = ("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>")
OPEN = SiteSettings(smtp_allow_untrusted=True, smtp_auth_without_tls=True, imap_auth_without_tls=True)


def drip(clock, send, octets, over):
    """Send an octet a minute, again from the first after the last, until it is `over`; the seconds that took."""
    seconds = 0
    for octet in itertools.cycle(octets[n : n + 1] for n in range(len(octets))):
        if over() or seconds > A_DAY:
            return seconds
        send(octet)
        for _ in range(MINUTE):
            clock.advance(1)
            if over():
                break
        seconds += MINUTE


def drip_lines(clock, say, lines, over):
    """The same with whole lines, one a minute."""
    seconds = 0
    for line in itertools.cycle(lines):
        if over() or seconds > A_DAY:
            return seconds
        say(line)
        clock.advance(MINUTE)
        seconds += MINUTE


class Smtp(Conversation):
    def __init__(self, *begin, **options):
        super().__init__(site=OPEN, **options)
        self.greeted()
        if begin:
            self.say(*begin)

    def over(self):
        return self.wire.disconnecting

    def put(self, octets):
        if not self.over():
            self.session.dataReceived(octets)


SMTP_STATES = {
    "a command": ((), b"NOOP ", LINE_S),
    "commands without end": ((), b"NOOP\r\n", LINE_S),
    "two octets of a line end apart": ((), b"\r", LINE_S),
    "an over-long line": (("x" * 20_000,), b"x", LINE_S),
    "within AUTH": (("AUTH LOGIN",), b"cm9iaW4=", LINE_S),
    "within AUTH, second response": (("AUTH LOGIN", "cm9iaW4="), b"x", LINE_S),
    "between MAIL and RCPT": (ENVELOPE[:1], b"RCPT TO:<", LINE_S),
    "a message": ((*ENVELOPE, "DATA"), b"Subject: x", LINE_S),
    "a message's line ends": ((*ENVELOPE, "DATA"), b"\r\n", LINE_S),
    "a chunk": ((*ENVELOPE, "BDAT 100000"), b"x", LINE_S),
    "a chunk that is passed over": (("BDAT 100000",), b"x", LINE_S),
    "many small chunks": ((*ENVELOPE,), b"BDAT 1\r\nx", LINE_S),
}


@pytest.mark.parametrize("state", SMTP_STATES)
def test_an_octet_a_minute_over_smtp(state):
    """Whatever the client has begun, it is told 421 in minutes, and nothing of it is kept."""
    begin, octets, limit = SMTP_STATES[state]
    c = Smtp(*begin)
    seconds = drip(c.clock, c.put, octets, c.over)
    assert seconds <= limit + LOOK_EVERY_S + MINUTE
    assert codes(c.heard())[-1] in ("421 4.4.2", "503 5.5.1")
    assert not c.spool.held and not c.spool.committed
    c.clock.advance(LINGER_S)
    assert c.wire.aborted


@pytest.mark.parametrize("lines", [
    ("NOOP",), ("RSET",), ("HELP",), ("VRFY x",), ("EHLO a.example",), ("MAIL FROM:<>", "RSET"),
    (*ENVELOPE, *["NOOP"] * 50, "RSET"), (ENVELOPE[0], *[ENVELOPE[1]] * 5_000),
], ids=lambda lines: lines[0])  # fmt: skip
def test_a_line_a_minute_over_smtp(lines):
    """Whole commands that come to nothing hold a place for half an hour."""
    c = Smtp()
    seconds = drip_lines(c.clock, c.say, lines, c.over)
    assert seconds <= FRUITLESS_S + 2 * MINUTE
    assert not c.spool.held


def test_fifteen_thousand_recipients_by_satellite():
    """A client that asks for each in a round trip of its own, 600 ms long, takes hours and is not sent away."""
    c = Smtp(ENVELOPE[0])
    for _ in range(15_000):
        assert codes(c.say(ENVELOPE[1])) == ["250 2.1.5"]
        c.clock.advance(0.6)
    assert codes(c.say("DATA")) == ["354"]


def test_a_message_with_long_pauses():
    """Ten megabytes over 64 kbit/s, and a pause of nearly three minutes in the middle, are no slow client's."""
    c = Smtp(*ENVELOPE, "DATA")
    for n in range(1_250):
        c.put(b"x" * 7_998 + b"\r\n")
        c.clock.advance(170 if n == 600 else 1)
    assert codes(c.send(b".\r\n")) == ["250 2.0.0"]


def test_a_phone_system_that_says_nothing_for_five_minutes():
    """It holds its connection with a message every 299 seconds, all day long."""
    c = Smtp()
    for _ in range(100):
        c.clock.advance(299)
        assert c.letter("chris@vm1.example.com", octets=LETTER)[-1] == "250 2.0.0"


@pytest.mark.parametrize("begin", [(*ENVELOPE, "DATA"), (*ENVELOPE, "BDAT 9000000")], ids=["DATA", "BDAT"])
def test_a_message_below_the_slowest_pace(begin):
    """400 octets a second, for hours: it is given up when its time is over, though it never was silent."""
    c = Smtp(*begin)
    seconds = 0
    while not c.over():
        c.put(b"x" * 398 + b"\r\n")
        c.clock.advance(1)
        seconds += 1
        assert seconds < A_DAY
    assert LINE_S < seconds <= LINE_S / (1 - 400 / PACE) + LOOK_EVERY_S
    assert not c.spool.held


def test_a_slow_line_is_enough():
    """A modem of 1995 sends ten megabytes in its own time."""
    c = Smtp(*ENVELOPE, "DATA")
    c.put(LETTER)
    for _ in range(9_000):
        c.put(b"x" * 998 + b"\r\n")
        c.clock.advance(1)
    assert codes(c.send(b".\r\n")) == ["250 2.0.0"]


def test_a_client_that_says_nothing():
    """Silence after the banner, too, is ended."""
    c = Conversation(site=OPEN)
    for _ in range(int(LINE_S)):
        assert not c.wire.disconnecting
        c.clock.advance(1)
    assert c.wire.disconnecting


def test_a_client_that_never_reads():
    """Its commands are looked at no more, and minutes later it is cut off."""
    c = Smtp()
    c.session.pauseProducing()
    seconds = drip(c.clock, c.put, b"NOOP\r\n", lambda: c.wire.aborted)
    assert seconds <= LINE_S + LOOK_EVERY_S + MINUTE
    assert c.heard() == ""


class UnderTls:
    """An SMTP or IMAP door on a port of TLS, and a client that is in no hurry with its handshake."""

    def __init__(self, folder, door, clock):
        key = new_key()
        tls = ServerTls(*write_pair(folder, "ours", certificate(key, "localhost"), key))
        self.clock = clock
        self.wire = Wire("192.0.2.7")
        self.protocol = TLSMemoryBIOFactory(tls, False, door).buildProtocol(None)
        self.protocol.makeConnection(self.wire)

    def over(self):
        return self.wire.aborted


@pytest.mark.parametrize("octets", [b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200])
def test_a_handshake_that_never_ends(tmp_path, octets):
    """On a port of TLS the handshake has a minute."""
    c = Conversation(connect=False, site=OPEN, implicit_tls=True, tls=object(), door="submissions")
    client = UnderTls(tmp_path, c.door, c.clock)
    for number in range(int(HANDSHAKE_S)):
        assert not client.over()
        if octets[number : number + 1]:
            client.protocol.dataReceived(octets[number : number + 1])
        c.clock.advance(1)
    assert client.over()


def test_a_handshake_after_starttls():
    """The same minute, counted from STARTTLS, however long the client was there before."""
    c = Conversation(site=OPEN, tls=object()).greeted()
    c.clock.advance(100)
    assert codes(c.say("STARTTLS")) == ["220 2.0.0"]
    c.clock.advance(HANDSHAKE_S - 1)
    assert not c.wire.aborted
    c.clock.advance(1)
    assert c.wire.aborted


def test_a_message_that_falls_silent():
    """Three minutes without an octet of it."""
    c = Smtp(*ENVELOPE, "DATA")
    c.put(LETTER)
    c.clock.advance(SILENT_S)
    assert codes(c.heard()) == ["421 4.4.2"]


# IMAP

BEFORE_SIGN_IN = {
    "a command": (b"a", ()),
    "spaces": (b"a NOOP ", ()),
    "within AUTHENTICATE": (b"cm9iaW4=", (b"a AUTHENTICATE LOGIN\r\n",)),
    "within a literal": (b"x", (b"a LOGIN {100}\r\n",)),
    "a line end for ever": (b"\r", ()),
}


@pytest.mark.parametrize("state", BEFORE_SIGN_IN)
def test_an_octet_a_minute_before_sign_in(state):
    """An IMAP client that has not signed in has a minute for each command."""
    octets, begin = BEFORE_SIGN_IN[state]
    house = House(site=OPEN)
    client = house.connect()
    for line in begin:
        client.send(line)
    client.heard()
    assert drip(house.clock, client.send, octets, lambda: client.closed) <= 2 * MINUTE
    assert client.heard().startswith("* BYE ")


def test_silence_before_sign_in():
    """An IMAP client that says nothing has a minute."""
    house = House(site=OPEN)
    client = house.connect()
    house.clock.advance(MINUTE - 1)
    assert not client.closed
    house.clock.advance(1)
    assert client.closed and client.heard().startswith("* BYE ")


@pytest.mark.parametrize("line", ["a NOOP", "a CAPABILITY", "a ID NIL", "a LOGOUT x"])
def test_commands_without_signing_in(line):
    """Three minutes in all, whatever is asked in them."""
    house = House(site=OPEN)
    client = house.connect()
    seconds = 0
    while not client.closed:
        client.say(line)
        house.clock.advance(30)
        seconds += 30
        assert seconds <= SIGN_IN_WITHIN_S
    assert seconds >= 30


AFTER_SIGN_IN = {
    "a command": (b"a NOOP ", ()),
    "within a literal": (b"x", (b"a SEARCH SUBJECT {1000}\r\n",)),
    "a message": (b"x", (b"a APPEND INBOX {100000+}\r\n",)),
    "a message that is refused": (b"x", (b"a APPEND Nowhere {100000+}\r\n",)),
    "within IDLE": (b"x", (b"a SELECT INBOX\r\n", b"b IDLE\r\n")),
}


@pytest.mark.parametrize("state", AFTER_SIGN_IN)
def test_an_octet_a_minute_after_sign_in(state):
    """Who is signed in has half an hour for a command, and an hour in all for a message that does not come."""
    octets, begin = AFTER_SIGN_IN[state]
    house = House(site=OPEN)
    client = house.signed_in()
    for line in begin:
        client.send(line)
    seconds = drip(house.clock, client.send, octets, lambda: client.closed)
    assert seconds <= 2 * AUTOLOGOUT_S + 2 * MINUTE
    client.leave()
    assert not house.account.folder("INBOX").snapshot.uids


def test_an_upload_over_a_slow_line():
    """A message that comes at the slowest pace is whole after hours, and is kept."""
    house = House(site=OPEN)
    client = house.signed_in()
    size = 3 * AUTOLOGOUT_S * UPLOAD_PACE
    client.send(b"a APPEND INBOX {%d+}\r\n" % size)
    for _ in range(3 * AUTOLOGOUT_S // MINUTE):
        client.send(b"x" * (UPLOAD_PACE * MINUTE))
        house.clock.advance(MINUTE)
    client.send(b"\r\n")
    assert "a OK " in client.heard()


def test_an_imap_client_that_never_reads():
    """Two minutes without a single octet taken, and it is cut off."""
    house = House(site=OPEN)
    client = house.selected()
    client.wire.producer.pauseProducing()
    client.send(b"a NOOP\r\n")
    house.clock.advance(STALL_S)
    assert client.wire.aborted
