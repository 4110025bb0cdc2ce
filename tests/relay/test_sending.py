"""A message on a connection: each verb, each refusal, and the end of the connection at each step."""

from base64 import b64decode
from dataclasses import replace

import pytest
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from tests.fakes import HeldThreads
from tests.relay.play import FULL, HOP, LETTER, PEER, TOLD, Play, kinds, letter
from unitymail.relay import cargo

STUFFED = "From: robin@vm1.example.com\r\nSubject: Hello\r\n\r\n..Hello\r\n"
MAIL = "MAIL FROM:<robin@vm1.example.com> SIZE=55\r\n"
RCPT = "RCPT TO:<kim@example.net>\r\n"
PEERS = ("PIPELINING", "CHUNKING", "8BITMIME", "DSN", "XUNITYMAIL")


def ready(*extensions, hop=HOP):
    play = Play(hop)
    play.greet(*(extensions or FULL))
    assert play.trouble == [None]
    return play


def ready_peer():
    """A peer, as if TLS had been agreed on."""
    play = Play(replace(PEER, tls="none"))
    play.client.hop = PEER
    play.greet(*PEERS)
    assert play.trouble == [None]
    return play


def test_pipelined(tmp_path):
    """Envelope in one write, then the message with its dot in another."""
    play = ready()
    found = play.send(letter(tmp_path))
    assert play.said() == MAIL + RCPT + "DATA\r\n"
    assert play.hear("250 2.1.0 ok", "250 2.1.5 ok", "354 go on") == STUFFED + ".\r\n"
    assert not found
    play.hear("250 2.0.0 queued as 1")
    [attempt] = found
    [outcome] = attempt.outcomes
    assert (outcome.kind, outcome.diagnostic, outcome.success) == ("done", "250 2.0.0 queued as 1", "")
    assert attempt.remote == "mail.example.com [192.0.2.1]:25"
    assert not attempt.hop_down and not attempt.sent_dot
    assert attempt.dialogue[-8:] == (
        "C: MAIL FROM:<robin@vm1.example.com> SIZE=55", "C: RCPT TO:<kim@example.net>", "C: DATA", "S: 250 2.1.0 ok",
        "S: 250 2.1.5 ok", "S: 354 go on", "C: <59 octets>", "S: 250 2.0.0 queued as 1",
    )
    assert play.client.usable and play.client.clean


def test_lock_step(tmp_path):
    """A server without extensions hears one line at a time, and we make the success report."""
    play = ready("HELP")
    found = play.send(letter(tmp_path, ret="FULL", envid="e"))
    assert play.said() == "MAIL FROM:<robin@vm1.example.com>\r\n"
    assert play.hear("250 ok") == RCPT
    assert play.hear("251 will forward") == "DATA\r\n"
    assert play.hear("354 go on") == STUFFED + ".\r\n"
    play.hear("250 ok")
    assert found[0].outcomes[0].success == "relayed"


def test_the_next_message(tmp_path):
    """On the same connection, without RSET, and without the first one's conversation."""
    play = ready()
    for number in range(3):
        found = play.send(letter(tmp_path))
        assert play.said() == MAIL + RCPT + "DATA\r\n"
        play.hear("250 ok", "250 ok", "354 go on")
        play.hear("250 ok")
        assert kinds(found[0]) == [("done", "2.0.0")]
        assert len(found[0].dialogue) == (8 if number else 17)


def test_rset_after_a_refusal(tmp_path):
    """After anything but a plain success, the next transaction begins anew."""
    play = ready()
    play.send(letter(tmp_path))
    play.hear("250 ok", "550 5.1.1 no", "503 no one")
    assert not play.client.clean
    found = play.send(letter(tmp_path))
    assert play.said().endswith("RSET\r\n" + MAIL + RCPT + "DATA\r\n")
    play.hear("250 reset", "250 ok", "250 ok", "354 go")
    play.hear("250 ok")
    assert kinds(found[0]) == [("done", "2.0.0")] and play.client.clean


