"""Octets from a message file."""

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.relay.play import letter
from unitymail.relay import content
from unitymail.relay.content import BLOCK, Blocks, nature_of, whole, whole_if_cached
from unitymail.relay.fitting import Nature
from unitymail.relay.stuffing import DottedLines, Octets

HEADER = b"Subject: Hello\r\n\r\n"


def all_blocks(outgoing, form):
    blocks = Blocks(outgoing, form)
    found = []
    while not blocks.at_end:
        found.append(blocks.next())
    blocks.close()
    return found


def test_head_and_offset(tmp_path):
    """Our own block first, then the file from its offset on."""
    outgoing = letter(tmp_path, b"stored head\r\nbody\r\n", head=b"New: head\r\n")
    outgoing = replace(outgoing, offset=13, size=outgoing.size - 13)
    assert whole(outgoing, DottedLines()) == b"New: head\r\nbody\r\n.\r\n"
    assert whole_if_cached(outgoing, DottedLines()) in (None, b"New: head\r\nbody\r\n.\r\n")


def test_blocks(tmp_path):
    """A large message comes in blocks of bounded size, and together they are the message."""
    octets = (b"." + b"x" * 70 + b"\r\n") * 5000
    blocks = all_blocks(letter(tmp_path, octets), Octets())
    assert b"".join(blocks) == octets
    assert len(blocks) == 3 and max(map(len, blocks)) <= BLOCK


def test_empty(tmp_path):
    """A message without octets is a dot."""
    assert whole(letter(tmp_path, b""), DottedLines()) == b".\r\n"
    assert whole_if_cached(letter(tmp_path, b""), DottedLines()) in (None, b".\r\n")


def test_missing_and_shortened(tmp_path):
    """A file that is gone or cut short is said so, and never taken for the whole message."""
    gone = letter(tmp_path)
    os.unlink(gone.path)
    with pytest.raises(FileNotFoundError):
        whole(gone, Octets())
    cut = letter(tmp_path, b"x" * (2 * BLOCK))
    blocks = Blocks(cut, Octets())
    blocks.next()
    os.truncate(cut.path, BLOCK)
    with pytest.raises(OSError, match="shorter"):
        blocks.next()
    blocks.close()


@pytest.mark.parametrize("octets", [b"Subject: Hello\r\n", b"Subject: Hello\r\n\r\nHello\r\nand more\r\n", b""])
def test_another_size(tmp_path, octets):
    """A file that is not as long as what was accepted (a damaged disk) is no message, however it is read."""
    found = letter(tmp_path, b"Subject: Hello\r\n\r\nHello\r\n", head=b"New: head\r\n")
    with open(found.path, "wb") as file:
        file.write(octets)
    assert whole_if_cached(found, Octets()) is None
    with pytest.raises(OSError, match="not what was accepted"):
        whole(found, Octets())


def test_a_file_system_that_cannot_say(tmp_path, monkeypatch):
    """Where the system does not tell what is cached, the message is left to a thread."""

    def refuse(*arguments):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(content.os, "preadv", refuse)
    assert whole_if_cached(letter(tmp_path), Octets()) is None


def test_half_a_message_in_the_cache(tmp_path, monkeypatch):
    """What is not all there at once is read by a thread, never sent as if it were whole."""
    monkeypatch.setattr(os, "preadv", lambda file, buffers, at, flags: 9)
    assert whole_if_cached(letter(tmp_path), Octets()) is None


@pytest.mark.parametrize(("octets", "nature"), [
    (HEADER + b"Hello\r\n", Nature("7bit", True)),
    (HEADER + "Grüße\r\n".encode(), Nature("8bitmime", True)),
    ("Subject: Grüße\r\n\r\nHello\r\n".encode(), Nature("8bitmime", False)),
    (HEADER + b"a\0b\r\n", Nature("binarymime", True)),
    (HEADER + b"x" * 998 + b"\r\n", Nature("7bit", True)),
    (HEADER + b"x" * 1000 + b"\r\n", Nature("binarymime", True)),
    (b"", Nature("7bit", True)),
])  # fmt: skip
def test_nature(tmp_path, octets, nature):
    """What a message needs is seen in its octets, not in what was declared."""
    assert nature_of(letter(tmp_path, octets)) == nature


def test_long_lines_of_text(tmp_path):
    """A message that says of itself that it has 8-bit text, and has none, goes everywhere: long lines are no octets."""
    long = HEADER + b"x" * 5_000 + b"\r\n"
    assert nature_of(letter(tmp_path, long, body="8bitmime")).body == "7bit"
    assert nature_of(letter(tmp_path, long + b"\xe9\r\n", body="8bitmime")).body == "8bitmime"
    assert nature_of(letter(tmp_path, long, body="binarymime")).body == "binarymime"


@given(st.binary(max_size=200), st.integers(1, 20))
def test_nature_in_blocks(tmp_path_factory, octets, size):
    """Where blocks end does not matter."""
    folder = tmp_path_factory.mktemp("m")
    outgoing = letter(folder, HEADER.join([b"", octets.replace(b"\n", b"\r\n")]) * 3)
    before, content.BLOCK = content.BLOCK, size
    try:
        small = nature_of(outgoing)
    finally:
        content.BLOCK = before
    assert small == nature_of(outgoing)


def test_no_file_for_what_is_known_already(tmp_path):
    """The octets that came with the message's envelope go out after the head, stuffed as ever."""
    known = replace(letter(tmp_path), path=str(tmp_path / "gone"), head=b"New: head\r\n", content=b"\r\n.dot\r\n")
    assert whole_if_cached(known, DottedLines()) == b"New: head\r\n\r\n..dot\r\n.\r\n"
    assert whole_if_cached(known, Octets()) == b"New: head\r\n\r\n.dot\r\n"
