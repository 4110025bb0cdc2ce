"""From the banner to being ready for mail, and every way that fails."""

import pytest
from twisted.internet.error import ConnectionLost
from twisted.mail.smtp import ESMTPClient
from twisted.python.failure import Failure

from tests.relay.play import FULL, HOP, PEER, REQUIRED, Play
from unitymail.relay.client import EHLO_S, GREETING_S, QUIT_S, STARTTLS_S
from unitymail.relay.dialogue import Dialogue

REFUSED_BANNER = "554 5.7.1 Not welcome"


class FakeHandshake:
    flaw = ""


def trouble(play):
    [found] = play.trouble
    return found


def test_ready():
    """A greeting, EHLO, and the extensions are known."""
    play = Play()
    assert play.hear("220 mx.example.net ESMTP") == "EHLO vm1.example.com\r\n"
    assert play.hear(*play.ehlo(*FULL)) == ""
    assert play.trouble == [None]
    assert play.client.usable and play.client.offers.pipelining and play.client.offers.size == 100_000
    assert play.client.remote == "mail.example.com [192.0.2.1]:25"
    assert isinstance(play.client, ESMTPClient) and play.wire.nodelay


def test_nothing_of_stocks_log():
    """Twisted's client keeps a log of lines, with passwords in it; ours does not."""
    play = Play()
    play.greet(*FULL)
    assert play.client.log.str() == b""


def test_helo():
    """A server that knows no EHLO is spoken to as in 1982."""
    play = Play()
    play.hear("220 old")
    assert play.hear("502 what?") == "HELO vm1.example.com\r\n"
    assert play.hear("250 old") == ""
    assert play.trouble == [None] and not play.client.offers.pipelining


def test_helo_refused():
    """Once, and not over and over."""
    play = Play()
    play.hear("220 old")
    play.hear("502 what?")
    assert play.hear("550 5.7.1 nor this") == "QUIT\r\n"
    assert (trouble(play).status, trouble(play).diagnostic) == ("4.7.1", "550 5.7.1 nor this")


@pytest.mark.parametrize(("banner", "status"), [
    (REFUSED_BANNER, "4.7.1"), ("421 4.3.2 busy", "4.3.2"), ("450 later", "4.2.0"), ("521 no mail here", "4.3.2"),
    ("250 what a banner", "4.0.0"),
])  # fmt: skip
def test_unwelcome(banner, status):
    """Whatever a banner refuses is about us: the message waits, and another address may do better."""
    play = Play()
    assert play.hear(banner) == "QUIT\r\n"
    found = trouble(play)
    assert (found.kind, found.status, found.elsewhere, found.diagnostic) == ("try-again", status, True, banner)
    assert found.why.startswith("The smart host mail.example.com ")
    assert not play.client.usable
    play.clock.advance(QUIT_S)
    assert play.wire.aborted


def test_no_banner():
    """A server that says nothing is given five minutes."""
    play = Play()
    play.clock.advance(GREETING_S - 1)
    assert play.trouble == []
    play.clock.advance(1)
    assert (trouble(play).status, trouble(play).silent) == ("4.4.1", True)
    assert "took too long for its greeting" in trouble(play).why
    assert play.wire.aborted


def test_slow_by_the_byte():
    """Time is for the whole reply, not for each of its octets."""
    play = Play()
    for octet in b"220 mx.exampl":
        play.clock.advance(24)
        play.client.dataReceived(bytes([octet]))
    assert trouble(play).status == "4.4.1"
    assert play.wire.aborted


@pytest.mark.parametrize("until", ["banner", "ehlo"])
def test_dropped(until):
    """A connection that ends before mail could be sent is told, with what was awaited."""
    play = Play()
    if until == "ehlo":
        play.hear("220 mx")
    play.lose(Failure(ConnectionLost()))
    expected = "its greeting" if until == "banner" else "its answer to EHLO"
    assert trouble(play).status == "4.4.2" and expected in trouble(play).why
    assert play.ended == [play.client]
    assert play.clock.getDelayedCalls() == []


