"""A message that comes by BDAT: in whatever chunks, it is the same message, and nothing in it is ever a command."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.conversation import LETTER, Conversation, codes
from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.people.access import AccessRule
from unitymail.settings.site import SiteSettings

SENDER = "MAIL FROM:<robin@vm1.example.com>"
RECIPIENT = "RCPT TO:<chris@vm1.example.com>"
LEGACY = (AccessRule("192.0.2.7", allow=True, legacy=True),)


def begun(*more, sender=SENDER, **options):
    """A client whose envelope is taken."""
    c = Conversation(**options).greeted()
    assert c.codes(sender, RECIPIENT, *more)[:2] == ["250 2.1.0", "250 2.1.5"]
    return c


def bdat(octets, *, last=False):
    return b"BDAT %d%b\r\n%b" % (len(octets), b" LAST" if last else b"", octets)


def test_one_chunk():
    """The usual message: one BDAT with all of it."""
    c = begun()
    said = c.send(bdat(LETTER, last=True))
    [kept] = c.spool.committed
    assert said == f"250 2.0.0 Accepted; trace {kept.trace}\r\n"
    assert kept.octets == LETTER and kept.envelope.body == "7bit"


def test_each_chunk_is_answered_with_its_octets():
    """Without pipelining a client learns of each chunk that it came through."""
    c = begun()
    assert c.send(bdat(LETTER[:20])) == "250 2.0.0 20 octets received\r\n"
    assert c.send(bdat(LETTER[20:50])) == "250 2.0.0 30 octets received\r\n"
    assert codes(c.send(bdat(LETTER[50:], last=True))) == ["250 2.0.0"]
    assert c.spool.committed[0].octets == LETTER


def test_the_last_chunk_may_be_empty():
    """BDAT 0 LAST ends what went before; so does BDAT 0 alone nothing."""
    c = begun()
    assert codes(c.send(bdat(LETTER) + bdat(b"") + bdat(b"", last=True))) == ["250 2.0.0"] * 3
    assert c.spool.committed[0].octets == LETTER


def test_a_message_without_octets():
    """As with DATA, an empty message is one."""
    c = begun()
    assert codes(c.send(b"BDAT 0 LAST\r\n")) == ["250 2.0.0"]
    assert c.spool.committed[0].octets == b""


def test_all_in_one_segment():
    """Envelope, chunks and QUIT pipelined: replies in order, in one write."""
    c = Conversation().greeted()
    c.wire.writes = 0
    group = f"{SENDER}\r\n{RECIPIENT}\r\n".encode()
    said = c.send(group + bdat(LETTER[:9]) + bdat(LETTER[9:], last=True) + group + b"QUIT\r\n")
    assert codes(said) == ["250 2.1.0", "250 2.1.5", "250 2.0.0", "250 2.0.0", "250 2.1.0", "250 2.1.5", "221 2.0.0"]
    assert c.wire.writes == 1


def test_what_is_behind_the_last_chunk_waits_for_the_commit():
    """250 only once the message is durable, and nothing behind it before."""
    c = begun()
    c.spool.hold = True
    assert c.send(bdat(LETTER, last=True) + b"NOOP\r\n") == ""
    c.spool.release()
    assert codes(c.heard()) == ["250 2.0.0", "250 2.0.0"]


def test_a_dot_is_a_dot():
    """Nothing is removed from lines with dots, and a lone dot ends nothing."""
    c = begun()
    octets = LETTER + b".\r\n..\r\n.x\r\n\r\n.\r\nQUIT\r\n"
    assert codes(c.send(bdat(octets, last=True))) == ["250 2.0.0"]
    assert c.spool.committed[0].octets == octets


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\n\r\n"])
def test_the_last_line_gets_its_end(end):
    """What does not end with CRLF does so when it is kept: others will read it line by line."""
    c = begun()
    c.send(bdat(LETTER + b"last" + end, last=True))
    assert c.spool.committed[0].octets == LETTER + b"last" + (end or b"\r\n")


def test_a_line_end_on_the_cut():
    """A CR at the end of one chunk and its LF at the beginning of the next are a line end."""
    c = begun()
    assert codes(c.send(bdat(LETTER + b"a\r") + bdat(b"\nb\r") + bdat(b"\n", last=True))) == ["250 2.0.0"] * 3
    assert c.spool.committed[0].octets == LETTER + b"a\r\nb\r\n"


@pytest.mark.parametrize(("octets", "code"), [
    (b"a\nb\r\n", "550 5.6.0"), (b"a\rb\r\n", "550 5.6.0"), (b"a\r", "550 5.6.0"), (b"a\n", "550 5.6.0"),
    (b"\0\r\n", "554 5.6.0"),
])  # fmt: skip
def test_flaws_are_refused_as_in_data(octets, code):
    """A bare CR or LF, or a NUL, in whatever chunk: refused, and nothing stays."""
    c = begun()
    assert codes(c.send(bdat(LETTER + octets, last=True) + b"NOOP\r\n")) == [code, "250 2.0.0"]
    c.say("RSET", SENDER, RECIPIENT)
    said = codes(c.send(bdat(LETTER) + bdat(octets) + bdat(b"", last=True)))
    assert said[0] == "250 2.0.0" and code in said[1:]
    assert not c.spool.committed and not c.spool.held


def test_legacy_senders_are_forgiven():
    """Where the access list says so, bare line ends become CRLF, on a cut too, and the last line has one end."""
    c = begun(access=LEGACY)
    assert codes(c.send(bdat(LETTER + b"a\nb\r") + bdat(b"c\r") + bdat(b"\nd\r", last=True))) == ["250 2.0.0"] * 3
    assert c.spool.committed[0].octets == LETTER + b"a\r\nb\r\nc\r\nd\r\n"
    assert c.journal.named("mended")
    c.say("RSET", SENDER, RECIPIENT)
    assert codes(c.send(bdat(LETTER + b"\0", last=True))) == ["554 5.6.0"]


def test_behind_a_refused_chunk():
    """The chunks that were on their way are passed over, each with 503; then MAIL begins again."""
    c = begun(site=SiteSettings(smtp_max_message_kib=1))
    commands = b"MAIL FROM:<evil@example.com>\r\nRCPT TO:<chris@vm1.example.com>\r\n"
    said = codes(c.send(bdat(LETTER) + bdat(b"x" * 2_000 + commands) + bdat(commands) * 12 + bdat(commands, last=True)))
    assert said == ["250 2.0.0", "552 5.3.4"] + ["503 5.5.1"] * 13
    assert not c.spool.held
    assert c.codes(RECIPIENT, SENDER, RECIPIENT) == ["503 5.5.1", "250 2.1.0", "250 2.1.5"]
    assert codes(c.send(bdat(LETTER, last=True))) == ["250 2.0.0"]
    assert c.spool.committed[0].octets == LETTER


def test_behind_the_last_chunk_bdat_is_a_mistake():
    """RFC 3030 2: after LAST there is nothing to add, and whoever goes on so is sent away."""
    c = begun()
    c.send(bdat(LETTER, last=True))
    assert codes(c.send(bdat(b"more\r\n") * 12)) == ["503 5.5.1"] * 10 + ["421 4.7.0"]


def test_behind_a_last_chunk_that_was_refused():
    """Nothing of that message can be on its way any more: what comes is a mistake, and counts as one."""
    c = begun()
    said = codes(c.send(bdat(b"\0", last=True) + bdat(b"more\r\n") * 12))
    assert said == ["554 5.6.0"] + ["503 5.5.1"] * 10 + ["421 4.7.0"]


def test_behind_a_refused_envelope():
    """MAIL refused, no recipient left: the octets are passed over, not taken for commands."""
    c = Conversation().greeted()
    commands = b"MAIL FROM:<>\r\nQUIT\r\n"
    group = b"MAIL FROM:<a@b@c>\r\nRCPT TO:<chris@vm1.example.com>\r\n" + bdat(commands) + bdat(commands, last=True)
    assert codes(c.send(group)) == ["553 5.1.7", "503 5.5.1", "503 5.5.1", "503 5.5.1"]
    group = b"MAIL FROM:<>\r\n" + bdat(commands) + b"RCPT TO:<chris@vm1.example.com>\r\n" + bdat(commands, last=True)
    assert codes(c.send(group)) == ["250 2.1.0", "554 5.5.1", "503 5.5.1", "503 5.5.1"]
    assert not c.spool.committed and not c.wire.disconnecting


def test_a_recipient_too_late():
    """Once octets have come nobody joins: half a message would be taken for whole."""
    c = begun()
    said = codes(c.send(bdat(LETTER) + b"RCPT TO:<terry@vm1.example.com>\r\n" + bdat(b"", last=True)))
    assert said == ["250 2.0.0", "503 5.5.1", "250 2.0.0"]
    assert len(c.spool.committed[0].envelope.recipients) == 1


def test_data_and_bdat_do_not_mix():
    """DATA within chunks is refused, and the chunks go on."""
    c = begun()
    assert codes(c.send(bdat(LETTER) + b"DATA\r\n" + bdat(b"", last=True))) == ["250 2.0.0", "503 5.5.1", "250 2.0.0"]
    assert c.letter("chris@vm1.example.com")[-1] == "250 2.0.0"


def test_rset_within():
    """RSET forgets the chunks so far; the next message has none of them."""
    c = begun()
    assert codes(c.send(bdat(b"forget me\r\n") + b"RSET\r\n")) == ["250 2.0.0", "250 2.0.0"]
    assert not c.spool.held
    c.say(SENDER, RECIPIENT)
    c.send(bdat(LETTER, last=True))
    assert c.spool.committed[0].octets == LETTER


@pytest.mark.parametrize(("line", "code"), [
    ("EHLO again.example", "250"), ("QUIT", "221 2.0.0"), ("STARTTLS", "220 2.0.0"), ("NOOP", "250 2.0.0"),
    ("AUTH PLAIN AHJvYmluAHNlY3JldA==", "503 5.5.1"), (SENDER, "503 5.5.1"), ("VRFY robin", "252 2.0.0"),
])  # fmt: skip
def test_other_commands_between_chunks(line, code):
    """What ends a transaction ends the chunks too; what does not leaves them as they are."""
    site = SiteSettings(smtp_auth_without_tls=True)
    c = begun(tls=object(), site=site)
    assert codes(c.send(bdat(LETTER) + line.encode() + b"\r\n"))[1:] == [code]
    ends = code[:3] in ("221", "220") or code == "250"
    assert bool(c.spool.held) is not ends
    if not ends:
        assert codes(c.send(bdat(b"", last=True))) == ["250 2.0.0"]
        assert c.spool.committed[0].octets == LETTER


@pytest.mark.parametrize("argument", [
    "", "LAST", "x", "-1", "+5", "1.5", "5\tLAST", "1 FIRST", "1 LAST LAST", "0x10", "1LAST", "٣", "9" * 30,
    "1" * 21, "5\x01", "0" * 3_000 + "5",
])  # fmt: skip
def test_a_chunk_of_unknown_size(argument):
    """Nobody knows how many octets follow: the connection ends before one of them is taken for a command."""
    for before in (b"BDAT ", b"  bdat ", "\u3000BDAT ".encode()):
        c = begun()
        said = codes(c.send(before + argument.encode() + b"\r\nMAIL FROM:<evil@example.com>\r\n"))
        assert len(said) == 2 and said[0] in ("501 5.5.4", "500 5.5.2") and said[1] == "421 4.7.0"
        assert c.wire.disconnecting and not c.spool.held


@pytest.mark.parametrize("line", [b"BDAT %d LAST", b"BDAT 00000%d LAST", b" bdat   %d   last  "])
def test_forms_of_a_size(line):
    """Zeros before it, spaces around it and small letters change nothing; what is behind it is a command again."""
    c = begun()
    said = codes(c.send(line % len(LETTER) + b"\r\n" + LETTER + b"GARBAGE\r\nNOOP\r\n"))
    assert said == ["250 2.0.0", "500 5.5.1", "250 2.0.0"]
    assert c.spool.committed[0].octets == LETTER


def test_a_chunk_that_nobody_waits_for():
    """An absurd size is answered at once, and so is the connection's end."""
    c = begun()
    assert codes(c.send(b"BDAT 99999999999999999999 LAST\r\n")) == ["552 5.3.4", "421 4.7.0"]
    assert c.wire.disconnecting


