"""Class: SMTP smuggling, inbound. Whatever a body holds in place of CRLF.CRLF: one message or a refusal, no commands.

Known examples: CVE-2023-51764 (Postfix), CVE-2023-51765 (Sendmail), CVE-2023-51766 (Exim), CVE-2023-51747 (James),
CVE-2024-27305 (aiosmtpd). A message that an old sender is forgiven (`legacy`) has its line ends put right once, and
must not become two on its further way.
"""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.smtp.conversation import LETTER, Conversation, codes
from unitymail.people.access import AccessRule
from unitymail.relay.stuffing import DottedLines
from unitymail.smtp.framing import Framer

ENVELOPE = b"MAIL FROM:<robin@vm1.example.com>\r\nRCPT TO:<chris@vm1.example.com>\r\n"
EVIL = (
    b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<chris@vm1.example.com>\r\nDATA\r\n"
    b"From: evil@example.net\r\n\r\nevil\r\n"
)
ENDS = [
    b"\n", b"\r", b"\r\n", b"\n\r", b"\r\r\n", b"\r\n\r", b"\0\r\n", b"\r\0\n", b"\n\0", b"\x0b", b"\x0c", b"\x85", b"",
]
DOTS = [b".", b"..", b".\0", b"\0.", b". ", b" .", b".\t", b"\xe2\x80\xa4"]
REAL = re.compile(rb"\r\n\.\r\n")
LIKE_ENDS = sorted({before + dot + after for before, dot, after in itertools.product(ENDS, DOTS, ENDS)})
"""Everything that some server, somewhere, might take for the end of a message; the real one is among them."""
FALSE = [end for end in LIKE_ENDS if not REAL.search(end)]
CLASSIC = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r\n\0.\r\n", b"\r\n.\0\r\n"]
LEGACY = (AccessRule("192.0.2.0/24", allow=True, legacy=True),)
STRICT = (AccessRule("192.0.2.0/24", allow=True),)


def accepts(access):
    return Conversation(access=access).greeted()


def again(c):
    c.hang_up()
    c.connect().greeted()


def reads_as_one(octets):
    """What is kept goes out as one message again, to servers that are strict and to such as take any line end."""
    wire = DottedLines()
    sent = wire.block(octets) + wire.end()
    strict = Framer()
    strict.feed(sent + b"RSET\r\n")
    strict.begin_data()
    assert strict.data()[1] and len(strict) == len(b"RSET\r\n")
    lax = re.split(rb"(?:\r\n|\r|\n)\.(?:\r\n|\r|\n)", sent)
    assert len(lax) == 2 and lax[1] == b""


@pytest.mark.parametrize("access", [STRICT, LEGACY], ids=["strict", "legacy"])
def test_what_is_like_an_end_is_none(access):
    """Each false end, and a whole transaction behind it: one answer, and what is kept holds all of it as text."""
    c = accepts(access)
    for end in FALSE:
        assert c.codes(*ENVELOPE.splitlines(), "DATA")[-1] == "354", end
        said = codes(c.send(LETTER + b"text" + end + EVIL + b".\r\n"))
        assert len(said) == 1 and said[0] in ("250 2.0.0", "550 5.6.0", "554 5.6.0"), (end, said)
        if said == ["250 2.0.0"]:
            kept = c.spool.committed.pop()
            assert kept.octets.endswith(EVIL) and not c.spool.committed, end
            reads_as_one(kept.octets)
        assert not c.spool.committed and not c.spool.held
        again(c)


@pytest.mark.parametrize("access", [STRICT, LEGACY], ids=["strict", "legacy"])
def test_at_every_split(access):
    """The classic false ends, cut by the network at every place, and octet by octet: the same."""
    for end in CLASSIC:
        octets = b"text" + end + EVIL[:40] + b"\r\n.\r\n"
        cuts = [[octets[:at], octets[at:]] for at in range(len(octets) + 1)]
        cuts.append([octets[n : n + 1] for n in range(len(octets))])
        answers = set()
        for pieces in cuts:
            c = accepts(access)
            c.send(ENVELOPE + b"DATA\r\n" + LETTER)
            said = codes("".join(c.send(piece) for piece in pieces))
            kept = tuple(message.octets for message in c.spool.committed)
            answers.add((tuple(said), kept))
        assert len(answers) == 1, (end, answers)
        [(said, kept)] = answers
        assert len(said) == 1 and len(kept) == (said == ("250 2.0.0",)), (end, said)