def test_chunking(tmp_path):
    """BDAT where it is offered: no dots doubled, no DATA, and only once somebody was accepted."""
    play = ready("PIPELINING", "CHUNKING")
    found = play.send(letter(tmp_path))
    assert play.said() == "MAIL FROM:<robin@vm1.example.com>\r\n" + RCPT
    assert play.hear("250 ok", "250 ok") == f"BDAT {len(LETTER)} LAST\r\n" + LETTER.decode()
    play.hear("250 ok")
    assert kinds(found[0]) == [("done", "2.0.0")]
    found = play.send(letter(tmp_path))
    play.said()
    assert play.hear("250 ok", "550 no") == ""
    assert kinds(found[0]) == [("failed", "5.0.0")]


def test_chunking_in_lock_step(tmp_path):
    """Where there is no PIPELINING, BDAT saves the round trip of DATA; a message of many chunks would wait for each."""
    play = ready("CHUNKING")
    found = play.send(letter(tmp_path))
    play.said()
    assert play.hear("250 ok") == RCPT
    assert play.hear("250 ok") == f"BDAT {len(LETTER)} LAST\r\n" + LETTER.decode()
    play.hear("250 ok")
    assert kinds(found[0]) == [("done", "2.0.0")]
    play.send(letter(tmp_path, LARGE))
    play.said()
    play.hear("250 ok")
    assert play.hear("250 ok") == "DATA\r\n"


def test_a_peer_in_one_write(tmp_path):
    """Envelope, what is told of the message, and its octets: one round trip."""
    play = ready_peer()
    found = play.send(letter(tmp_path, told=TOLD))
    said = play.said()
    assert said.startswith("MAIL FROM:<robin@vm1.example.com> XID=a.TRACE-1 ")
    assert said.endswith(f"BDAT {len(LETTER)} LAST\r\n" + LETTER.decode())
    play.hear("250 ok", "250 ok", "250 2.0.0 taken")
    assert kinds(found[0]) == [("done", "2.0.0")]


def test_a_large_message_to_a_peer(tmp_path):
    """It is not read at once: the envelope goes first, then block by block."""
    play = ready_peer()
    found = play.send(letter(tmp_path, b"x" * 98 + b"\r\n" + LETTER * 5_000, told=TOLD))
    assert "BDAT" not in play.said()
    assert play.hear("250 ok", "250 ok").count("BDAT ") == 3
    play.hear("250 ok", "250 ok", "250 2.0.0 taken")
    assert kinds(found[0]) == [("done", "2.0.0")]


LARGE = b"x" * 98 + b"\r\n" + LETTER * 5_000
"""Three blocks; a server of lock-step takes the second when it has answered to the first."""


@pytest.mark.parametrize(("extensions", "chunks_answered", "sent_dot"), [
    (("PIPELINING",), 0, True), (("PIPELINING", "CHUNKING"), 0, True), (("PIPELINING", "CHUNKING"), 1, True),
    (("CHUNKING",), 0, True),
])  # fmt: skip
def test_a_large_message_and_its_answer(tmp_path, extensions, chunks_answered, sent_dot):
    """The hop has ten minutes for its answer to the whole; only a message that was sent whole may have arrived."""
    for silent in (True, False):
        play = Play(threads=HeldThreads())
        play.greet(*extensions)
        found = play.send(letter(tmp_path, LARGE))
        by_data = extensions != ("PIPELINING", "CHUNKING")
        answers = ["250 ok", "250 ok", *(["354 go"] if by_data else [])]
        for reply in [*answers, *["250 go on"] * chunks_answered]:
            play.hear(reply)
            play.threads.go()
        if silent and sent_dot:
            play.clock.advance(599)
            assert found == []
        play.lose()
        assert kinds(found[0]) == [("try-again", "4.4.2")] and found[0].sent_dot is sent_dot


@pytest.mark.parametrize(("extensions", "refusal"), [
    (("PIPELINING",), "552 5.3.4 enough"), (("PIPELINING", "CHUNKING"), "552 5.3.4 enough"),
    (("PIPELINING",), "250 2.0.0 taken"),
])  # fmt: skip
def test_answered_in_the_middle(tmp_path, extensions, refusal):
    """Over when the server says so before it has the whole: no more of it is read, and no early yes is believed."""
    play = Play(threads=HeldThreads())
    play.greet(*extensions)
    found = play.send(letter(tmp_path, LARGE))
    play.hear("250 ok", "250 ok", *(["354 go"] if "CHUNKING" not in extensions else []))
    play.threads.step()
    play.threads.step()
    assert "Hello" in play.said()
    play.hear(refusal)
    play.threads.go()
    assert play.said() == "" and play.threads.waiting == [] and play.wire.aborted and not found[0].sent_dot
    assert kinds(found[0]) == [("failed", "5.3.4") if refusal[0] == "5" else ("try-again", "4.5.0")]