def test_a_chunk_over_the_limit_is_never_kept():
    """It is passed over to its end, of which nothing was written; the connection goes on."""
    c = begun(site=SiteSettings(smtp_max_message_kib=1))
    c.send(b"BDAT 5000000 LAST\r\n")
    assert not c.spool.held
    for _ in range(50):
        assert c.send(b"MAIL FROM:<>\r\n" * 7_142 + b"x" * 12) == "" or _ == 49
        assert len(c.session._order.framer) == 0
    assert c.codes("NOOP") == ["250 2.0.0"]
    assert c.journal.named("refused")[-1].args[3:5][0] == "BDAT"


def test_a_chunk_that_makes_it_too_large_is_not_kept_either():
    """What came before is given up as soon as the client says how much is to follow."""
    c = begun(site=SiteSettings(smtp_max_message_kib=1))
    c.send(bdat(b"x" * 1_000))
    assert c.spool.held
    c.send(b"BDAT 25 LAST\r\n")
    assert not c.spool.held
    assert codes(c.send(b"x" * 25)) == ["552 5.3.4"]


def test_the_limit_is_exact():
    """A message of the largest size is taken, in chunks too; one octet more is not."""
    site = SiteSettings(smtp_max_message_kib=1)
    whole = LETTER + b"x" * (1_022 - len(LETTER)) + b"\r\n"
    c = begun(site=site)
    assert codes(c.send(bdat(whole[:600]) + bdat(whole[600:], last=True))) == ["250 2.0.0"] * 2
    c = begun(site=site)
    assert codes(c.send(bdat(whole[:600]) + bdat(b"x" + whole[600:], last=True))) == ["250 2.0.0", "552 5.3.4"]
    assert not c.spool.held


