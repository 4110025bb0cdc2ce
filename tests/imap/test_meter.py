"""What an IMAP connection tells the metrics and, at its end, the journal."""

import pytest

from tests.imap.conversation import MESSAGE, House
from unitymail.interfaces.metrics import Unmeasured
from unitymail.settings.site import SiteSettings


class Told(Unmeasured):
    """Every count, as (what, words...)."""

    def __init__(self):
        self.counts = []

    def __getattribute__(self, name):
        if name in ("counts", "named") or name.startswith("_"):
            return object.__getattribute__(self, name)
        return lambda *words: self.counts.append((name, *words))

    def named(self, name):
        return [count[1:] for count in self.counts if count[0] == name]


@pytest.fixture
def house():
    return House(metrics=Told(), site=SiteSettings(imap_max_connections=1, imap_auth_without_tls=True))


def told(house):
    return house.door.metrics


def test_a_connection(house):
    """It is counted when it comes, and when it goes."""
    client = house.connect()
    assert told(house).named("connected") == [("imap",)]
    assert told(house).named("disconnected") == []
    client.leave()
    assert told(house).named("disconnected") == [("imap",)]


def test_one_too_many(house):
    """It was never let in, and so never leaves."""
    house.connect()
    house.connect().leave()
    assert told(house).named("turned_away") == [("imap", "BYE")]
    assert told(house).named("connected") == [("imap",)]
    assert told(house).named("disconnected") == []


def test_each_tagged_response(house):
    """By its word. A BYE is counted when the node ends it, not when the client asked for it."""
    client = house.connect()
    for line in ("a NOOP", "b NONSENSE", "c SELECT INBOX", "d LOGIN robin wrong", "e LOGIN robin secret", "f {9999999}",
                 "g LOGOUT"):
        client.say(line)
    assert [reply for _, reply in told(house).named("replied")] == [
        "OK", "BAD", "BAD", "NO", "OK", "BAD", "OK"
    ]
    client.leave()
    client = house.connect()
    for _ in range(10):
        client.say("a NONSENSE")
    assert [reply for _, reply in told(house).named("replied")][-2:] == ["BAD", "BYE"]


def test_how_long_commands_take(house):
    """By command, whatever the client made of its name; what is up to the client is not told."""
    client = house.signed_in()
    for line in ("a SELECT INBOX", "b uid fetch 1:* FLAGS", "c XNONSENSE", "d IDLE", "DONE"):
        client.say(line)
    verbs = [(verb, seconds >= 0) for _, verb, seconds in told(house).named("took")]
    assert verbs == [("LOGIN", True), ("SELECT", True), ("FETCH", True), ("?", True)]


def test_octets(house):
    """All that was said and heard is told by the end, and the journal has the same sums."""
    client = house.signed_in()
    sent = len("x LOGIN robin secret\r\n")
    heard = 0
    for line in ("a SELECT INBOX", "b NOOP", "c LOGOUT"):
        sent += len(line) + 2
        client.say(line)
    client.leave()
    [gone] = house.journal.named("disconnected")
    assert gone.octets_in == sum(count for _, count in told(house).named("octets_in")) == sent
    assert gone.octets_out == sum(count for _, count in told(house).named("octets_out")) > heard


def test_a_message_that_is_sent_counts(house):
    """So does what is streamed from a file."""
    big = MESSAGE + b"x" * 300_000 + b"\r\n"
    client = house.signed_in()
    client.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(big), big))
    client.say("b SELECT INBOX")
    client.say("c FETCH 1 BODY[]")
    assert sum(count for _, count in told(house).named("octets_in")) > len(big)
    assert sum(count for _, count in told(house).named("octets_out")) > len(big)


def test_how_long_it_stood(house):
    """The journal's last line of a connection says so."""
    client = house.connect()
    house.clock.advance(7)
    client.leave()
    assert house.journal.named("disconnected")[0].seconds == 7