@pytest.mark.parametrize("octets", [LETTER, LARGE])
def test_lost_while_the_disk_is_slow(tmp_path, monkeypatch, octets):
    """What comes from the disk afterwards is let go."""
    monkeypatch.setattr(cargo, "whole_if_cached", lambda outgoing, form: None)
    play = Play(threads=HeldThreads())
    play.greet(*FULL[:1])
    found = play.send(letter(tmp_path, octets))
    play.said()
    assert play.hear("250 ok", "250 ok", "354 go") == ""
    play.lose()
    play.threads.go()
    assert play.said() == "" and play.wire.producer is None and not found[0].sent_dot


def test_a_peer_refuses_the_recipient(tmp_path):
    """The octets were sent for nothing; the connection stays in step."""
    play = ready_peer()
    found = play.send(letter(tmp_path, told=TOLD))
    play.said()
    play.hear("250 ok", "550 5.1.1 no such user", "503 5.5.1 nobody to give it to")
    assert kinds(found[0]) == [("failed", "5.1.1")] and not found[0].sent_dot
    play.send(letter(tmp_path, told=TOLD))
    assert play.said().startswith("RSET\r\nMAIL")


def test_data_for_nobody(tmp_path):
    """354 although nobody was accepted: a lone dot, and the refusals stand."""
    play = ready()
    found = play.send(letter(tmp_path))
    play.said()
    assert play.hear("250 ok", "550 5.1.1 no", "354 go on") == ".\r\n"
    play.hear("554 5.5.1 no valid recipients")
    assert kinds(found[0]) == [("failed", "5.1.1")] and play.client.usable


@pytest.mark.parametrize(("replies", "expected"), [
    (["550 5.7.1 not you", "503 x", "503 x"], ("failed", "5.7.1")),
    (["451 4.3.0 later", "503 x", "503 x"], ("try-again", "4.3.0")),
    (["250 ok", "450 4.2.1 busy", "554 x"], ("try-again", "4.2.1")),
    (["250 ok", "550 5.1.1 who", "554 x"], ("failed", "5.1.1")),
    (["250 ok", "250 ok", "451 4.3.0 no room"], ("try-again", "4.3.0")),
    (["250 ok", "250 ok", "554 5.3.4 no"], ("failed", "5.3.4")),
    (["250 ok", "250 ok", "354 go", "451 4.7.1 greylisted"], ("try-again", "4.7.1")),
    (["250 ok", "250 ok", "354 go", "554 5.7.1 spam"], ("failed", "5.7.1")),
    (["250 ok", "252 cannot verify", "354 go", "250 fine"], ("done", "2.0.0")),
])  # fmt: skip
def test_refusals(tmp_path, replies, expected):
    """4xx waits and 5xx fails, at each step, and the connection can be used again."""
    play = ready()
    found = play.send(letter(tmp_path))
    for reply in replies:
        play.hear(reply)
    assert kinds(found[0]) == [expected]
    assert not found[0].hop_down and not found[0].sent_dot and play.client.usable


STEPS = ["250 ok", "250 ok", "354 go"]


@pytest.mark.parametrize("step", range(4))
def test_dropped(tmp_path, step):
    """The end of the connection: everybody waits; only after the dot may the hop have the message."""
    play = ready()
    found = play.send(letter(tmp_path))
    for reply in STEPS[:step]:
        play.hear(reply)
    play.lose(Failure(ConnectionLost()))
    [attempt] = found
    assert kinds(attempt) == [("try-again", "4.4.2")]
    assert attempt.sent_dot is (step == 3)
    assert attempt.hop_down is (step == 0)
    assert "closed the connection before" in attempt.outcomes[0].why


