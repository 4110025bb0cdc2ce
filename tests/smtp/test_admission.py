"""From the client's arrival to the banner: who waits, for what, and who is turned away."""

from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred
from zope.interface import implementer

from tests.fakes import RecordingJournal
from tests.smtp.conversation import Conversation, codes
from tests.smtp.peers import PEOPLE
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.ledger import ILedger
from unitymail.ledger.local import LocalLedger
from unitymail.people.access import AccessRule
from unitymail.policy.access import PROXY_ITSELF
from unitymail.settings.site import SiteSettings
from unitymail.smtp import places, server
from unitymail.smtp.admission import SILENCE_S
from unitymail.smtp.patience import LINE_S

OPEN = SiteSettings(smtp_allow_untrusted=True, smtp_untrusted_require_auth=False)
HELLO = b"EHLO client.example\r\n"
TLS = object()


@implementer(ILedger)
class FarLedger(LocalLedger):
    """In another process: its answers come when the test lets them."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def take(self, counts, note=""):
        waiting = Deferred()
        self.asked.append((waiting, counts, note))
        return waiting

    def answer(self, number=0):
        waiting, counts, note = self.asked.pop(number)
        waiting.callback(self.take_now(counts, note))


def stranger(**options):
    return Conversation(site=OPEN, access=(), connect=False, **options).arrive()


# Early talkers


def test_a_stranger_is_greeted_after_silence():
    """Nothing is said for 0.2 s, then the banner; the session goes on as any."""
    c = stranger()
    assert c.heard() == ""
    c.clock.advance(SILENCE_S - 0.01)
    assert c.heard() == ""
    c.clock.advance(0.01)
    assert c.heard() == "220 vm1.example.com ESMTP unitymail\r\n"
    assert c.say("EHLO client.example").startswith("250-")


@pytest.mark.parametrize("octets", [HELLO, b"E", b"\0", b"\r\n" * 100])
def test_a_stranger_that_speaks_first(octets):
    """Whatever it says before the banner, it hears 554 and no more, and none of it is taken for a command."""
    c = stranger()
    c.clock.advance(SILENCE_S / 2)
    assert codes(c.send(octets)) == ["554 5.5.1"] and c.wire.disconnecting
    assert c.send(HELLO) == "" and not c.journal.named("connected")
    assert [e.args[2].code for e in c.journal.named("turned_away")] == [554]
    c.clock.advance(10)
    c.hang_up()
    assert c.heard() == "" and c.connections() == 0 and not c.door.sessions


def test_those_we_know_are_greeted_at_once():
    """Trusted addresses, the smart host, hosts of peers, and whoever comes to a submission door; all may be hasty."""
    known = {
        "trusted": {},
        "smart host": {"access": (), "smart_host_addresses": lambda: ["192.0.2.7"]},
        "peer": {"access": (), "site": OPEN, "peer_addresses": lambda: ["192.0.2.7"], "people": PEOPLE},
        "submission": {"access": (), "site": OPEN, "door": "submission"},
        "submissions": {"access": (), "site": OPEN, "door": "submissions", "implicit_tls": True, "tls": TLS},
    }
    for who, options in known.items():
        c = Conversation(connect=False, **options).arrive()
        assert c.heard().startswith("220 "), who
        assert codes(c.send(HELLO)) == ["250"], who


def test_a_balancer_that_names_nobody_waits_like_any_stranger():
    """Its address may be allowed a hundred times."""
    c = Conversation(
        connect=False, site=OPEN, access=(AccessRule("192.0.2.7", True),), ip="192.0.2.7" + PROXY_ITSELF
    ).arrive()
    assert c.heard() == ""
    c.clock.advance(SILENCE_S)
    assert c.heard().startswith("220 ") and c.ledger.held("smtp", "192.0.2.7") == 1


# A ledger in another process


def test_nothing_is_said_or_done_before_the_ledger_answers():
    """A client we know that talks early is answered in order, once it is counted."""
    c = Conversation(ledger=FarLedger(), connect=False).arrive()
    c.send(HELLO + b"NOOP\r\n")
    assert c.heard() == "" and not c.wire.reading and not c.journal.named("connected")
    c.ledger.answer()
    assert codes(c.heard()) == ["220", "250", "250 2.0.0"] and c.wire.reading


def test_an_early_talker_is_refused_once_it_is_counted():
    """Not even that is acted on before."""
    c = stranger(ledger=FarLedger())
    assert c.send(HELLO) == ""
    c.ledger.answer()
    assert codes(c.heard()) == ["554 5.5.1"]
    c.hang_up()
    assert c.connections() == 0


def test_a_client_that_leaves_while_the_ledger_is_asked():
    """The place that comes too late is given back; nobody is greeted."""
    c = Conversation(ledger=FarLedger(), connect=False).arrive()
    c.hang_up()
    c.ledger.answer()
    assert (c.connections(), c.heard(), c.door.outside, c.door.sessions) == (0, "", 0, set())
    assert [e.event for e in c.journal.events] == []


def test_a_refusal_that_comes_too_late():
    """A client that left hears nothing, whatever the ledger says."""
    c = Conversation(ledger=FarLedger(), connect=False, site=SiteSettings(smtp_max_connections=1)).arrive()
    c.ledger.take_now(c.ledger.asked[0][1])
    c.hang_up()
    c.ledger.answer()
    assert (c.heard(), c.connections(), c.door.outside) == ("", 1, 0)


def test_a_ledger_that_cannot_be_asked_after_all():
    """The answer may be that there is none."""
    c = Conversation(ledger=FarLedger(), connect=False).arrive()
    c.ledger.asked.pop()[0].errback(TryAgain())
    assert codes(c.heard()) == ["421 4.3.2"] and c.wire.disconnecting


def test_a_node_that_stops_meanwhile():
    """Whoever waits to come in, for the ledger or for silence, is told so; places return."""
    for c in (Conversation(ledger=FarLedger(), connect=False).arrive(), stranger()):
        gone = c.door.drain()
        assert codes(c.heard()) == ["421 4.3.2"] and c.wire.disconnecting
        assert gone.called
        c.hang_up()
        for _ in range(len(getattr(c.ledger, "asked", ()))):
            c.ledger.answer()
        c.clock.advance(SILENCE_S)
        assert (c.heard(), c.connections(), c.door.outside) == ("", 0, 0)


# Bounds


def test_a_bounded_crowd_outside(monkeypatch):
    """Those who wait for the ledger are few; the others are told to come again, and who leaves makes room."""
    monkeypatch.setattr(server, "MOST_OUTSIDE", 2)
    c = Conversation(ledger=FarLedger(), connect=False)
    first = c.arrive().session
    c.arrive()
    c.arrive()
    assert c.heard().startswith("421 4.3.2 Too many connections come in at once") and c.wire.disconnecting
    assert len(c.ledger.asked) == 2
    c.hang_up()
    c.session = first
    c.hang_up()
    c.arrive()
    assert c.heard() == "" and len(c.ledger.asked) == 3


def test_under_tls_a_crowd_is_cut_off(monkeypatch):
    """Words would wait for a handshake, which who floods a door never makes; who may come in is not kept out by it."""
    monkeypatch.setattr(places, "MOST_TURNED_AWAY", 2)
    monkeypatch.setattr(server, "MOST_OUTSIDE", 2)
    c = Conversation(connect=False, door="submissions", implicit_tls=True, tls=TLS)
    denied = Conversation(
        connect=False, door="submissions", implicit_tls=True, tls=TLS, access=(AccessRule("192.0.2.8", False),)
    )
    c.book.access += denied.book.access
    crowd = [(c.arrive("192.0.2.8").session, c.wire) for _ in range(5)]
    assert [wire.aborted for _, wire in crowd] == [False, False, True, True, True]
    assert c.arrive("192.0.2.7").heard().startswith("220 ")
    for c.session, _ in crowd:
        c.hang_up()
    assert (c.door.places.turned_away, c.door.outside, c.connections()) == (0, 0, 1)
    assert not c.arrive("192.0.2.8").wire.aborted


def test_a_denied_address_under_tls():
    """It hears 554 in place of the banner, once the handshake is done; it holds no place."""
    c = Conversation(access=(AccessRule("192.0.2.7", False),), door="submissions", implicit_tls=True, tls=TLS)
    assert codes(c.heard()) == ["554 5.7.1"] and c.wire.disconnecting and not c.wire.aborted
    assert (c.connections(), c.door.outside, c.door.places.turned_away) == (0, 0, 1)
    c.hang_up()
    assert c.door.places.turned_away == 0


# Trouble inside


class Mute(RecordingJournal):
    """Fails when it should tell of a client."""

    def connected(self, *args):
        raise ZeroDivisionError("boom")


def test_trouble_while_a_client_is_welcomed():
    """Nobody holds a place for ever in a session that never came to be: it is told, and the clock ends it."""
    c = Conversation(connect=False)
    c.door.house = replace(c.door.house, journal=Mute())
    c.arrive()
    assert isinstance(c.door.house.journal.named("trouble")[0].args[1], ZeroDivisionError)
    c.clock.advance(LINE_S)
    assert codes(c.heard())[-1] == "421 4.4.2" and c.wire.disconnecting
    c.hang_up()
    assert c.connections() == 0 and not c.clock.getDelayedCalls()