@pytest.mark.parametrize("octets", [
    b"HTTP/1.1 400 Bad Request\r\n", b"\x15\x03\x01\x00\x02\x02\x0a\r\n", b"220-x\r\n" * 1000, b"2" * 100_000,
    b"220-one\r\n250 two\r\n",
])  # fmt: skip
def test_garbage(octets):
    """What is no SMTP, or has no end, ends the connection, with little kept in memory."""
    play = Play()
    play.client.dataReceived(octets)
    assert trouble(play).status == "4.5.0" and play.wire.aborted
    assert len(play.client._reader) == 0


def test_closing_in_the_middle():
    """421 to EHLO is no reason to try HELO."""
    play = Play()
    play.hear("220 mx")
    assert play.hear("421 4.3.2 shutting down") == "QUIT\r\n"
    assert trouble(play).status == "4.3.2"


def test_starttls():
    """EHLO is said again under TLS; what was offered before counts no more."""
    play = Play(handshake=FakeHandshake())
    assert play.greet("PIPELINING", "STARTTLS", "SIZE 5") == "STARTTLS\r\n"
    assert play.hear("220 2.0.0 go on") == "EHLO vm1.example.com\r\n"
    assert len(play.wire.tls) == 1
    play.hear(*play.ehlo("8BITMIME"))
    assert play.trouble == [None]
    offers = play.client.offers
    assert play.client.encrypted and offers.eight_bit and not offers.pipelining and not offers.sized


def test_helo_under_tls():
    """A server that knows EHLO in the clear only: what it offered there counts no more (RFC 3207 4.2)."""
    play = Play(REQUIRED, handshake=FakeHandshake())
    play.greet("PIPELINING", "STARTTLS", "SIZE 5")
    play.hear("220 go on")
    assert play.hear("502 what?") == "HELO vm1.example.com\r\n"
    play.hear("250 fine")
    assert play.trouble == [None] and not play.client.offers.pipelining and not play.client.offers.sized


def test_injected_before_tls():
    """Replies slipped in behind the answer to STARTTLS, whole or not, were said by nobody we trust: no TLS, no mail."""
    for injected in (b"250 SIZE 7\r\n", b"250-mx\r\n250-XUNITYMAIL\r\n250-AUTH PL", b"250-mx\r\n", b"2"):
        play = Play(handshake=FakeHandshake())
        play.greet("STARTTLS")
        play.client.dataReceived(b"220 go on\r\n" + injected)
        assert trouble(play).status == "4.5.0" and not trouble(play).in_the_clear
        assert play.wire.aborted and not play.wire.tls and play.said() == ""


def test_more_than_was_asked():
    """A server that answers MAIL before it was said gets none."""
    play = Play()
    play.hear("220 mx")
    play.hear(*play.ehlo("SIZE 7"), "250 ok")
    assert trouble(play).status == "4.5.0" and play.wire.aborted


def test_starttls_refused():
    """Where TLS is only welcome, mail goes without; where it is required, it waits."""
    play = Play(handshake=FakeHandshake())
    play.greet("STARTTLS")
    play.hear("454 4.7.0 not now")
    assert play.trouble == [None] and not play.client.encrypted
    play = Play(REQUIRED, handshake=FakeHandshake())
    play.greet("STARTTLS")
    assert play.hear("454 4.7.0 not now") == "QUIT\r\n"
    assert trouble(play).status == "4.7.0" and "under TLS only" in trouble(play).why


def test_who_goes_on_talking():
    """A server that says more and more at the end is not heard, and kept no longer than one that says nothing."""
    play = Play()
    play.greet(*FULL)
    play.hear("221 bye")
    assert play.wire.disconnecting
    for _ in range(int(QUIT_S) - 1):
        play.clock.advance(1)
        play.hear("220 and another thing", "what?")
    assert not play.wire.aborted
    play.clock.advance(1)
    assert play.wire.aborted and list(play.client.dialogue)[-1] == "S: 221 bye"