@pytest.mark.parametrize("step", range(4))
def test_closing(tmp_path, step):
    """421 at any step: the hop is down, the message surely not taken."""
    play = ready()
    found = play.send(letter(tmp_path))
    for reply in [*STEPS[:step], "421 4.3.2 shutting down"]:
        play.hear(reply)
    [attempt] = found
    assert kinds(attempt) == [("try-again", "4.3.2")]
    assert attempt.hop_down and not attempt.sent_dot and not play.client.usable
    assert attempt.outcomes[0].diagnostic == "421 4.3.2 shutting down"


@pytest.mark.parametrize(("step", "seconds"), [(0, 300), (1, 300), (2, 120), (3, 600)])
def test_silence(tmp_path, step, seconds):
    """RFC 5321 4.5.3.2, each step its own time."""
    play = ready()
    found = play.send(letter(tmp_path))
    for reply in STEPS[:step]:
        play.hear(reply)
    play.clock.advance(seconds - 1)
    assert not found
    play.clock.advance(1)
    [attempt] = found
    assert kinds(attempt) == [("try-again", "4.4.2")] and play.wire.aborted
    assert attempt.sent_dot is (step == 3) and attempt.hop_down is (step < 3)


def test_silence_after_rset(tmp_path):
    """The answer to RSET has five minutes; a hop that says nothing is not asked at once again."""
    play = ready()
    play.send(letter(tmp_path))
    play.hear("250 ok", "550 5.1.1 no", "503 no one")
    found = play.send(letter(tmp_path))
    play.clock.advance(299)
    assert not found
    play.clock.advance(1)
    assert kinds(found[0]) == [("try-again", "4.4.2")] and found[0].hop_down and not found[0].sent_dot


@pytest.mark.parametrize(("extensions", "answered", "seconds", "sent_dot"), [
    (("PIPELINING", "CHUNKING"), 0, 600, True), (("PIPELINING", "CHUNKING"), 2, 600, True),
])  # fmt: skip
def test_silence_between_chunks(tmp_path, extensions, answered, seconds, sent_dot):
    """A chunk has three minutes like any block (RFC 5321 4.5.3.2.5), and ten when all of the message was sent."""
    play = ready(*extensions)
    found = play.send(letter(tmp_path, LARGE))
    for reply in ["250 ok", "250 ok", *["250 go on"] * answered]:
        play.hear(reply)
    play.clock.advance(seconds - 1)
    assert not found
    play.clock.advance(1)
    assert kinds(found[0]) == [("try-again", "4.4.2")] and found[0].sent_dot is sent_dot


def test_slow_by_the_byte(tmp_path):
    """A reply that trickles has no more time than one that does not come."""
    play = ready()
    found = play.send(letter(tmp_path))
    for octet in b"250 2.1.0 " + b"o" * 20:
        play.clock.advance(11)
        play.client.dataReceived(bytes([octet]))
    assert kinds(found[0]) == [("try-again", "4.4.2")]


@pytest.mark.parametrize("octets", [b"what?\r\n", b"250-" + b"x" * 9000, b"354 go on\r\n", b"250-a\r\n" * 500])
def test_garbage(tmp_path, octets):
    """An answer that is none: the connection is not believed any more."""
    play = ready()
    found = play.send(letter(tmp_path))
    play.client.dataReceived(octets)
    assert kinds(found[0]) == [("try-again", "4.5.0")] and play.wire.aborted and not play.client.usable


def test_an_answer_too_many(tmp_path):
    """A reply that nobody waits for ends the connection before another message is lost on it."""
    play = ready()
    play.send(letter(tmp_path))
    play.hear("250 ok", "250 ok", "354 go")
    play.hear("250 ok", "250 and one more")
    assert not play.client.usable and play.wire.disconnecting


def test_too_much_said_before_the_body(tmp_path):
    """Who answers to the message before it was sent is not believed, and gets no message."""
    for replies in (["354 go", "250 taken"], ["354 go", "354 go"]):
        play = ready()
        found = play.send(letter(tmp_path))
        assert play.hear("250 ok", "250 ok", *replies).count("Hello") == 0
        assert kinds(found[0]) == [("try-again", "4.5.0")] and play.wire.aborted and not found[0].sent_dot


