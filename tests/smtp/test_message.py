"""MAIL, RCPT, DATA and RSET beyond what the transcripts show: what the envelope becomes, and what a surprise leaves."""

from tests.fakes import HeldThreads
from tests.smtp.conversation import Conversation, FakeSpool, codes


def test_postmaster_alone_is_ours():
    """RFC 5321 4.5.1: the address that is kept has our domain, so that nobody must guess it later."""
    c = Conversation().greeted()
    assert c.letter("postmaster")[-1] == "250 2.0.0"
    assert [each.address for each in c.spool.committed[0].envelope.recipients] == ["postmaster@vm1.example.com"]


def test_a_surprise_ends_the_transaction():
    """What nobody expected at RCPT is 451, and the message that is pipelined behind it goes to nobody."""
    c = Conversation().greeted()
    c.say("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>")
    find, c.book.find = c.book.find, lambda address: 1 / 0
    said = c.codes("RCPT TO:<terry@vm1.example.com>", "DATA")
    c.book.find = find
    assert said == ["451 4.3.0", "503 5.5.1"]
    assert c.letter("chris@vm1.example.com")[-1] == "250 2.0.0"
    assert [line.args[0] for line in c.journal.named("transaction")] == ["abandoned", "accepted"]


def test_a_large_file_is_given_back_beside_the_reactor():
    """A hundred megabytes that are refused at their end hold nobody up; a message in memory needs no thread."""
    for memory_limit, waiting in ((0, 1), (65_536, 0)):
        threads = HeldThreads()
        c = Conversation(threads=threads, spool=FakeSpool(memory_limit=memory_limit)).greeted()
        c.say("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>", "DATA")
        c.send(b"Subject: large\r\n")
        assert codes(c.send(b"\0\r\n.\r\n")) == ["554 5.6.0"]
        assert (len(threads.waiting), len(c.spool.held)) == (waiting, waiting)
        threads.go()
        assert not c.spool.held
