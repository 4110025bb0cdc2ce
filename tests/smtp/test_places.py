"""A connection holds a place among all, and among those of its address."""

from twisted.internet.defer import fail

from tests.smtp.conversation import Conversation, codes
from unitymail.interfaces.errors import TryAgain
from unitymail.ledger.local import LocalLedger
from unitymail.settings.site import SiteSettings


class AwayLedger:
    """A ledger of another process, which cannot be asked."""

    def __init__(self, error):
        self.error = error

    def take(self, counts, note=""):
        return fail(self.error)


def test_what_is_given_back_can_be_taken_again():
    """The caps of the site hold, in total and by address, and a client that left makes room."""
    site = SiteSettings(smtp_max_connections=3, smtp_max_connections_per_address=2)
    c = Conversation(site=site, ip="192.0.2.1")
    first = c.session, c.wire
    assert c.connect().heard().startswith("220 ")
    assert c.connect().heard().startswith("421 4.3.2 There are 2 connections open from 192.0.2.1")
    assert c.wire.disconnecting
    c.hang_up()
    assert c.connect("192.0.2.2").heard().startswith("220 ")
    assert c.connect("192.0.2.3").heard().startswith("421 4.3.2 All 3 connections are in use")
    c.session, c.wire = first
    c.hang_up()
    assert c.connect("192.0.2.3").heard().startswith("220 ")
    assert c.connections() == 3


def test_an_address_that_was_refused_leaves_no_trace():
    """Refused addresses do not fill the memory."""
    c = Conversation(site=SiteSettings(smtp_max_connections=1))
    for number in range(100):
        assert c.connect(f"192.0.2.{number}").heard().startswith("421 4.3.2 All 1 connections")
        c.hang_up()
    assert (len(c.ledger._totals), len(c.ledger._holdings), c.door.outside) == (2, 1, 0)


def test_nobody_comes_in_uncounted():
    """While the process that counts cannot be asked, clients are told to come again."""
    c = Conversation(ledger=AwayLedger(TryAgain()))
    assert c.heard().startswith("421 4.3.2 Connections cannot be counted")
    assert c.wire.disconnecting and not c.journal.named("trouble")


def test_a_surprise_in_counting_is_no_way_in():
    """An error nobody expected goes to the journal, and the client is told to come again."""
    c = Conversation(ledger=AwayLedger(ZeroDivisionError("boom")))
    assert codes(c.heard()) == ["421 4.3.2"] and c.wire.disconnecting
    assert isinstance(c.journal.named("trouble")[0].args[1], ZeroDivisionError)


def test_every_way_out_gives_the_place_back():
    """QUIT, the client's end, a refusal, too many errors, a node that stops: one place each, and once."""
    class Counting(LocalLedger):
        given = 0

        def give_back(self, ticket):
            self.given += 1
            super().give_back(ticket)

    def stop(c):
        c.door.drain()

    for end in (
        lambda c: c.say("QUIT"), lambda c: None, lambda c: c.say(*["NONSENSE"] * 10), stop,
        lambda c: c.clock.advance(1_000), lambda c: c.send(b"x" * 100_000),
    ):
        c = Conversation(ledger=Counting())
        assert c.connections() == 1
        end(c)
        c.hang_up()
        assert (c.connections(), c.ledger.given, c.door.sessions) == (0, 1, set())
