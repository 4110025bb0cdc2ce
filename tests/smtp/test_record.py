"""A journal line per transaction: what was asked, what came of it and how long it took, however it ended."""

import pytest

from tests.fakes import CHRIS, ROBIN
from tests.smtp.conversation import LETTER, Conversation
from unitymail.interfaces.errors import DISK_FULL, SHUTTING_DOWN, TryAgain
from unitymail.smtp import replies
from unitymail.smtp.record import NAMED


def ended(c):
    """The transactions that ended so far: (outcome, facts)."""
    return [(e.args[0], {k: v for k, v in vars(e).items() if k not in ("event", "args")})
            for e in c.journal.named("transaction")]


def test_an_accepted_message():
    """Who, from where, for whom, what it was, and the reply that the client got."""
    c = Conversation().greeted()
    c.codes("MAIL FROM:<robin@vm1.example.com>")
    c.clock.advance(2.5)
    c.codes(f"RCPT TO:<{CHRIS.address}>", f"RCPT TO:<{ROBIN.address}>", "RCPT TO:<nonsense", "DATA")
    c.send(LETTER + b".\r\n")
    [(outcome, facts)] = ended(c)
    reply = facts.pop("reply")
    assert (outcome, reply.code, reply.enhanced) == ("accepted", 250, "2.0.0")
    assert facts == {
        "door": "mta", "client": "192.0.2.7", "session": c.journal.named("connected")[0].args[2],
        "helo": "client.example", "tls": "", "user": "", "sender": ROBIN.address, "recipients": 2, "refused": 1,
        "to": (CHRIS.address, ROBIN.address), "size": len(LETTER), "seconds": 2.5,
        "trace": c.journal.named("received")[0].args[0], "message_id": "", "category": "email", "rule": "R7",
    }


def test_many_recipients():
    """The line names the first few and counts all."""
    c = Conversation().greeted()
    c.letter(*[f"chris+{n}@vm1.example.com" for n in range(NAMED + 3)])
    [(_, facts)] = ended(c)
    assert (facts["recipients"], len(facts["to"])) == (NAMED + 3, NAMED)


def test_a_refused_message():
    """What is wrong with the message itself is told with its reply; nothing is said of its content."""
    c = Conversation().greeted()
    c.letter(CHRIS.address, octets=b"Subject: a\nb\r\n\r\n")
    [(outcome, facts)] = ended(c)
    assert (outcome, facts["reply"].code, "message_id" in facts) == ("refused", 550, False)
    assert facts["trace"] == c.journal.named("refused")[0].args[5]


def test_a_disk_that_is_full():
    """A message that could not be kept was refused for now."""
    c = Conversation().greeted()
    c.spool.commit_error = TryAgain(DISK_FULL)
    c.letter(CHRIS.address)
    [(outcome, facts)] = ended(c)
    assert (outcome, facts["reply"].code) == ("refused", 452)


def test_a_surprise():
    """What nobody expected is 451 in the line too."""
    c = Conversation().greeted()
    c.spool.commit_error = ValueError("surprise")
    c.letter(CHRIS.address)
    [(outcome, facts)] = ended(c)
    assert (outcome, facts["reply"].code) == ("refused", 451)


@pytest.mark.parametrize(("end", "why"), [
    (lambda c: c.codes("RSET"), "RSET"),
    (lambda c: c.codes("EHLO again.example"), "hello again"),
    (lambda c: c.codes("QUIT"), "QUIT"),
    (lambda c: c.hang_up(), "the connection ended"),
    (lambda c: c.session.drain(), SHUTTING_DOWN.text),
    (lambda c: c.clock.pump([60] * 40), replies.IDLE_TOO_LONG.text),
    (lambda c: c.say(*["NONSENSE"] * 20), replies.TOO_MANY_ERRORS.text),
    (lambda c: c.say("x" * 200_000), replies.TALKED_TOO_LONG.text),
])
def test_an_abandoned_transaction(end, why):
    """However a client leaves one, its end is told once, with no reply."""
    c = Conversation().greeted()
    c.codes("MAIL FROM:<robin@vm1.example.com>", f"RCPT TO:<{CHRIS.address}>")
    end(c)
    [(outcome, facts)] = ended(c)
    assert (outcome, facts["reply"], facts["why"], facts["to"]) == ("abandoned", None, why, (CHRIS.address,))
    c.hang_up()
    assert len(ended(c)) == 1


