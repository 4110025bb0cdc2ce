"""What a session tells those who watch a node from outside."""

import pytest
from twisted.internet.defer import Deferred
from zope.interface import implementer

from tests.smtp.conversation import LETTER, Conversation
from unitymail.interfaces.metrics import IMetrics
from unitymail.policy.tarpit import FREE
from unitymail.settings.site import SiteSettings
from unitymail.smtp.admission import SILENCE_S

OPEN = SiteSettings(smtp_allow_untrusted=True, smtp_untrusted_require_auth=False, smtp_auth_without_tls=True)


@implementer(IMetrics)
class Told:
    """Keeps every call as a tuple."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        if name not in IMetrics.names():
            raise AttributeError(name)
        return lambda *args: self.calls.append((name, *args))

    def of(self, name):
        return [call[1:] for call in self.calls if call[0] == name]


def watched(**options):
    told = Told()
    return Conversation(metrics=told, **options), told


def test_replies_by_their_codes():
    """Each reply is counted once by its code, also one of many lines, two in one write, and a challenge."""
    c, told = watched(site=OPEN, access=())
    c.greeted()
    c.say("NOOP", "NONSENSE", "AUTH LOGIN")
    c.say("cm9iaW4=", )
    assert told.of("replied") == [
        ("mta", code) for code in ("220", "250", "250", "500", "334", "334")
    ]
    told.calls.clear()
    c.say("*", "HELP")
    assert told.of("replied") == [("mta", "501"), ("mta", "214")]


def test_ten_wrong_commands_are_ten_replies_and_a_goodbye():
    """The reply that closes is counted beside the one it follows."""
    c, told = watched()
    c.say(*["NONSENSE"] * 12)
    assert told.of("replied") == [("mta", "220"), *[("mta", "500")] * 10, ("mta", "421")]


def test_octets():
    """What came and what went, as much as was on the wire; the journal's last line has the sums."""
    c, told = watched(door="submission")
    said = c.heard() + c.say("EHLO client.example") + c.say("QUIT")
    c.hang_up()
    assert sum(count for _, count in told.of("octets_in")) == len("EHLO client.example\r\nQUIT\r\n")
    assert sum(count for _, count in told.of("octets_out")) == len(said)
    [end] = c.journal.named("disconnected")
    assert (end.octets_in, end.octets_out) == (27, len(said))


def test_connections():
    """Those that are greeted and those that are turned away; each end belongs to a beginning."""
    c, told = watched(site=SiteSettings(smtp_max_connections=1))
    c.connect("192.0.2.8")
    c.hang_up()
    c.connect("203.0.113.9")
    c.hang_up()
    assert told.of("connected") == [("mta",)]
    assert told.of("turned_away") == [("mta", "421"), ("mta", "554")]
    assert told.of("disconnected") == []


def test_a_client_that_leaves_before_the_banner():
    """It was neither connected nor turned away, so it does not end either."""
    c, told = watched(site=OPEN, access=(), connect=False)
    c.arrive()
    c.clock.advance(SILENCE_S / 2)
    c.hang_up()
    c.clock.advance(SILENCE_S)
    assert told.calls == [] and c.heard() == "" and c.connections() == 0


def test_how_long_a_message_took():
    """From the final dot to its reply, where that had to wait."""
    c, told = watched()
    c.greeted()
    c.spool.hold = True
    c.letter("chris@vm1.example.com")
    c.clock.advance(0.25)
    c.spool.release()
    assert c.heard().startswith("250 2.0.0")
    [(door, what, seconds)] = told.of("took")
    assert (door, what) == ("mta", "message") and seconds == pytest.approx(0.25)


def test_how_long_a_sign_in_took():
    """By its verb, whichever line of the exchange had to wait."""
    for lines in (["AUTH PLAIN AHJvYmluAHNlY3JldA=="], ["AUTH LOGIN", "cm9iaW4=", "c2VjcmV0"]):
        c, told = watched(site=OPEN, access=())
        c.greeted()
        c.login.answer = Deferred()
        for line in lines:
            c.say(line)
        c.clock.advance(0.5)
        c.login.answer.callback(c.book.user("u-robin"))
        [(door, what, seconds)] = told.of("took")
        assert (door, what) == ("mta", "AUTH") and seconds == pytest.approx(0.5)


def test_what_did_not_wait_is_not_timed():
    """An answer that is there at once would only make the figures look better."""
    c, told = watched()
    c.greeted()
    assert c.letter("chris@vm1.example.com", octets=LETTER)[-1] == "250 2.0.0"
    assert told.of("took") == []


def test_a_clock_that_was_set_back():
    """No time below zero is told."""
    c, told = watched()
    c.greeted()
    c.spool.hold = True
    c.letter("chris@vm1.example.com")
    c.clock.rightNow -= 3_600
    c.spool.release()
    assert told.of("took") == [("mta", "message", 0.0)]


def test_waits_for_mistakes_are_none_of_the_nodes():
    """A reply that is held back is not slow work."""
    c, told = watched()
    c.say(*["NONSENSE"] * (FREE + 3))
    assert told.of("took") == []
