"""Two messages and more on one connection: the next envelope goes with the end of the message before it."""

from collections import deque
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from tests.fakes import HeldThreads
from tests.relay.play import FULL, LETTER, PEER, TOLD, Play, kinds, letter
from unitymail.relay import cargo
from unitymail.relay.content import SMALL
from unitymail.relay.sending import FEW, Waiting

BODY = "From: robin@vm1.example.com\r\nSubject: Hello\r\n\r\n..Hello\r\n.\r\n"
ENVELOPE = "MAIL FROM:<robin@vm1.example.com> SIZE=55\r\nRCPT TO:<kim@example.net>\r\nDATA\r\n"
GO = ["250 ok", "250 ok", "354 go"]
LOST = None
DONE = ("done", "2.0.0")


def ready(*extensions):
    play = Play()
    play.greet(*(extensions or FULL))
    return play


def ready_peer():
    play = Play(replace(PEER, tls="none"))
    play.client.hop = PEER
    play.greet("PIPELINING", "CHUNKING", "8BITMIME", "DSN", "XUNITYMAIL")
    return play


def one_behind(folder, **more):
    """The body of the first of two messages was sent, with the envelope of the second."""
    play = ready()
    first, second = play.send(letter(folder)), play.send(letter(folder, **more))
    assert play.said() == ENVELOPE
    assert play.hear(*GO) == BODY + ENVELOPE
    return play, first, second


def hear_cut(play, lines, cuts):
    """The lines as the network cuts them; None is the end of the connection. What was said to them."""
    octets = "".join(f"{line}\r\n" for line in lines if line is not LOST).encode()
    said = ""
    edges = [0, *sorted(cut for cut in cuts if cut < len(octets)), len(octets)]
    for start, end in pairwise(edges):
        if not play.wire.aborted:
            play.client.dataReceived(octets[start:end])
            said += play.said()
    if LOST in lines:
        play.lose(Failure(ConnectionLost()))
    return said


UNHEARD = "unheard"
CASES = {
    "both": (["250 ok", *GO], [DONE], [], BODY),
    "first-waits": (["451 4.3.0 later", *GO], [("try-again", "4.3.0")], [], BODY),
    "first-fails": (["554 5.7.1 spam", *GO], [("failed", "5.7.1")], [], BODY),
    "closing-at-first": (["421 4.3.2 bye"], [("try-again", "4.3.2")], UNHEARD, ""),
    "lost-at-first": ([LOST], [("try-again", "4.4.2")], UNHEARD, ""),
    "lost-behind-first": (["250 ok", LOST], [DONE], UNHEARD, ""),
    "closing-at-second": (["250 ok", "421 4.3.2 bye"], [DONE], UNHEARD, ""),
    "sign-in-at-second": (["250 ok", "530 5.7.0 who are you"], [DONE], UNHEARD, ""),
    "lost-behind-mail": (["250 ok", "250 ok", LOST], [DONE], [("try-again", "4.4.2")], ""),
    "closing-at-rcpt": (["250 ok", "250 ok", "421 bye"], [DONE], [("try-again", "4.3.2")], ""),
    "mail-refused": (["250 ok", "550 5.7.1 not you", "503 a", "503 b"], [DONE], [("failed", "5.7.1")], ""),
    "mail-waits": (["250 ok", "450 4.7.1 grey", "503 a", "503 b"], [DONE], [("try-again", "4.7.1")], ""),
    "nobody": (["250 ok", "250 ok", "550 5.1.1 who", "554 nobody"], [DONE], [("failed", "5.1.1")], ""),
    "nobody-and-go": (["250 ok", "250 ok", "550 5.1.1 who", "354 go"], [DONE], [], ".\r\n"),
    "data-refused": (["250 ok", "250 ok", "250 ok", "451 4.3.0 no"], [DONE], [("try-again", "4.3.0")], ""),
    "still-open": (["554 5.7.1 no", "503 nested", "503 a", "503 b"], [("failed", "5.7.1")], [], "RSET\r\n" + ENVELOPE),
    "too-hasty": (["250 ok", "554 wait", "503 a", "503 b"], [DONE], [], "RSET\r\n" + ENVELOPE),
    "too-hasty-and-lost": (["250 ok", "554 5.5.0 out of step", LOST], [DONE], UNHEARD, ""),
    "refused-and-lost": (["250 ok", "554 5.7.1 not you", LOST], [DONE], [("failed", "5.7.1")], ""),
    "open-to-all": (["554 5.7.1 no", "503 nested", "503 a", "354 go"], [("failed", "5.7.1")], UNHEARD, ""),
    "open-and-mixed-up": (["554 5.7.1 no", "503 nested", "250 ok", "354 go"], [("failed", "5.7.1")], UNHEARD, ""),
    "garbage": (["what?"], [("try-again", "4.5.0")], UNHEARD, ""),
    "garbage-behind": (["250 ok", "what?"], [DONE], UNHEARD, ""),
    "go-at-first": (["354 go"], [("try-again", "4.5.0")], UNHEARD, ""),
    "out-of-order": (["250 ok", "250 ok", "354 go", "250 ok"], [DONE], [("try-again", "4.5.0")], ""),
    "one-too-many": (["250 ok", *GO, "250 ok"], [DONE], [("try-again", "4.5.0")], ""),
}