def test_what_does_not_end_one():
    """A second MAIL, a bad hello, a second AUTH and a refused DATA are told as refusals; the transaction goes on."""
    c = Conversation().greeted()
    c.codes("MAIL FROM:<robin@vm1.example.com>", "MAIL FROM:<robin@vm1.example.com>", "EHLO", "AUTH PLAIN AA==", "DATA")
    assert ended(c) == []
    assert len(c.journal.named("refused")) == 4
    c.letter(CHRIS.address)
    c.codes(f"RCPT TO:<{CHRIS.address}>", "DATA")
    c.send(LETTER + b".\r\n")
    assert [outcome for outcome, _ in ended(c)] == ["accepted"]


def test_starttls_ends_one():
    """RFC 3207 4.2: what was said before is void."""
    c = Conversation(tls=True).greeted()
    c.codes("MAIL FROM:<robin@vm1.example.com>", f"RCPT TO:<{CHRIS.address}>", "STARTTLS")
    [(outcome, facts)] = ended(c)
    assert (outcome, facts["reply"], facts["why"], facts["tls"]) == ("abandoned", None, "STARTTLS", "")


def test_left_in_the_middle_of_a_message():
    """How much of it had come is told."""
    c = Conversation().greeted()
    c.codes("MAIL FROM:<robin@vm1.example.com>", f"RCPT TO:<{CHRIS.address}>", "DATA")
    c.send(LETTER)
    c.hang_up()
    [(outcome, facts)] = ended(c)
    assert outcome == "abandoned"
    assert len(LETTER) - 4 <= facts["size"] <= len(LETTER)
    assert facts["trace"]


def test_no_transaction_no_line():
    """A MAIL that was refused began none; its refusal has a line of its own."""
    c = Conversation().greeted()
    c.codes("MAIL FROM:<nonsense", "RSET", "NOOP", "QUIT")
    assert ended(c) == []
    assert len(c.journal.named("refused")) == 1


def chunked(c, *chunks):
    """MAIL, RCPT, and each (octets, whether it is the last) by BDAT."""
    c.codes("MAIL FROM:<robin@vm1.example.com>", f"RCPT TO:<{CHRIS.address}>")
    for octets, last in chunks:
        c.send(b"BDAT %d%b\r\n%b" % (len(octets), b" LAST" if last else b"", octets))


def test_a_message_in_chunks():
    """It is one transaction, told once its last chunk is answered, with the octets of all."""
    c = Conversation().greeted()
    chunked(c, (LETTER[:40], False), (LETTER[40:], True))
    [(outcome, facts)] = ended(c)
    assert (outcome, facts["reply"].code, facts["size"]) == ("accepted", 250, len(LETTER))


def test_a_chunk_that_is_refused():
    """It ends the transaction, which is told once, however many chunks come behind it; its story is in the history."""
    c = Conversation().greeted()
    chunked(c, (b"Subject: a\nb\r\n", False), (b"more\r\n", False), (b"", True))
    [(outcome, facts)] = ended(c)
    assert (outcome, facts["reply"].code, "why" in facts) == ("refused", 550, False)
    [refused] = c.journal.named("refused")
    assert (refused.args[3], refused.args[5]) == ("BDAT", facts["trace"])
    assert [each.address for each in refused.args[6].recipients] == [CHRIS.address]


def test_a_chunk_that_nobody_can_keep():
    """For want of recipients, or of room: the line has the reply, and is alone."""
    for full in (False, True):
        c = Conversation().greeted()
        c.codes("MAIL FROM:<robin@vm1.example.com>", *[f"RCPT TO:<{CHRIS.address}>"] * full)
        c.spool.receive_error = TryAgain(DISK_FULL) if full else None
        c.send(b"BDAT 3\r\nabcBDAT 3 LAST\r\nabc")
        [(outcome, facts)] = ended(c)
        assert (outcome, facts["reply"].code, facts["trace"]) == ("refused", 452 if full else 554, "")
        assert c.journal.named("refused") == []
        assert c.codes("RSET", "MAIL FROM:<robin@vm1.example.com>") == ["250 2.0.0", "250 2.1.0"]


def test_chunks_that_end_in_the_middle():
    """A client that leaves between two chunks, or resets, abandons what came so far."""
    c = Conversation().greeted()
    chunked(c, (LETTER, False))
    c.codes("RSET")
    [(outcome, facts)] = ended(c)
    assert (outcome, facts["why"], facts["size"]) == ("abandoned", "RSET", len(LETTER))