@pytest.mark.parametrize(("trouble", "code"), [
    (TryAgain(DISK_FULL), "452 4.3.1"), (ZeroDivisionError("boom"), "451 4.3.0"),
])  # fmt: skip
@pytest.mark.parametrize("when", ["receive_error", "write_error", "commit_error"])
def test_trouble_within(when, trouble, code):
    """A full disk, or what nobody expected, at any moment: one clear reply, the octets passed over, nothing kept."""
    c = begun()
    setattr(c.spool, when, trouble)
    said = codes(c.send(bdat(LETTER + b"MAIL FROM:<>\r\n") + bdat(b"QUIT\r\n", last=True)))
    assert said == (["250 2.0.0", code] if when == "commit_error" else [code, "503 5.5.1"])
    assert not c.spool.held and not c.spool.committed
    setattr(c.spool, when, None)
    c.say("RSET", SENDER, RECIPIENT)
    assert codes(c.send(bdat(LETTER, last=True))) == ["250 2.0.0"]


def test_messages_of_a_connection():
    """A message that failed in the middle counts among those of a connection too."""
    c = begun(site=SiteSettings(smtp_max_messages_per_connection=2))
    c.send(bdat(b"\0") + bdat(b"", last=True))
    c.say(SENDER, RECIPIENT)
    assert codes(c.send(bdat(LETTER, last=True))) == ["250 2.0.0"]
    assert c.codes(SENDER) == ["421 4.7.0"]