LAX = [b"\r\r\n.\r\n", b"\n\r\n.\r\n", b"x\r\r\n.\r\n", b"\r\n\r\r\n.\r\n"]
"""Ends that are real, and that a lax relay lets through within its text."""


@pytest.mark.parametrize("end", LAX)
@pytest.mark.parametrize("later", [False, True], ids=["one segment", "two segments"])
def test_a_real_end_within_a_lax_relays_text(end, later):
    """What follows without waiting for our answer is not believed: 550, 421, and nothing that it says is done."""
    c = accepts(STRICT)
    c.send(ENVELOPE + b"DATA\r\n" + LETTER)
    if later:
        c.session.dataReceived(b"text" + end)
        c.session.dataReceived(EVIL + b".\r\n")
        c.clock.advance(2)
        said = c.heard()
    else:
        said = c.send(b"text" + end + EVIL + b".\r\n")
    assert codes(said) == ["550 5.6.0", "421 4.7.0"]
    assert c.wire.disconnecting and not c.spool.committed and not c.spool.held


def test_who_waits_for_the_refusal_goes_on():
    """A client with one bad message, which waits for our answer as clients do, sends the next one."""
    c = accepts(STRICT)
    assert c.letter("chris@vm1.example.com", octets=LETTER + b"bare\nline feed\r\n")[-1] == "550 5.6.0"
    assert c.letter("chris@vm1.example.com")[-1] == "250 2.0.0"


@pytest.mark.parametrize("access", [STRICT, LEGACY], ids=["strict", "legacy"])
def test_chunks_hold_no_commands(access):
    """BDAT counts: every end, real or false, within a chunk or cut by two, is text or a flaw."""
    c = accepts(access)
    for end in (end for end in LIKE_ENDS if end.strip(b"\r\n") in (b".", b"..", b".\0")):
        body = LETTER + b"text" + end + EVIL
        for at in {len(LETTER) + 4 + n for n in range(len(end) + 1)}:
            first, last = body[:at], body[at:]
            wire = b"BDAT %d\r\n%bBDAT %d LAST\r\n%b" % (len(first), first, len(last), last)
            said = codes(c.send(ENVELOPE + wire))
            assert said[:2] == ["250 2.1.0", "250 2.1.5"] and len(said) == 4
            assert {*said[2:]} <= {"250 2.0.0", "550 5.6.0", "554 5.6.0", "503 5.5.1"}, (end, at, said)
            for kept in c.spool.committed:
                assert kept.octets.count(b"evil@example.net") == 2
                reads_as_one(kept.octets)
            assert len(c.spool.committed) == (said[3] == "250 2.0.0"), (end, said)
            c.spool.committed.clear()
            again(c)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"x", b"MAIL", b"\n.\n"]), max_size=30).map(b"".join),
    st.lists(st.integers(0, 200), max_size=12),
)
def test_any_body_of_an_old_sender(body, places):
    """Whatever its line ends: what is kept is lines of CRLF only, goes out as one message, and comes in as it was."""
    body = b"x" + body + b"\r\n.\r\n"
    body = body[: REAL.search(body).end()]
    c = accepts(LEGACY)
    c.send(ENVELOPE + b"DATA\r\n" + LETTER[:-2])
    edges = sorted({0, len(body), *(place % (len(body) + 1) for place in places)})
    said = codes("".join(c.send(body[a:b]) for a, b in itertools.pairwise(edges)))
    assert said == ["250 2.0.0"]
    [kept] = c.spool.committed
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", kept.octets)
    reads_as_one(kept.octets)