def test_somebody_elses_message_is_open(tmp_path):
    """MAIL was refused, recipient and DATA are accepted: nothing is sent that would go out under another name."""
    play = ready()
    found = play.send(letter(tmp_path))
    play.said()
    assert play.hear("550 5.7.1 no", "250 ok", "354 go") == ""
    assert kinds(found[0]) == [("failed", "5.7.1")] and play.wire.aborted


def test_stale(tmp_path):
    """A connection that rested and is gone, or going: nothing was said, so it is not the message's failure."""
    for end in ("lose", "421 4.4.2 idle"):
        play = ready()
        play.send(letter(tmp_path))
        play.hear("250 ok", "250 ok", "354 go")
        play.hear("250 ok")
        found = play.send(letter(tmp_path))
        if end == "lose":
            play.lose()
        else:
            play.hear(end)
        assert found == [None]
    play = ready_peer()
    play.client.messages = 1
    found = play.send(letter(tmp_path, told=TOLD))
    play.lose()
    assert found == [None], "what the peer has already, it knows by its XID"


def test_silence_is_not_stale(tmp_path):
    """A hop that does not answer is not asked at once again."""
    play = ready()
    play.client.messages = 1
    found = play.send(letter(tmp_path))
    play.clock.advance(300)
    assert kinds(found[0]) == [("try-again", "4.4.2")]


def test_too_many_recipients(tmp_path):
    """452 4.5.3: the rest goes in a further transaction on the same connection."""
    play = ready()
    found = play.send(letter(tmp_path, to=("a@example.net", "b@example.net")))
    play.said()
    play.hear("250 ok", "250 ok", "452 4.5.3 one at a time", "354 go")
    assert play.hear("250 2.0.0 first") == MAIL + "RCPT TO:<b@example.net>\r\nDATA\r\n"
    assert play.hear("250 ok", "250 ok", "354 go") == STUFFED + ".\r\n"
    play.hear("250 2.0.0 second")
    assert [outcome.diagnostic for outcome in found[0].outcomes] == ["250 2.0.0 first", "250 2.0.0 second"]


def test_many_recipients(tmp_path):
    """250 of them are three transactions; a drop in the second leaves the first as it is."""
    play = ready()
    found = play.send(letter(tmp_path, to=[f"k{n}@example.net" for n in range(250)]))
    assert play.said().count("RCPT TO") == 100
    play.hear(*["250 ok"] * 101, "354 go")
    assert play.hear("250 2.0.0 first").count("RCPT TO") == 100
    play.lose()
    assert kinds(found[0]) == [*[("done", "2.0.0")] * 100, *[("try-again", "4.4.2")] * 150]


def test_many_recipients_on_a_connection_used_before(tmp_path):
    """Who has the message by the first transaction is not sent it again when the second finds the connection gone."""
    play = ready()
    play.client.messages = 1
    found = play.send(letter(tmp_path, to=[f"k{n}@example.net" for n in range(101)]))
    play.hear(*["250 ok"] * 101, "354 go")
    play.hear("250 2.0.0 first")
    play.lose()
    assert kinds(found[0]) == [*[("done", "2.0.0")] * 100, ("try-again", "4.4.2")]


def test_lost_after_a_message_for_nobody(tmp_path):
    """A peer that refused every recipient has not got the message, although it was sent whole."""
    play = ready_peer()
    found = play.send(letter(tmp_path, to=("a@example.net", "b@example.net"), told=TOLD))
    play.hear("250 ok", "550 5.1.1 who", "550 5.1.1 who")
    play.lose()
    assert kinds(found[0]) == [("failed", "5.1.1")] * 2 and not found[0].sent_dot and not found[0].hop_down


@pytest.mark.parametrize(("replies", "hop_down"), [
    ([*["250 ok"] * 101, "354 go", "250 2.0.0 first", "421 4.3.2 bye"], False),
    (["250 ok", "550 5.1.1 who", "421 4.3.2 bye"], False),
    (["250 ok", "250 ok", "421 4.3.2 bye"], True),
    (["421 4.3.2 bye"], True),
])  # fmt: skip
def test_hop_down_for_all_or_none(tmp_path, replies, hop_down):
    """Who has an answer of their own tell nobody else that the hop is down."""
    play = ready()
    found = play.send(letter(tmp_path, to=[f"k{n}@example.net" for n in range(101)]))
    play.said()
    for reply in replies:
        play.hear(reply)
    assert found[0].hop_down is hop_down and found[0].outcomes[-1].status == "4.3.2"