@pytest.mark.parametrize("octets", [b"BDAT 500\r\nhalf", b"BDAT 4\r\nhalf"])
def test_idle_within(octets):
    """A message that stops coming, within a chunk or between two, is given up after three minutes."""
    c = begun()
    c.send(octets)
    for _ in range(179):
        c.clock.advance(1)
    assert c.heard() == ""
    c.clock.advance(1)
    assert codes(c.heard()) == ["421 4.4.2"] and not c.spool.held


def test_draining_between_chunks():
    """A node that stops takes a message to its end, and says 421 then."""
    c = begun()
    c.send(bdat(LETTER))
    c.door.drain()
    assert c.heard() == "" and not c.wire.disconnecting
    assert codes(c.send(bdat(b"more\r\n"))) == ["250 2.0.0"]
    assert codes(c.send(bdat(b"", last=True))) == ["250 2.0.0", "421 4.3.2"]
    assert c.spool.committed[0].octets == LETTER + b"more\r\n"


def test_a_connection_lost_between_chunks():
    """Half a message is forgotten."""
    c = begun()
    c.send(bdat(LETTER))
    [incoming] = c.spool.held
    c.hang_up()
    assert incoming.abandoned == 1 and not c.spool.held


def test_a_client_that_only_comes_to_prove_itself():
    """Whoever may say nothing yet sends no chunks: the octets are not looked at."""
    c = Conversation(access=(), tls=object(), peer_addresses=lambda: ["192.0.2.7"]).greeted()
    assert codes(c.send(bdat(b"QUIT\r\n"))) == ["530 5.7.0", "421 4.7.0"]


def test_binary_does_not_go_by_data():
    """RFC 3030 3: BODY=BINARYMIME needs BDAT, and a refused DATA leaves the way open for it."""
    c = begun(sender=SENDER + " BODY=BINARYMIME")
    assert c.codes("DATA", "NOOP") == ["503 5.5.1", "250 2.0.0"]


@given(st.lists(st.integers(0, 60), max_size=8), st.lists(st.integers(0, 5_000), max_size=25), st.booleans())
def test_chunks_and_segments_do_not_matter(chunks, places, octet_by_octet):
    """However the client cuts the message and the network the octets, the same message is kept."""
    message = LETTER + b".\r\nBDAT 5\r\n\r\r\n.\r\n".replace(b"\r\r", b"\r") + b"end"
    edges = sorted({0, len(message), *(place % (len(message) + 1) for place in chunks)})
    pieces = [message[a:b] for a, b in pairwise(edges)]
    wire = b"".join(bdat(piece, last=piece is pieces[-1]) for piece in pieces) + b"NOOP\r\n"
    places = range(len(wire)) if octet_by_octet else places
    cuts = sorted({0, len(wire), *(place % (len(wire) + 1) for place in places)})
    c = begun()
    said = "".join(c.send(wire[a:b]) for a, b in pairwise(cuts))
    assert codes(said) == ["250 2.0.0"] * (len(pieces) + 1)
    assert c.spool.committed[0].octets == message + b"\r\n"