def outcome(found):
    if not found:
        return []
    return UNHEARD if found[0] is None else kinds(found[0])


@pytest.mark.parametrize("case", CASES)
def test_every_cut(tmp_path, case):
    """Whatever is answered to two messages, and wherever the network cuts it: each has the outcome that is its own."""
    lines, first_expected, second_expected, said_expected = CASES[case]
    for cut in range(sum(len(line) + 2 for line in lines if line) + 1):
        play, first, second = one_behind(tmp_path)
        if case == "one-too-many" and cut >= len("250 ok\r\n" * 3 + "354 go\r\n"):
            break
        said = hear_cut(play, lines, [cut])
        assert (outcome(first), outcome(second), said) == (first_expected, second_expected, said_expected), cut


@given(st.sampled_from(sorted(set(CASES) - {"one-too-many"})), st.lists(st.integers(0, 80), max_size=12))
def test_any_cuts(tmp_path_factory, case, cuts):
    """Likewise cut in many pieces."""
    lines, first_expected, second_expected, said_expected = CASES[case]
    play, first, second = one_behind(tmp_path_factory.mktemp("m"))
    said = hear_cut(play, lines, cuts)
    assert (outcome(first), outcome(second), said) == (first_expected, second_expected, said_expected)


def test_each_its_own_story(tmp_path):
    """The dialogue of a message has its own lines only, and its attempt the time at which it was begun."""
    play, first, second = one_behind(tmp_path)
    play.clock.advance(5)
    play.hear("250 2.0.0 first", *GO)
    play.hear("250 2.0.0 second")
    assert first[0].dialogue[-1] == "S: 250 2.0.0 first" and first[0].dialogue[0] == "S: 220 mx.example.net ESMTP"
    assert list(second[0].dialogue) == [
        *(f"C: {line}" for line in ENVELOPE.splitlines()), "S: 250 ok", "S: 250 ok", "S: 354 go", "C: <59 octets>",
        "S: 250 2.0.0 second",
    ]
    assert not second[0].hop_down and not second[0].sent_dot


def test_told_as_soon_as_answered(tmp_path):
    """The first message does not wait for the second."""
    play, first, second = one_behind(tmp_path)
    play.hear("250 ok")
    assert outcome(first) == [DONE] and second == []


def test_a_steady_flow(tmp_path):
    """One write and one read for each message, and the order is kept."""
    play = ready()
    found = [play.send(letter(tmp_path)) for _ in range(10)]
    play.said()
    assert play.hear(*GO) == BODY + ENVELOPE
    for number in range(8):
        assert play.hear(f"250 2.0.0 taken {number}", *GO) == BODY + ENVELOPE
    assert play.hear("250 2.0.0 taken 8", *GO) == BODY
    play.hear("250 2.0.0 taken 9")
    assert [each[0].outcomes[0].diagnostic[-1] for each in found] == list("0123456789")
    assert play.client.messages == 10 and play.turns.at_rest


def test_how_it_ended_for_the_first(tmp_path):
    """421 tells that the hop is down, a lost connection that it may have the message; neither tells of the second."""
    play, first, _ = one_behind(tmp_path)
    play.hear("421 4.3.2 bye")
    assert first[0].hop_down and not first[0].sent_dot and play.wire.aborted and not play.turns.hopeless
    play, first, _ = one_behind(tmp_path)
    play.lose()
    assert not first[0].hop_down and first[0].sent_dot and play.turns.hopeless


def test_who_does_not_pipeline_well(tmp_path):
    """An end, a silence or garbage after the first one's answer: the pool hears that it should be careful."""
    for line, hopeless in ((LOST, True), ("what?", True), ("421 4.3.2 bye", False)):
        play, *_ = one_behind(tmp_path)
        hear_cut(play, ["250 ok", line], [])
        assert play.turns.hopeless is hopeless