def test_what_does_not_fit(tmp_path):
    """A message that cannot go there is settled without a word, and the connection stays."""
    play = ready()
    found = play.send(letter(tmp_path, b"x" * 100_001))
    assert play.said() == "" and kinds(found[0]) == [("failed", "5.3.4")]
    found = play.send(letter(tmp_path, LETTER + "Grüße\r\n".encode(), body="8bitmime"))
    assert " BODY=8BITMIME\r\n" in play.said()
    play = ready("PIPELINING")
    found = play.send(letter(tmp_path, "Subject: Grüße\r\n\r\n".encode(), body="8bitmime"))
    assert play.said() == "" and kinds(found[0]) == [("failed", "5.6.3")]
    found = play.send(letter(tmp_path, body="8bitmime"))
    assert play.said().startswith("MAIL FROM:<robin@vm1.example.com>\r\n"), "declared so, and is not"
    assert play.client.usable


@pytest.mark.parametrize("extensions", [(), ("CHUNKING",), ("SIZE 100000", "PIPELINING"), ("PIPELINING", "CHUNKING")])
def test_eight_bit_text_for_a_hop_that_takes_none(tmp_path, extensions):
    """It goes in base64, undeclared, with the size that it has then; the file stays as it is."""
    octets = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + "Grüße\r\n".encode()
    wanted = octets.partition(b"\r\n\r\n")[0].decode() + "\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ0K\r\n"
    play = Play()
    play.greet(*extensions)
    found = play.send(outgoing := letter(tmp_path, octets, head=b"Received: x\r\n", body="8bitmime"))
    said = play.said() + play.hear("250 ok") + play.hear("250 ok")
    chunking = "CHUNKING" in extensions
    said += play.hear("354 go on") if not chunking else ""
    size = len("Received: x\r\n" + wanted)
    sized = f" SIZE={size}" if "SIZE 100000" in extensions else ""
    assert said.startswith(f"MAIL FROM:<robin@vm1.example.com>{sized}\r\n")
    assert said.endswith((f"BDAT {size} LAST\r\n" if chunking else "DATA\r\n") + "Received: x\r\n" + wanted + (
        "" if chunking else ".\r\n"
    ))  # fmt: skip
    play.hear("250 ok")
    assert kinds(found[0]) == [("done", "2.0.0")] and (tmp_path / outgoing.path).read_bytes() == octets


def test_a_large_message_for_a_hop_that_takes_no_eight_bit_text(tmp_path):
    """As it is read, block by block."""
    octets = b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" + "Grüße\r\n".encode() * 30_000
    play = ready("PIPELINING")
    found = play.send(letter(tmp_path, octets, body="8bitmime"))
    said = play.said() + play.hear("250 ok", "250 ok", "354 go on") + play.hear("250 ok")
    header, _, body = said.partition("DATA\r\n")[2].partition("\r\n\r\n")
    assert header.endswith("Content-Transfer-Encoding: base64")
    assert b64decode(body.removesuffix(".\r\n")) == octets.partition(b"\r\n\r\n")[2]
    assert kinds(found[0]) == [("done", "2.0.0")]


def test_a_file_that_is_gone(tmp_path):
    """That is no failure of the hop: it is raised, and the hop gets no half message."""
    for play in (ready(), ready_peer()):
        outgoing = letter(tmp_path, told=TOLD)
        (tmp_path / outgoing.path).unlink()
        found = play.send(outgoing)
        play.hear("250 ok", "250 ok", *(["354 go"] if play.client.hop is HOP else []))
        assert found[0].check(FileNotFoundError) and play.wire.aborted
        assert ".\r\n" not in play.said() and not play.client.usable


def test_deliver_by(tmp_path):
    """The seconds that are left now."""
    play = ready("DELIVERBY 5")
    play.clock.advance(100)
    play.send(letter(tmp_path, deliver_by=160.9, deliver_by_mode="R"))
    assert play.said() == "MAIL FROM:<robin@vm1.example.com> BY=60;R\r\n"
