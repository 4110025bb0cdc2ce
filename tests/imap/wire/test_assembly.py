"""Whole commands, wherever their octets were split; limits, and nothing of a refused command taken for another."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unitymail.imap.wire.assembly import (
    MAX_LITERALS,
    MAX_SKIPPED,
    MAX_SKIPPED_LINE,
    MAX_TEXT,
    MOST_LITERALS,
    Ask,
    Assembled,
    Assembler,
    Continued,
    Overlong,
    Refused,
)
from unitymail.imap.wire.lexer import Announced, Literal

UPLOADS = {"APPEND": 1, "REPLACE": 2}


def assembler(octets=b"", **limits):
    made = Assembler(UPLOADS, **limits)
    made.feed(octets)
    return made


def everything(made):
    found = []
    while (event := made.next_command()) is not None:
        found.append(event)
    return found


def test_simple_commands():
    """Tag, name in upper case, UID, and the arguments after the space."""
    assert everything(assembler(b"a1 noop\r\nb.2 uid fetch 1:* (FLAGS)\r\nc LOGIN\n")) == [
        Assembled(b"a1", "NOOP", False, ()),
        Assembled(b"b.2", "FETCH", True, (b"1:* (FLAGS)",)),
        Assembled(b"c", "LOGIN", False, ()),
    ]


def test_literals():
    """Synchronising literals are asked for; the others, and literal8, just come."""
    made = assembler(b"a LOGIN {3}\r\n")
    assert made.next_command() == Ask(3)
    assert made.next_command() is None
    made.feed(b"joe {6+}\r\nsec\r\nt ~{0+}\r\n\r\nb NOOP\r\n")
    assert everything(made) == [
        Assembled(b"a", "LOGIN", False, (Literal(b"joe"), b" ", Literal(b"sec\r\nt"), b" ", Literal(b"", True))),
        Assembled(b"b", "NOOP", False, ()),
    ]


STREAM = (
    b'a LOGIN {3+}\r\njoe "s\\"{9}x"\r\n'
    b"b UID SEARCH SUBJECT {5+}\r\n\r\n\r\nx TEXT ~{2+}\r\n{}\r\n"
    b"c LIST {3}\r\nab cd\r\n"
    b"\r\nd\r\n+ x\r\n"
    b"e SUBSCRIBE {200000+}\r\n" + b"x\n" * 100_000 + b" {4+}\r\nNOOP\r\n"
    b"f NOOP\r\n" + b"g " + b"y" * 70_000 + b"{3+}\r\n\r\nz\r\n"
    b"h LOGOUT\r\n"
)


def run(pieces):
    made = Assembler(UPLOADS)
    found = []
    for piece in pieces:
        made.feed(piece)
        found += everything(made)
    return found


WHOLE = run([STREAM])


def test_the_stream_means_what_it_should():
    """Literals, refusals and skipping in one conversation; what was refused never runs."""
    assert [getattr(e, "tag", b"") + b" " + getattr(e, "name", type(e).__name__).encode() for e in WHOLE] == [
        b"a LOGIN", b"b SEARCH", b" Ask", b"c LIST", b"* Refused", b"d Refused", b"* Refused", b"e Refused", b"f NOOP",
        b"g Refused", b"h LOGOUT",
    ]
    assert WHOLE[0].parts == (Literal(b"joe"), b' "s\\"{9}x"')
    assert WHOLE[1].parts == (b"SUBJECT ", Literal(b"\r\n\r\nx"), b" TEXT ", Literal(b"{}", True))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_split_points_never_matter(cuts):
    """However the network cuts the octets, the same commands come out."""
    edges = [0, *sorted(cuts), len(STREAM)]
    assert run(STREAM[a:b] for a, b in pairwise(edges)) == WHOLE


def test_octet_by_octet():
    """Even one octet at a time."""
    short = b'a LOGIN {3+}\r\njoe "x"\r\nb APPEND {5+}\r\nINBOX\r\nc NOOP\r\n'
    assert run(short[i : i + 1] for i in range(len(short))) == run([short])


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_garbage(pieces):
    """Garbage is refused or waits for more; it never crashes, and grows no memory."""
    for event in run(pieces):
        assert isinstance(event, Assembled | Ask | Refused)


TOKENS = st.sampled_from(
    [b"a", b" ", b"\r\n", b"{", b"}", b"3", b"+", b"~", b"{2+}\r\n", b"{1}\r\n", b"{99999999999}\r\n", b"APPEND",
     b"UID", b"x", b'"', b"("]
)


@given(st.lists(TOKENS, max_size=25).map(b"".join), st.data())
def test_protocol_like_garbage(octets, data):
    """The same for what looks like IMAP, with uploads begun and abandoned; cuts do not matter there either."""

    def outcomes(pieces):
        made = Assembler(UPLOADS, upload_limit=1000)
        found = []
        for piece in pieces:
            made.feed(piece)
            while (event := made.next_command()) is not None:
                found.append(event)
                if isinstance(event, Assembled):
                    made.abandon_upload()
        return found

    cut = data.draw(st.integers(0, len(octets)))
    assert outcomes([octets[:cut], octets[cut:]]) == outcomes([octets])


@pytest.mark.parametrize("line", [b"", b" ", b"+ NOOP", b'a"b NOOP', b"(x) NOOP", b"\xff\xfe NOOP", b"*"])
def test_no_tag(line):
    """Lines without a tag are answered untagged."""
    [refused] = everything(assembler(line + b"\r\n"))
    assert (refused.tag, refused.status, refused.fatal) == (b"*", b"BAD", False)


def test_no_command():
    """A tag alone is answered with that tag."""
    assert everything(assembler(b"a1\r\na2 \r\na3 (\r\n")) == [
        Refused(tag, b"BAD", "Missing or malformed command") for tag in (b"a1", b"a2", b"a3")
    ]


@pytest.mark.parametrize("mark", [b"{-5}", b"{}", b"{abc}", b"{5+ }", b"{+}", b"{5-}", b"{5}}"])
def test_marks_that_are_none(mark):
    """Negative and garbled literals are plain text, which no argument can be (so: BAD)."""
    assert everything(assembler(b"a LOGIN " + mark + b"\r\n")) == [Assembled(b"a", "LOGIN", False, (mark,))]


def test_huge_announcement():
    """A 4 GB literal is refused at once; the connection goes on where the client waits for leave."""
    made = assembler(b"a LOGIN {4294967296}\r\nb NOOP\r\n")
    refused, noop = everything(made)
    assert (refused.tag, refused.status, refused.code, refused.fatal) == (b"a", b"BAD", b"TOOBIG", False)
    assert noop.name == "NOOP"


def test_huge_announcement_that_comes_anyway():
    """A 4 GB literal that does not wait ends the connection; a small one that is too many is skipped."""
    [refused] = everything(assembler(b"a LOGIN {4294967296+}\r\nb NOOP\r\n"))
    assert refused.fatal and refused.code == b"TOOBIG"
    [refused] = everything(assembler(b"a LOGIN {%d+}\r\n" % 10**30))
    assert refused.fatal
    assert MAX_SKIPPED < 2**32


def test_literals_are_counted_together():
    """Many small literals are as much as one large one."""
    half = MAX_LITERALS // 2
    made = assembler(b"a SEARCH {%d+}\r\n" % half + b"x" * half)
    made.feed(b" {%d+}\r\n" % half + b"y" * half + b" {1+}\r\nzx\r\nb NOOP\r\n")
    refused, noop = everything(made)
    assert (refused.tag, refused.code, noop.name) == (b"a", b"TOOBIG", "NOOP")


def test_literals_without_number():
    """Each costs something, be it empty: there is an end to them."""
    most = b"a SEARCH" + b" {0+}\r\n" * MOST_LITERALS
    assert sum(isinstance(part, Literal) for part in everything(assembler(most + b"\r\n"))[0].parts) == MOST_LITERALS
    refused, noop = everything(assembler(most + b" {0+}\r\n rest\r\nb NOOP\r\n"))
    assert (refused.tag, refused.code, noop.name) == (b"a", b"TOOBIG", "NOOP")


def test_longest_command():
    """64 KiB of text besides the literals, in one line or several."""
    assert everything(assembler(b"a X " + b"y" * (MAX_TEXT - 4) + b"\r\n"))[0].name == "X"
    assert everything(assembler(b"a X " + b"y" * (MAX_TEXT - 3) + b"\r\n"))[0].code == b"TOOBIG"
    many = b"a X " + b"y" * 30_000 + b"{0+}\r\n" + b"y" * 36_000 + b"\r\nb NOOP\r\n"
    refused, noop = everything(assembler(many))
    assert (refused.tag, noop.name) == (b"a", "NOOP")


def test_line_without_end():
    """100 MB without a line end: one refusal, then the end, and never more than a block in memory."""
    made = assembler()
    found = []
    for _ in range(1600):
        made.feed(b"x" * 65_536)
        found += everything(made)
        assert made.waiting <= MAX_TEXT + 65_536
    assert [(e.status, e.fatal) for e in found[:2]] == [(b"BAD", False), (b"BAD", True)]
    assert MAX_SKIPPED_LINE < 100_000_000


# Streamed literals


def test_append_is_announced():
    """The message literal of APPEND is left to the command; the name may be a literal of its own."""
    announced = Announced(10, True)
    assert everything(assembler(b'a APPEND "a b" (\\Seen) {10}\r\n')) == [
        Assembled(b"a", "APPEND", False, (b'"a b" (\\Seen) ', announced))
    ]
    assert everything(assembler(b"a APPEND {5+}\r\nINBOX {10}\r\n")) == [
        Assembled(b"a", "APPEND", False, (Literal(b"INBOX"), b" ", announced))
    ]
    assert everything(assembler(b"a UID REPLACE 4 {5+}\r\nINBOX ~{10}\r\n"))[0].parts[-1] == Announced(10, True, True)


def test_upload():
    """Leave is given once; then octets, then the rest of the command."""
    made = assembler(b"a APPEND x {6}\r\n")
    made.next_command()
    assert made.grant() and not made.grant()
    assert made.next_octets() is None
    made.feed(b"abc")
    assert made.next_octets() == b"abc"
    made.feed(b"def (\\Seen) {2+}\r\nhi\r\nb NOOP\r\n")
    assert made.next_octets() == b"def"
    assert made.next_octets() == b""
    assert made.next_continuation() == Continued((b" (\\Seen) ", Announced(2, False)))
    assert not made.grant()
    assert (made.next_octets(), made.next_octets()) == (b"hi", b"")
    assert made.next_continuation() == Continued(())
    made.abandon_upload()
    assert everything(made) == [Assembled(b"b", "NOOP", False, ())]


@pytest.mark.parametrize("taken", [0, 1, 2, 3])
def test_abandoned_upload(taken):
    """What a refused APPEND still sends is skipped, literals after it too."""
    made = assembler(b"a APPEND x {6+}\r\n")
    made.next_command()
    for piece in (b"b NOO", b"P (\\Seen) {4+}\r\nc N\n", b" {2+}\r\n\r\n\r\nd NOOP\r\n")[:taken]:
        made.feed(piece)
    if taken:
        made.next_octets()
    made.abandon_upload()
    for piece in (b"b NOO", b"P (\\Seen) {4+}\r\nc N\n", b" {2+}\r\n\r\n\r\nd NOOP\r\n")[taken:]:
        made.feed(piece)
    assert everything(made) == [Assembled(b"d", "NOOP", False, ())]


def test_refused_upload_that_waits():
    """A client that waits for leave and gets NO sends the next command."""
    made = assembler(b"a APPEND x {6}\r\n")
    made.next_command()
    made.abandon_upload()
    made.feed(b"b NOOP\r\n")
    assert everything(made) == [Assembled(b"b", "NOOP", False, ())]


def test_upload_limit():
    """A message over the limit is refused when it is announced, in a later literal of the command too."""
    made = assembler(b"a APPEND x {11}\r\nb APPEND x {11+}\r\n12345678901\r\nc APPEND x {10+}\r\n1234567890 {11+}\r\n",
                     upload_limit=10)
    first, second, third = (made.next_command() for _ in range(3))
    assert [(e.tag, e.status, e.code, e.fatal) for e in (first, second)] == [
        (b"a", b"NO", b"TOOBIG", False), (b"b", b"NO", b"TOOBIG", False)
    ]
    assert third.name == "APPEND"
    made.next_octets()
    refused = made.next_continuation()
    assert (refused.status, refused.code, refused.fatal) == (b"NO", b"TOOBIG", False)


def test_unlimited_uploads_still_end():
    """Without a limit a message may have what RFC822.SIZE can say."""
    [refused] = everything(assembler(b"a APPEND x {4294967296}\r\n"))
    assert refused.code == b"TOOBIG"


def test_single_lines():
    """Lines outside commands come as they are; too long ones are noticed and skipped."""
    made = assembler(b"DO")
    assert made.next_line(20) is None
    made.feed(b"NE\r\n" + b"x" * 30 + b"\r\nb NOOP\r\n")
    assert made.next_line(20) == b"DONE"
    assert isinstance(made.next_line(20), Overlong)
    assert everything(made) == [Assembled(b"b", "NOOP", False, ())]


def test_clear():
    """After STARTTLS nothing is left of what came before."""
    made = assembler(b"a LOGIN {5+}\r\nab")
    made.next_command()
    made.clear()
    made.feed(b"b NOOP\r\n")
    assert everything(made) == [Assembled(b"b", "NOOP", False, ())]
    assert made.waiting == 0


def test_rest():
    """What was received and not yet taken can be had once; commands go on behind it."""
    made = Assembler({})
    made.feed(b"a NOOP\r\nb NOO")
    made.next_command()
    assert (made.rest(), made.rest(), made.waiting) == (b"b NOO", b"", 0)
    made.feed(b"c NOOP\r\n")
    assert made.next_command().tag == b"c"