@pytest.mark.parametrize(("replies", "seconds", "expected"), [
    ([], 600, ([("try-again", "4.4.2")], UNHEARD)),
    (["250 ok"], 300, ([DONE], UNHEARD)),
    (["250 ok", "250 ok"], 300, ([DONE], [("try-again", "4.4.2")])),
    (["250 ok", "250 ok", "250 ok"], 120, ([DONE], [("try-again", "4.4.2")])),
    (["250 ok", *GO], 600, ([DONE], [("try-again", "4.4.2")])),
])  # fmt: skip
def test_silence(tmp_path, replies, seconds, expected):
    """Each reply has its own time, which begins when the one before it has come."""
    play, first, second = one_behind(tmp_path)
    for reply in replies:
        play.clock.advance(100)
        play.hear(reply)
    play.clock.advance(seconds - 1)
    assert not play.wire.aborted
    play.clock.advance(1)
    assert play.wire.aborted and (outcome(first), outcome(second)) == expected


def test_nothing_behind_a_lone_dot(tmp_path):
    """Nobody was accepted: what that leaves open at the server is ended by RSET before the next message."""
    play, _, second = one_behind(tmp_path)
    third = play.send(letter(tmp_path))
    assert play.hear("250 ok", "250 ok", "550 5.1.1 who", "354 go") == ".\r\n"
    assert play.hear("554 5.5.1 no valid recipients") == "RSET\r\n" + ENVELOPE
    assert outcome(second) == [("failed", "5.1.1")] and third == []


def test_mail_refused_then_the_third(tmp_path):
    """What comes after a refused sender begins with RSET, in lock-step with its answers."""
    play, _, second = one_behind(tmp_path)
    third = play.send(letter(tmp_path))
    assert play.hear("250 ok", "550 5.7.1 not you", "503 a", "503 b") == "RSET\r\n" + ENVELOPE
    assert play.hear("250 reset", *GO) == BODY
    play.hear("250 ok")
    assert outcome(second) == [("failed", "5.7.1")] and outcome(third) == [DONE]


def test_still_open_and_then_done(tmp_path):
    """A server that keeps a failed message open takes the next one after RSET; its 503 then counts."""
    for again, expected in ((GO, [DONE]), (["503 5.5.1 never", "503 a", "503 b"], [("failed", "5.5.1")])):
        play, _, second = one_behind(tmp_path)
        assert play.hear("451 4.3.0 later", "503 nested", "503 a", "503 b") == "RSET\r\n" + ENVELOPE
        said = play.hear("250 reset", *again)
        if said:
            play.hear("250 ok")
        assert outcome(second) == expected


def test_still_open_and_then_lost(tmp_path):
    """Nothing was said about it: it waits for another connection."""
    play, _, second = one_behind(tmp_path)
    play.hear("451 4.3.0 later", "503 nested", "503 a", "503 b")
    play.lose()
    assert outcome(second) == UNHEARD


def test_nothing_before_the_body(tmp_path):
    """However its answers come, nothing is said of the next message before the one in front is sent whole."""
    play = ready()
    play.send(letter(tmp_path))
    play.send(letter(tmp_path))
    play.said()
    assert [play.hear(reply) for reply in GO] == ["", "", BODY + ENVELOPE]


def test_nothing_on_a_connection_that_is_not_believed(tmp_path):
    """A reply too many ends it; who waits is not begun there."""
    play = ready()
    found = [play.send(letter(tmp_path)) for _ in range(3)]
    play.hear(*GO)
    play.hear("250 ok", *GO)
    play.turns.waiting.append(waiting := Waiting(letter(tmp_path)))
    assert play.hear("250 ok", *GO[:2], "250 ok") == ""
    assert [outcome(each) for each in found] == [[DONE], [DONE], [("try-again", "4.5.0")]]
    assert play.turns.waiting == deque([waiting])
    play = ready()
    first = play.send(letter(tmp_path))
    play.hear(*GO)
    play.turns.waiting.append(Waiting(letter(tmp_path, to=[f"k{number}@example.net" for number in range(FEW + 1)])))
    assert play.hear("250 ok", "250 ok") == "" and outcome(first) == [DONE] and len(play.turns.waiting) == 1


def test_a_slow_disk(tmp_path, monkeypatch):
    """A look takes as long as it takes, and the time for an answer begins when the message has been read and sent."""
    monkeypatch.setattr(cargo, "whole_if_cached", lambda outgoing, form: None)
    play = Play(threads=HeldThreads())
    play.greet("PIPELINING")
    play.send(letter(tmp_path))
    play.threads.go()
    play.hear(*GO)
    second = play.send(letter(tmp_path, body="8bitmime"))
    play.hear("250 ok")
    play.clock.advance(100_000)
    play.threads.step()
    assert play.said().startswith("MAIL") and not play.wire.aborted
    play.hear(*GO)
    play.clock.advance(100)
    play.threads.go()
    play.clock.advance(599)
    assert not play.wire.aborted
    play.hear("250 ok")
    assert outcome(second) == [DONE]


