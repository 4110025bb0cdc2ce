"""Lines and messages end where RFC 5321 says, however the network cuts the octets."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.smtp.framing import ENDLESS, Framer, LineTooLong, Pieces, with_crlf

LIMIT = 100
RAW = st.lists(
    st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"\r\n.\r\n", b"\r\n..", b"a", b"xyz", b"\0", b"MAIL"]), max_size=40
).map(b"".join)


def cut(octets, places):
    """The octets as the network might deliver them."""
    edges = sorted({0, len(octets), *(place % (len(octets) + 1) for place in places)})
    return [octets[a:b] for a, b in pairwise(edges)]


def lines_of(pieces, limit=LIMIT):
    framer, found = Framer(), []
    for piece in pieces:
        framer.feed(piece)
        while True:
            try:
                line = framer.line(limit)
            except LineTooLong as error:
                found.append("endless" if error.endless else "too long")
                if error.endless:
                    return found
                continue
            if line is None:
                break
            found.append(line)
    return found


def message_of(pieces):
    """(message, its flaws, what waits behind it) or None when it has not ended."""
    framer = Framer()
    framer.begin_data()
    blocks = []
    pieces = iter(pieces)
    for piece in pieces:
        framer.feed(piece)
        octets, ended = framer.data()
        blocks.append(octets)
        if ended:
            for rest in pieces:
                framer.feed(rest)
            return b"".join(blocks), framer.flaws.bare, framer.flaws.nul, len(framer)
        assert len(framer) <= 4, "no more is held back than may be the end"
    return None


def reference(octets):
    """RFC 5321 4.5.2, literally: line by line."""
    kept, rest = [], octets
    while True:
        line, found, rest = rest.partition(b"\r\n")
        if not found:
            return None
        if line == b".":
            message = b"".join(kept)
            bare = bool(re.search(rb"(?<!\r)\n|\r(?!\n)", message))
            return message, bare, b"\0" in message, len(rest)
        kept.append(line.removeprefix(b".") + b"\r\n")


def test_lines_come_without_their_ends():
    """Each line is given once, an unfinished one not yet."""
    assert lines_of([b"EHLO a\r\nNO", b"OP\r", b"\n\r\nRS"]) == [b"EHLO a", b"NOOP", b""]


def test_bare_line_feed_ends_no_line():
    """Only CRLF ends a line: no second command can hide behind a bare LF."""
    assert lines_of([b"NOOP\nQUIT\r\n"]) == [b"NOOP\nQUIT"]


@pytest.mark.parametrize("length", [LIMIT - 1, LIMIT, LIMIT + 1])
def test_the_limit_is_exact(length):
    """A line at the limit is a line, one octet more is too long, and what follows is read again."""
    wanted = b"x" * length if length <= LIMIT else "too long"
    assert lines_of([b"x" * length + b"\r\nNOOP\r\n"]) == [wanted, b"NOOP"]
    assert lines_of(cut(b"x" * length + b"\r\nNOOP\r\n", range(200))) == [wanted, b"NOOP"]


def test_a_line_without_end_takes_no_memory():
    """100 MB without a line end: told once, given up once, and never kept."""
    framer, told = Framer(), []
    block = b"x" * 65_536
    for _ in range(1_600):
        framer.feed(block)
        try:
            assert framer.line(2_048) is None
        except LineTooLong as error:
            told.append(error.endless)
        assert len(framer) <= len(block)
    assert told[:2] == [False, True]


@given(RAW, st.lists(st.integers(0, 10_000), max_size=20))
def test_cuts_do_not_change_lines(octets, places):
    """How the network cuts a burst of commands makes no difference."""
    assert lines_of(cut(octets, places), 8) == lines_of([octets], 8)


@given(st.integers(ENDLESS - 3, ENDLESS + 3), st.lists(st.integers(0, 100_000), max_size=20))
def test_cuts_do_not_change_when_a_line_is_given_up(length, places):
    """Whether a line is endless depends on its length only."""
    octets = b"x" * length + b"\r\nNOOP\r\n"
    wanted = ["too long", "endless"] if length > ENDLESS else ["too long", b"NOOP"]
    assert lines_of(cut(octets, places), 8) == wanted


@given(RAW, st.lists(st.integers(0, 10_000), max_size=30))
def test_a_message_is_what_the_rfc_says(octets, places):
    """Whatever is sent in whatever pieces, the message is what reading it line by line would give."""
    octets += b"\r\n.\r\nQUIT\r\n"
    assert message_of(cut(octets, places)) == reference(octets)


@given(RAW)
def test_octet_by_octet(octets):
    """A client that sends single octets is understood."""
    octets += b"\r\n.\r\n"
    assert message_of([octets[i : i + 1] for i in range(len(octets))]) == reference(octets)


@given(st.lists(st.text("ab.", max_size=5).map(str.encode), max_size=12), st.lists(st.integers(0, 500), max_size=9))
def test_dots_make_the_round_trip(lines, places):
    """What a correct client stuffs with dots arrives as it was before."""
    message = b"".join(line + b"\r\n" for line in lines)
    wire = b"".join((b"." if line[:1] == b"." else b"") + line + b"\r\n" for line in lines) + b".\r\n"
    assert message_of(cut(wire, places)) == (message, False, False, 0)


@given(st.binary(max_size=300), st.lists(st.integers(0, 10_000), max_size=9))
def test_garbage_never_crashes(octets, places):
    """Any octets are either lines, a message, or not finished."""
    lines_of(cut(octets, places))
    message_of(cut(octets, places))


def test_the_end_may_lie_on_every_cut():
    """The end of a message is found wherever a segment ends."""
    wire = b"..x\r\n.y\r\n\r\n.\r\nMAIL"
    for place in range(len(wire) + 1):
        assert message_of(cut(wire, [place])) == (b".x\r\ny\r\n\r\n", False, False, 4)


def test_empty_message():
    """A dot at once is an empty message."""
    assert message_of([b".\r\n"]) == (b"", False, False, 0)


def test_data_right_behind_its_command():
    """A pipelined message begins where the DATA line ends."""
    framer = Framer()
    framer.feed(b"DATA\r\n.a\r\n.\r\nNOOP\r\n")
    assert framer.line(LIMIT) == b"DATA"
    framer.begin_data()
    assert framer.data() == (b"a\r\n", True)
    assert framer.line(LIMIT) == b"NOOP"


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r"])
def test_smuggled_ends_are_no_ends(end):
    """None of the known false ends of SMTP smuggling ends a message; the octets count as bare."""
    framer = Framer()
    framer.feed(b"hello" + end + b"MAIL FROM:<evil@example.com>\r\n")
    framer.begin_data()
    _, ended = framer.data()
    assert not ended and framer.flaws.bare


@given(RAW, st.lists(st.integers(0, 10_000), max_size=20))
def test_mending_block_by_block_is_mending_the_whole(octets, places):
    """Line ends of an old sender are put right the same, however the message is cut."""
    octets += b"\r\n.\r\n"
    framer, mended = Framer(), b""
    framer.begin_data()
    for piece in cut(octets, places):
        framer.feed(piece)
        block, ended = framer.data()
        mended += with_crlf(block)
        if ended:
            break
    assert mended == re.sub(rb"\r\n|\r|\n", b"\r\n", reference(octets)[0])


# Chunks


def chunk_of(framer, pieces):
    """(octets of the chunk, pieces that were not needed)."""
    found, pieces = b"", list(pieces)
    while True:
        octets, ended = framer.chunk()
        found += octets
        if ended:
            return found, pieces
        assert len(framer) == 0, "nothing of a chunk is held back"
        framer.feed(pieces.pop(0))


@given(st.binary(max_size=200), RAW, st.lists(st.integers(0, 10_000), max_size=20))
def test_a_chunk_is_so_many_octets(chunk, behind, places):
    """Whatever they are, and wherever the network cuts: no octet more, no octet less."""
    framer = Framer()
    wire = b"BDAT\r\n" + chunk + behind
    first, *rest = cut(wire, places) if wire else [b""]
    framer.feed(first)
    while framer.line(LIMIT) is None:
        framer.feed(rest.pop(0))
    framer.begin_chunk(len(chunk))
    found, rest = chunk_of(framer, rest)
    assert found == chunk
    for piece in rest:
        framer.feed(piece)
    framer.begin_chunk(len(behind))
    assert framer.chunk() == (behind, True)


def test_a_chunk_right_behind_its_command():
    """A pipelined chunk begins where its line ends, and the next command where it ends."""
    framer = Framer()
    framer.feed(b"BDAT 5\r\n.\r\n\r\nNOOP\r\n")
    assert framer.line(LIMIT) == b"BDAT 5"
    framer.begin_chunk(5)
    assert framer.chunk() == (b".\r\n\r\n", True)
    assert framer.line(LIMIT) == b"NOOP"


def test_forgotten_with_the_rest():
    """What TLS makes void includes the octets that a chunk still had to come."""
    framer = Framer()
    framer.begin_chunk(100)
    framer.clear()
    framer.feed(b"NOOP\r\n")
    assert framer.chunk() == (b"", True) and framer.line(LIMIT) == b"NOOP"


@given(RAW, st.lists(st.integers(0, 10_000), max_size=20))
def test_pieces_are_the_message(octets, places):
    """Put together they are what was sent, with an end for the last line, and no CR is parted from its LF."""
    pieces = Pieces()
    found = [pieces.take(piece) for piece in cut(octets, places)]
    found.append(pieces.end())
    ended = octets if not octets or octets.endswith((b"\n", b"\r")) else octets + b"\r\n"
    assert b"".join(found) == ended and pieces.size == len(octets)
    assert not any(one.endswith(b"\r") and two.startswith(b"\n") for one, two in pairwise(filter(None, found)))
    assert pieces.flaws.bare == bool(re.search(rb"(?<!\r)\n|\r(?!\n)", octets))
    assert pieces.flaws.nul == (b"\0" in octets)


@given(RAW, st.lists(st.integers(0, 10_000), max_size=20))
def test_mending_piece_by_piece_is_mending_the_whole(octets, places):
    """Line ends of an old sender are put right the same, however the message is cut."""
    pieces = Pieces()
    mended = b"".join(with_crlf(pieces.take(piece)) for piece in cut(octets, places)) + with_crlf(pieces.end())
    whole = re.sub(rb"\r\n|\r|\n", b"\r\n", octets)
    assert mended == (whole if not whole or whole.endswith(b"\r\n") else whole + b"\r\n")
