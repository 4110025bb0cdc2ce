"""Octets from a message file."""

import os
from base64 import b64decode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.relay.play import Untouched, letter
from unitymail.mail.recoding import Hindrance
from unitymail.relay import content
from unitymail.relay.content import BLOCK, Blocks, nature_of, whole, whole_if_cached
from unitymail.relay.fitting import Nature
from unitymail.relay.stuffing import DottedLines

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
    blocks = all_blocks(letter(tmp_path, octets), Untouched())
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
        whole(gone, Untouched())
    cut = letter(tmp_path, b"x" * (2 * BLOCK))
    blocks = Blocks(cut, Untouched())
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
    assert whole_if_cached(found, Untouched()) is None
    with pytest.raises(OSError, match="not what was accepted"):
        whole(found, Untouched())


def test_a_file_system_that_cannot_say(tmp_path, monkeypatch):
    """Where the system does not tell what is cached, the message is left to a thread."""

    def refuse(*arguments):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(content.os, "preadv", refuse)
    assert whole_if_cached(letter(tmp_path), Untouched()) is None


def test_half_a_message_in_the_cache(tmp_path, monkeypatch):
    """What is not all there at once is read by a thread, never sent as if it were whole."""
    monkeypatch.setattr(os, "preadv", lambda file, buffers, at, flags: 9)
    assert whole_if_cached(letter(tmp_path), Untouched()) is None


@pytest.mark.parametrize(("octets", "nature"), [
    (HEADER + b"Hello\r\n", Nature("7bit", True)),
    (HEADER + "Grüße\r\n".encode(), Nature("8bitmime", True)),
    ("Subject: Grüße\r\n\r\nHello\r\n".encode(), Nature("8bitmime", False)),
    (HEADER + b"x" * 5_000 + b"\r\n", Nature("7bit", True)),
    (b"", Nature("7bit", True)),
])  # fmt: skip
def test_nature(tmp_path, octets, nature):
    """What a message needs is seen in its octets, not in what was declared."""
    assert nature_of(letter(tmp_path, octets)) == nature


TEXT = b"gr\xfc\xdfe\r\n"
EIGHT = b"Content-Type: text/plain; charset=latin-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + TEXT * 40
SEVEN = EIGHT[: EIGHT.index(b"8bit")] + b"base64\r\n\r\n"


def test_the_seven_bit_form(tmp_path):
    """What a hop without 8BITMIME gets is found in one look, and read from the file as it is sent."""
    outgoing = letter(tmp_path, b"stored\r\n" + b"MIME-Version: 1.0\r\n" + EIGHT, head=b"New: head\r\n")
    outgoing = replace(outgoing, offset=8, size=outgoing.size - 8)
    nature = nature_of(outgoing, seven_bit=True)
    assert (nature.body, nature.ascii_header) == ("8bitmime", True)
    found = whole(outgoing, Untouched(), nature.seven_bit)
    assert found.startswith(b"New: head\r\nMIME-Version: 1.0\r\n" + SEVEN)
    assert b64decode(found.partition(b"\r\n\r\n")[2]) == EIGHT.partition(b"\r\n\r\n")[2]
    assert len(found) == len(outgoing.head) + nature.seven_bit.size
    assert nature_of(outgoing).seven_bit is None, "nobody asked"
    assert nature_of(letter(tmp_path), seven_bit=True).seven_bit is None, "there is no need"


def test_no_seven_bit_form(tmp_path):
    """What must not be rewritten has none, and the reason is known."""
    assert nature_of(letter(tmp_path, "Subject: é\r\n\r\n".encode()), seven_bit=True).seven_bit is Hindrance.EIGHT_BIT


def test_a_large_seven_bit_form(tmp_path):
    """It is made block by block, of the file as it is on the disk; a file cut short is no message."""
    outgoing = letter(tmp_path, EIGHT + TEXT * 100_000)
    made = nature_of(outgoing, seven_bit=True).seven_bit
    blocks = Blocks(outgoing, Untouched(), made)
    found = []
    while not blocks.at_end:
        found.append(blocks.next())
    blocks.close()
    assert len(b"".join(found)) == made.size and max(map(len, found)) < 2 * BLOCK and len(found) > 5
    blocks = Blocks(outgoing, Untouched(), made)
    os.truncate(outgoing.path, 1_000)
    with pytest.raises(OSError, match="shorter"):
        blocks.next()
    blocks.close()
    with pytest.raises(OSError, match="not what was accepted"):
        whole(outgoing, Untouched(), made)


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
    assert whole_if_cached(known, Untouched()) == b"New: head\r\n\r\n.dot\r\n"