def goes_behind(play, folder, *octets, **more):
    """Whether such a message goes with the end of the one before, rather than after its answer."""
    play.send(letter(folder))
    play.send(letter(folder, *octets, **more))
    play.said()
    said = play.hear(*GO)
    assert said.startswith(BODY)
    if said == BODY:
        assert "MAIL FROM" in play.hear("250 ok")
    return said != BODY


def test_what_goes_behind(tmp_path):
    """Small messages in a few lines, that need no look; all others just follow."""
    few, many = ([f"k{number}@example.net" for number in range(count)] for count in (FEW, FEW + 1))
    assert goes_behind(ready(), tmp_path)
    assert goes_behind(ready(), tmp_path, to=few)
    assert goes_behind(ready(), tmp_path, LETTER + "Grüße\r\n".encode(), body="8bitmime")
    assert not goes_behind(ready(), tmp_path, to=many)
    assert not goes_behind(ready(), tmp_path, b"x" * 98 + b"\r\n" + LETTER * (SMALL // len(LETTER) + 1))
    assert not goes_behind(ready("PIPELINING"), tmp_path, body="8bitmime")


def test_never_without_pipelining(tmp_path):
    """A server that does not offer it hears of the next message when the last one is answered."""
    play = ready("8BITMIME")
    play.send(letter(tmp_path))
    second = play.send(letter(tmp_path))
    play.said()
    play.hear("250 ok")
    play.hear("250 ok")
    assert play.hear("354 go") == BODY
    assert play.hear("250 ok") == "MAIL FROM:<robin@vm1.example.com>\r\n" and second == []


def test_unfit_behind(tmp_path):
    """Who cannot go there is told so without a word, and the one after goes behind."""
    play = ready()
    play.send(letter(tmp_path))
    unfit = play.send(letter(tmp_path, require_tls=True))
    third = play.send(letter(tmp_path))
    play.said()
    assert play.hear(*GO) == BODY + ENVELOPE
    assert outcome(unfit) == [("failed", "5.7.30")] and third == []


def test_too_many_recipients_with_another_behind(tmp_path):
    """The rest of a message goes after the one that was begun meanwhile."""
    play = ready()
    first = play.send(letter(tmp_path, to=("a@example.net", "b@example.net")))
    second = play.send(letter(tmp_path))
    play.said()
    assert play.hear("250 ok", "250 ok", "452 4.5.3 one at a time", "354 go") == BODY + ENVELOPE
    assert play.hear("250 2.0.0 a", *GO) == BODY
    assert first == []
    assert "RCPT TO:<b@example.net>" in play.hear("250 2.0.0 second")
    assert outcome(second) == [DONE]
    play.hear(*GO)
    play.hear("250 2.0.0 b")
    assert [each.diagnostic for each in first[0].outcomes] == ["250 2.0.0 a", "250 2.0.0 b"]


@pytest.mark.parametrize("refusal", [
    ["550 5.7.1 not you", "503 a", "503 b"], ["250 ok", "550 5.1.1 who", "554 nobody"],
])  # fmt: skip
def test_a_rest_to_do_behind_a_refusal(tmp_path, refusal):
    """What the other message left open is ended by RSET before the rest goes on."""
    play = ready()
    first = play.send(letter(tmp_path, to=("a@example.net", "b@example.net")))
    second = play.send(letter(tmp_path))
    play.hear("250 ok", "250 ok", "452 4.5.3 one at a time", "354 go")
    said = play.hear("250 2.0.0 a", *refusal)
    assert said.startswith("RSET\r\nMAIL") and "RCPT TO:<b@example.net>" in said
    play.hear("250 reset", *GO)
    play.hear("250 2.0.0 b")
    assert outcome(first) == [DONE, DONE] and outcome(second)[0][0] == "failed"


def test_a_rest_that_fits_nowhere(tmp_path):
    """Recipients who turn out not to fit when it is their turn are told so, and nobody waits for them."""
    play = ready("PIPELINING", "LIMITS RCPTMAX=1")
    first = play.send(letter(tmp_path, to=("a@example.net", "é@example.net")))
    second = play.send(letter(tmp_path))
    play.said()
    play.hear(*GO)
    play.hear("250 ok", *GO)
    play.hear("250 ok")
    assert outcome(first) == [DONE, ("failed", "5.6.7")] and outcome(second) == [DONE] and play.turns.at_rest


def test_lost_with_a_rest_to_do(tmp_path):
    """Who was served keeps that; the others wait, and for them it was an attempt."""
    play = ready()
    first = play.send(letter(tmp_path, to=("a@example.net", "b@example.net")))
    second = play.send(letter(tmp_path))
    play.hear("250 ok", "250 ok", "452 4.5.3 one at a time", "354 go")
    play.hear("250 2.0.0 a")
    play.lose()
    assert outcome(first) == [DONE, ("try-again", "4.4.2")] and outcome(second) == UNHEARD
    assert not first[0].hop_down


def test_behind_chunks(tmp_path):
    """The same with BDAT: the envelope behind, and its octets once somebody was accepted."""
    play = ready("PIPELINING", "CHUNKING")
    found = [play.send(letter(tmp_path)) for _ in range(3)]
    envelope = play.said()
    body = f"BDAT {len(LETTER)} LAST\r\n{LETTER.decode()}"
    assert play.hear("250 ok", "250 ok") == body + envelope
    assert play.hear("250 ok", "250 ok", "250 ok") == body + envelope
    assert play.hear("554 5.7.1 spam", "250 ok", "550 5.1.1 who") == ""
    assert [outcome(each) for each in found] == [[DONE], [("failed", "5.7.1")], [("failed", "5.1.1")]]


def test_a_peer_is_sent_two_at_once(tmp_path):
    """A peer has the whole next message behind the one before, and the one after that as soon as it has answered."""
    play = ready_peer()
    found = [play.send(letter(tmp_path, told=TOLD)) for _ in range(4)]
    whole = play.said()
    assert whole.count("MAIL FROM") == 1 and whole.endswith(LETTER.decode())
    behind = "RSET\r\n" + whole
    assert play.hear("250 ok") == behind, "the second goes behind the first"
    assert play.hear("250 ok", "250 2.0.0 one") == behind
    again = ["250 reset", "250 ok", "250 ok"]
    assert play.hear(*again, "250 2.0.0 two", *again, "250 2.0.0 three") == whole
    play.hear("250 ok", "250 ok", "250 2.0.0 four")
    assert [each[0].outcomes[0].diagnostic for each in found] == [
        "250 2.0.0 one", "250 2.0.0 two", "250 2.0.0 three", "250 2.0.0 four",
    ]


def test_a_peer_is_sent_two_in_one_write(tmp_path):
    """If both wait already; and never three, however the answers to the first come."""
    play = ready_peer()
    waiting = [Waiting(letter(tmp_path, told=TOLD)) for _ in range(3)]
    play.turns.waiting.extend(waiting)
    play.conversation.go_on()
    assert play.said().count("BDAT") == 2
    assert play.hear("250 ok") == play.hear("250 ok") == ""
    assert play.hear("250 ok").count("BDAT") == 1
    play.hear(*["250 ok"] * 8)
    assert all(kinds(each.attempt.result) == [DONE] for each in waiting)


def test_a_peer_with_nobody_for_the_first(tmp_path):
    """The first transaction stays open there: RSET keeps the recipients of the second from getting into it."""
    play = ready_peer()
    first, second = [play.send(letter(tmp_path, told=TOLD)) for _ in range(2)]
    play.said()
    assert play.hear("250 ok").startswith("RSET\r\nMAIL")
    assert play.hear("550 5.1.1 who", "503 5.5.1 nobody", "250 reset", "250 ok", "250 ok", "250 2.0.0 taken") == ""
    assert outcome(first) == [("failed", "5.1.1")] and outcome(second) == [DONE]


def test_a_peer_that_is_lost(tmp_path):
    """What it may have already goes again: it knows it by its XID."""
    play = ready_peer()
    first, second = [play.send(letter(tmp_path, told=TOLD)) for _ in range(2)]
    play.hear("250 ok")
    play.lose()
    assert outcome(first) == [("try-again", "4.4.2")] and first[0].sent_dot and outcome(second) == UNHEARD


def test_a_file_that_is_gone_behind(tmp_path):
    """That is raised for its own message only; the one in front has its outcome."""
    play = ready()
    first = play.send(letter(tmp_path))
    outgoing = letter(tmp_path)
    (tmp_path / outgoing.path).unlink()
    second = play.send(outgoing)
    play.said()
    assert play.hear(*GO) == BODY + ENVELOPE
    assert ".\r\n" not in play.hear("250 ok", *GO)
    assert outcome(first) == [DONE] and second[0].check(FileNotFoundError) and play.wire.aborted