def test_tls_not_offered():
    """A server that hides STARTTLS gets no mail that requires it; nor does one without EHLO."""
    play = Play(REQUIRED, handshake=FakeHandshake())
    assert play.greet("PIPELINING") == "QUIT\r\n"
    assert trouble(play).status == "4.7.4" and trouble(play).no_tls
    play = Play(REQUIRED, handshake=FakeHandshake())
    play.hear("220 mx")
    play.hear("502 no EHLO")
    assert trouble(play).status == "4.5.1" and "neither TLS nor a sign-in" in trouble(play).why


def test_handshake_fails():
    """Where TLS is only welcome, the same address may be asked again without it, be it for silence."""
    for hop, in_the_clear in ((HOP, True), (REQUIRED, False)):
        play = Play(hop, handshake=FakeHandshake())
        play.greet("STARTTLS")
        play.hear("220 go on")
        play.lose(Failure(ConnectionLost()))
        assert (trouble(play).status, trouble(play).in_the_clear) == ("4.7.5", in_the_clear)
        play = Play(hop, handshake=FakeHandshake())
        play.greet("STARTTLS")
        play.hear("220 go on")
        play.clock.advance(STARTTLS_S)
        assert play.wire.aborted and trouble(play).silent and trouble(play).in_the_clear is in_the_clear
    handshake = FakeHandshake()
    handshake.flaw = "has expired"
    play = Play(REQUIRED, handshake=handshake)
    play.greet("STARTTLS")
    play.hear("220 go on")
    play.lose()
    assert trouble(play).why == "The smart host mail.example.com showed a certificate that has expired."


def test_a_peer_that_does_not_know_us():
    """A peer that offers no XUNITYMAIL would take us for a stranger: it gets nothing, and we are told what to do."""
    play = Play(PEER, handshake=FakeHandshake())
    play.greet("STARTTLS")
    play.hear("220 go on")
    assert play.hear(*play.ehlo("PIPELINING")) == "QUIT\r\n"
    assert "unitymail peer add" in trouble(play).why and trouble(play).status == "4.7.1"
    play = Play(PEER, handshake=FakeHandshake())
    play.greet("STARTTLS")
    play.hear("220 go on")
    play.hear(*play.ehlo("XUNITYMAIL"))
    assert play.trouble == [None]


def test_idle():
    """A connection that rests long enough says goodbye; what the server says meanwhile is goodbye too."""
    play = Play()
    play.greet(*FULL)
    play.client.rest(15)
    play.clock.advance(15)
    assert play.said() == "QUIT\r\n" and not play.client.usable
    assert play.hear("221 bye") == "" and play.wire.disconnecting
    play = Play()
    play.greet(*FULL)
    assert play.hear("421 4.4.2 idle for too long") == ""
    assert play.wire.disconnecting and not play.client.usable


def test_goodbye_unanswered():
    """Nobody waits for the answer to QUIT for long."""
    play = Play()
    play.greet(*FULL)
    play.client.quit()
    play.client.quit()
    assert play.said() == "QUIT\r\n"
    play.clock.advance(QUIT_S)
    assert play.wire.aborted


def test_deadlines_move_both_ways():
    """A shorter wait after a longer one is kept, and a longer one after a shorter."""
    play = Play()
    play.hear("220 mx")
    play.client.expect(10)
    play.client.expect(50)
    play.clock.advance(20)
    assert play.trouble == []
    play.clock.advance(29)
    assert play.trouble == []
    play.clock.advance(1)
    assert trouble(play).silent
    assert EHLO_S == 300


def test_the_conversation_is_kept_for_the_trace():
    """Both sides, in order."""
    play = Play()
    play.greet("PIPELINING")
    assert isinstance(play.client.dialogue, Dialogue)
    assert play.client.dialogue.lines() == (
        "S: 220 mx.example.net ESMTP", "C: EHLO vm1.example.com", "S: 250-mx.example.net", "S: 250 PIPELINING",
    )
