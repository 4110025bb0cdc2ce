"""A transaction as lines and replies, without a network."""

import pytest

from unitymail.mail.reply import Reply
from unitymail.relay.transaction import Awaited, Move, OutOfStep, Transaction

OK = Reply(250, "2.0.0", "fine")
GO = Reply(354, "", "go on")
NO = Reply(550, "5.7.1", "no")
LATER = Reply(451, "4.3.0", "later")
CLOSING = Reply(421, "4.3.2", "closing")
MAIL, RCPTS = b"MAIL FROM:<a@x>", [b"RCPT TO:<b@y>", b"RCPT TO:<c@y>"]


def made(pipelining=True, chunking=False, reset=False):
    return Transaction(MAIL, RCPTS, pipelining=pipelining, chunking=chunking, reset=reset)


def test_pipelined():
    """The whole envelope in one go, and then its replies in order."""
    t = made()
    assert t.lines() == [MAIL, *RCPTS, b"DATA"]
    assert [t.take(each) for each in (OK, OK, NO, GO)] == [Move.WAIT, Move.WAIT, Move.WAIT, Move.BODY]
    t.began_data()
    assert t.awaited is Awaited.END and t.unanswered == 1
    assert t.take(OK) is Move.OVER
    assert t.clean and t.end == OK and t.recipients == [OK, NO]


def test_lock_step():
    """Without PIPELINING one line after the other."""
    t = made(pipelining=False, reset=True)
    said = t.lines()
    for line, reply in zip([MAIL, *RCPTS, b"DATA"], [OK, OK, OK, OK], strict=True):
        assert t.take(reply) is Move.LINE
        assert t.lines() == [line]
        said.append(line)
    assert t.take(GO) is Move.BODY
    assert said == [b"RSET", MAIL, *RCPTS, b"DATA"]


def test_lock_step_stops_early():
    """A refused sender, or nobody accepted, and nothing more is said."""
    t = made(pipelining=False)
    t.lines()
    assert t.take(NO) is Move.OVER
    assert not t.clean
    t = made(pipelining=False)
    for reply in (OK, NO):
        t.lines()
        assert t.take(reply) is Move.LINE
    t.lines()
    assert t.take(NO) is Move.OVER


def test_data_for_nobody():
    """354 though nobody was accepted: the dot alone ends it."""
    t = made()
    t.lines()
    assert [t.take(each) for each in (OK, NO, NO, GO)][-1] is Move.DOT
    t.began_data()
    assert t.take(NO) is Move.OVER


def test_sender_refused_pipelined():
    """All replies are read before anything else is said."""
    t = made()
    t.lines()
    assert [t.take(each) for each in (NO, Reply(503, "", ""), Reply(503, "", ""), Reply(503, "", ""))] == [
        Move.WAIT, Move.WAIT, Move.WAIT, Move.OVER,
    ]
    assert t.mail == NO


def test_chunks():
    """BDAT: no DATA, a reply for each chunk, the last one counts."""
    t = made(chunking=True)
    assert t.lines() == [MAIL, *RCPTS]
    assert [t.take(each) for each in (OK, OK, OK)] == [Move.WAIT, Move.WAIT, Move.BODY]
    t.sent_chunk(last=False)
    t.sent_chunk(last=False)
    assert t.take(OK) is Move.WAIT
    assert t.take(OK) is Move.WAIT
    t.sent_chunk(last=True)
    assert t.take(OK) is Move.OVER
    assert t.clean


def test_a_chunk_is_refused():
    """Then the message is, whatever else is under way."""
    t = made(chunking=True)
    t.lines()
    for reply in (OK, OK, OK):
        t.take(reply)
    t.sent_chunk(last=False)
    t.sent_chunk(last=True)
    assert t.take(NO) is Move.OVER
    assert t.end == NO and t.unanswered == 1 and not t.clean


def test_everything_at_once():
    """A peer hears envelope and body in one write; refused recipients do not shift the replies."""
    t = made(chunking=True)
    t.lines()
    t.sent_chunk(last=True)
    assert [t.take(each) for each in (OK, NO, NO, NO)] == [Move.WAIT, Move.WAIT, Move.WAIT, Move.OVER]
    assert t.end == NO and not t.accepted


@pytest.mark.parametrize("step", range(5))
def test_closing(step):
    """421 at any step ends the transaction, and more than it."""
    t = made()
    t.lines()
    for reply in (OK, OK, OK, GO)[:step]:
        t.take(reply)
    if step == 4:
        t.began_data()
    assert t.take(CLOSING) is Move.OVER
    assert t.closing == CLOSING and not t.clean


def test_what_is_said_of_us():
    """TLS or a sign-in wanted at MAIL says nothing of the message; at RCPT it may."""
    t = made()
    t.lines()
    assert t.take(Reply(530, "5.7.0", "STARTTLS first")) is Move.OVER
    assert t.closing is not None
    t = made()
    t.lines()
    assert [t.take(each) for each in (OK, Reply(530, "5.7.0", "for him, yes"))] == [Move.WAIT, Move.WAIT]


@pytest.mark.parametrize("replies", [
    [GO], [OK, GO], [OK, OK, OK, OK], [OK, OK, OK, Reply(334, "", "")],
])
def test_out_of_step(replies):
    """A reply that fits no command: whoever says it is not believed any more."""
    t = made()
    t.lines()
    with pytest.raises(OutOfStep):
        for reply in replies:
            t.take(reply)


def test_reply_to_nothing():
    """Nor is one that nobody waits for."""
    with pytest.raises(OutOfStep):
        made().take(OK)


def test_reset_refused():
    """A server that cannot even RSET is in an unknown state."""
    t = made(reset=True)
    assert t.lines()[0] == b"RSET"
    with pytest.raises(OutOfStep):
        t.take(LATER)


def test_may_be_accepted():
    """Before the recipients are answered nobody knows; after, only who accepted one may have the message."""
    t = made(chunking=True)
    t.lines()
    t.sent_chunk(last=True)
    assert t.may_be_accepted
    for reply in (OK, NO, NO):
        t.take(reply)
    assert not t.may_be_accepted


def test_data_after_a_refused_sender():
    """354 then belongs to somebody else's message: not even a dot is sent, which would send it off."""
    for refused in (NO, LATER):
        t = made()
        t.lines()
        assert [t.take(each) for each in (refused, NO, NO)] == [Move.WAIT] * 3
        with pytest.raises(OutOfStep):
            t.take(GO)
