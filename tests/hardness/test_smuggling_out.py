"""Class: SMTP smuggling, outbound. What leaves is one message to every server, whatever octets the file holds.

Known examples: the sending half of CVE-2023-51764 and its kin (relays that let LF . LF through); Twisted's SMTPClient,
which stuffs dots block by block and lets CRLF . CRLF out where a block ends (see tests/relay/test_stuffing.py).
"""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.relay.play import FULL, Play, kinds, letter
from unitymail.relay import content
from unitymail.relay.content import Blocks, whole, whole_if_cached
from unitymail.relay.stuffing import DottedLines, Lines
from unitymail.smtp.framing import Framer

HEADER = b"Subject: x\r\n\r\n"
ENDS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r", b"\0\r\n", b""]
DOTS = [b".", b"..", b"...", b".x", b". "]
PIECES = sorted({before + dot + after for before, dot, after in itertools.product(ENDS, DOTS, ENDS)})
EVIL = b"MAIL FROM:<evil@example.net>\r\n"
BLOCK = 32
NEXT = b"QUIT\r\n"


def strict(wire):
    """(message, what is left for commands) as a server reads it that knows CRLF only."""
    framer = Framer()
    framer.feed(wire)
    framer.begin_data()
    message, ended = framer.data()
    assert ended
    return message, wire[len(wire) - len(framer) :]


def lax(wire):
    """The same, as a server reads it that takes LF, CR and CRLF for the end of a line."""
    end = re.search(rb"(?:^|\r\n|\r|\n)\.(?:\r\n|\r|\n)", wire)
    return wire[: end.start()], wire[end.end() :]


def mended(octets):
    """Lines of CRLF, the last one whole."""
    octets = re.sub(rb"\r\n|\r|\n", b"\r\n", octets)
    return octets if octets.endswith(b"\r\n") or not octets else octets + b"\r\n"


def is_one_message(wire, octets):
    message, left = strict(wire + NEXT)
    assert (message, left) == (mended(octets), NEXT), octets
    assert lax(wire + NEXT)[1] == NEXT, octets
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", wire), octets


def file_of(folder, octets, head=b""):
    return letter(folder, octets, head=head)


@pytest.mark.parametrize("piece", PIECES)
def test_at_every_place_of_a_block(piece):
    """Each false end, at each place of a block and over its seams, at the beginning and at the end of a message."""
    for at in range(2 * BLOCK + 1):
        octets = b"x" * at + piece + EVIL
        for text in (octets, octets[: -len(EVIL)]):
            form, wire = DottedLines(), b""
            for start in range(0, len(text), BLOCK):
                wire += form.block(text[start : start + BLOCK])
            is_one_message(wire + form.end(), text)


@pytest.mark.parametrize("head", [b"", b"Return-Path: <>\r\n", b".dots\r\n", b"no end"])
def test_from_a_file(tmp_path, monkeypatch, head):
    """The same out of a file in blocks, with a head before it: read at once, read in blocks, read from the cache."""
    for number, piece in enumerate((b".", b"\n.\n", b"\r\n.\r\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r", b"")):
        octets = HEADER + b"x" * (BLOCK - len(HEADER) % BLOCK + number) + piece + EVIL + piece
        folder = tmp_path / str(number)
        folder.mkdir()
        outgoing = file_of(folder, octets, head)
        wires = {whole(outgoing, DottedLines())}
        if (cached := whole_if_cached(outgoing, DottedLines())) is not None:
            wires.add(cached)
        for size in range(1, BLOCK + 2):
            monkeypatch.setattr(content, "BLOCK", size)
            blocks = Blocks(outgoing, DottedLines())
            wires.add(blocks.all())
            blocks.close()
        assert len(wires) == 1
        is_one_message(wires.pop(), head + octets)


@pytest.mark.parametrize(
    "piece", [b"\n.\n", b"\r\n.\r\n", b"\r.\r\n", b"\n.\r\nQUIT\r\n", b"\r", b"BDAT 1 LAST\r\n", b"\0"]
)
def test_chunks_say_how_long_they_are(tmp_path, piece):
    """By BDAT: the command counts exactly what follows it, and every line of that ends with CRLF."""
    octets = HEADER + b"text" + piece + EVIL
    play = Play()
    play.greet(*FULL, "CHUNKING")
    play.send(file_of(tmp_path, octets))
    said = play.said() + play.hear("250 fine", "250 fine")
    found = re.search(rb"BDAT (\d+) LAST\r\n(.*)\Z", said.encode("latin-1"), re.DOTALL)
    assert int(found[1]) == len(found[2])
    assert found[2] == mended(octets)


@pytest.mark.parametrize("extensions", [FULL, ()], ids=["pipelined", "in lock-step"])
def test_the_next_message_begins_behind_the_end(tmp_path, extensions):
    """Two messages on one connection, each with every false end in it: the server hears two envelopes."""
    octets = HEADER + b"".join(piece + EVIL for piece in PIECES[:40])
    play = Play()
    play.greet(*extensions)
    found = [play.send(file_of(tmp_path, octets)), play.send(file_of(tmp_path, octets))]
    wire, heard = b"", []
    said = play.said().encode("latin-1")
    for _ in range(20):
        wire += said
        commands, wire = answers(wire, heard)
        if not commands:
            break
        said = play.hear(*commands).encode("latin-1")
    assert [line.split(b" ")[0] for line in heard] == [b"MAIL", b"RCPT", b"DATA", b"", b"MAIL", b"RCPT", b"DATA", b""]
    assert heard[3] == heard[7] == b" " + mended(octets)
    assert [kinds(attempt) for [attempt] in found] == [[("done", "2.0.0")]] * 2


def answers(wire, heard):
    """A strict server: (its answers, what is not whole yet). `heard` grows by lines, and messages behind a blank."""
    said = []
    while wire:
        if heard and heard[-1] == b"DATA":
            framer = Framer()
            framer.feed(wire)
            framer.begin_data()
            message, ended = framer.data()
            if not ended:
                break
            heard.append(b" " + message)
            wire = wire[len(wire) - len(framer) :]
            said.append("250 taken")
            continue
        line, end, rest = wire.partition(b"\r\n")
        if not end:
            break
        heard.append(line)
        wire = rest
        said.append("354 go on" if line == b"DATA" else "250 fine")
        if line == b"DATA":
            break
    return said, wire


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"x", b"\n.\n", b"\r\n.\r\n"]), max_size=40).map(b"".join),
    st.lists(st.integers(0, 300), max_size=20),
)
def test_any_octets_in_any_blocks(octets, places):
    """However the file is cut into blocks: one message by DATA, and the same lines by BDAT."""
    edges = sorted({0, len(octets), *(place % (len(octets) + 1) for place in places)})
    blocks = [octets[a:b] for a, b in itertools.pairwise(edges)]
    dotted, lines = DottedLines(), Lines()
    wire = b"".join(map(dotted.block, blocks)) + dotted.end()
    is_one_message(wire, octets)
    assert b"".join(map(lines.block, blocks)) + lines.end() == mended(octets)
