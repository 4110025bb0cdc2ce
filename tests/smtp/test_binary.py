"""A BINARYMIME message comes in as it is, and is kept as text that means the same."""

import base64

import pytest

from tests.fakes import HeldThreads
from tests.smtp.conversation import LETTER, Conversation, FakeSpool, codes
from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.people.access import AccessRule

HEAD = b"From: robin@vm1.example.com\r\nTo: chris@vm1.example.com\r\nSubject: Picture\r\nMIME-Version: 1.0\r\n"
OCTETS = bytes(range(256)) * 3
PICTURE = HEAD + b"Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n" + OCTETS
SIGNED = (
    HEAD + b"Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\r\n"
    b"--s\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--s--\r\n"
)


def begun(**options):
    c = Conversation(**options).greeted()
    c.say("MAIL FROM:<robin@vm1.example.com> BODY=BINARYMIME", "RCPT TO:<chris@vm1.example.com>")
    return c


def sent(c, octets):
    return codes(c.send(b"BDAT %d LAST\r\n%b" % (len(octets), octets)))


def test_a_picture():
    """Octets become base64 once, at the door; the envelope says 7bit, the trace says why."""
    c = begun()
    assert sent(c, PICTURE) == ["250 2.0.0"]
    [kept] = c.spool.committed
    coded = base64.encodebytes(OCTETS).replace(b"\n", b"\r\n")
    assert kept.octets == PICTURE.replace(b"Encoding: binary", b"Encoding: base64").removesuffix(OCTETS) + coded
    assert kept.envelope.body == "7bit"
    assert kept.trace == c.journal.named("recoded")[0].args[0] == c.journal.named("received")[0].args[0]
    assert not c.spool.held


def test_text_stays_text():
    """What was only declared binary is kept as it came, with its last line ended."""
    c = begun()
    assert sent(c, LETTER + b"last") == ["250 2.0.0"]
    assert (c.spool.committed[0].octets, c.spool.committed[0].envelope.body) == (LETTER + b"last\r\n", "7bit")
    c = begun()
    assert sent(c, LETTER + "Grüße\r\n".encode()) == ["250 2.0.0"]
    assert c.spool.committed[0].envelope.body == "8bitmime"


def test_in_chunks():
    """Where it is cut means nothing, and no line end is added between."""
    c = begun()
    for at in range(0, len(PICTURE), 100):
        piece = PICTURE[at : at + 100]
        assert codes(c.send(b"BDAT %d\r\n%b" % (len(piece), piece))) == ["250 2.0.0"]
    assert sent(c, b"") == ["250 2.0.0"]
    whole = begun()
    sent(whole, PICTURE)
    assert c.spool.committed[0].octets == whole.spool.committed[0].octets


def test_an_empty_message():
    """No octets, binary ones or others, are an empty message."""
    c = begun()
    assert sent(c, b"") == ["250 2.0.0"]
    assert c.spool.committed[0].octets == b""


@pytest.mark.parametrize(("octets", "code"), [
    (b"Subject: a\0b\r\n\r\n", "554 5.6.0"), (b"Subject: a\nb: c\r\n\r\n", "554 5.6.0"), (SIGNED, "554 5.6.3"),
])  # fmt: skip
@pytest.mark.parametrize("legacy", [False, True])
def test_what_no_encoding_can_hide(octets, code, legacy):
    """It is refused with the reason, and nothing of it stays; the session goes on."""
    c = begun(access=(AccessRule("192.0.2.7", allow=True, legacy=legacy),))
    assert sent(c, octets) == [code]
    assert not c.spool.held and not c.spool.committed
    assert c.letter("chris@vm1.example.com")[-1] == "250 2.0.0"


def test_in_a_thread():
    """Encoding takes no turn of the reactor, and what is pipelined behind waits."""
    threads = HeldThreads()
    c = begun(threads=threads, spool=FakeSpool(memory_limit=0))
    assert sent(c, PICTURE) == []
    assert c.send(b"NOOP\r\n") == "" and len(threads.waiting) == 1
    threads.go()
    assert codes(c.heard()) == ["250 2.0.0", "250 2.0.0"]


@pytest.mark.parametrize("when", ["receive_error", "write_error"])
def test_a_disk_that_fills_up(when):
    """No room for the encoded form: a clear temporary reply, and neither form stays."""
    threads = HeldThreads()
    c = begun(threads=threads)
    sent(c, PICTURE)
    setattr(c.spool, when, TryAgain(DISK_FULL))
    threads.go()
    assert codes(c.heard()) == ["452 4.3.1"]
    assert not c.spool.held and not c.spool.committed


def test_a_surprise_while_encoding():
    """What nobody expected is 451, and neither form stays."""
    threads = HeldThreads()
    c = begun(threads=threads)
    sent(c, PICTURE)
    c.spool.write_error = ZeroDivisionError("boom")
    threads.go()
    assert codes(c.heard()) == ["451 4.3.0"]
    assert not c.spool.held and not c.spool.committed


def test_a_connection_lost_while_encoding():
    """The message is whole: it is kept, whether or not the client waits (RFC 1047)."""
    threads = HeldThreads()
    c = begun(threads=threads)
    sent(c, PICTURE)
    c.hang_up()
    threads.go()
    assert len(c.spool.committed) == 1 and not c.spool.held


def test_long_lines_are_noted():
    """A message with long lines is kept as it is, and its trace says so; others have no such note."""
    c = Conversation().greeted()
    c.letter("chris@vm1.example.com", octets=LETTER + b"x" * 998 + b"\r\n")
    assert not c.journal.named("long_lines")
    c.letter("chris@vm1.example.com", octets=LETTER + b"x" * 999 + b"\r\n")
    assert c.journal.named("long_lines")[0].args == (c.spool.committed[1].trace,)
