"""SMTP framing: lines and messages end where RFC 5321 says, however the network cuts them; little is ever held back."""

from __future__ import annotations

import re
from itertools import pairwise

from fuzz.octets import pieces, uncut
from unitymail.smtp.framing import ENDLESS, Framer, LineTooLong, Pieces, with_crlf

LIMIT = 64
WORDS = [b"\r\n", b"\r\n.\r\n", b"\n.\n", b"\r.\r", b"\r\n..", b"\n.\r\n", b"\r\n.\n", b"\r\r\n", b"\0",
         b"MAIL FROM:<a@b>"]
SEEDS = [
    uncut(octets)
    for octets in (
        b"EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", b".\r\n", b"x\r\n.\r\n", b"..x\r\n.\r\nQUIT\r\n",
        b"x\n.\nMAIL FROM:<e@f>\r\n.\r\n", b"x\r\n.\rMAIL\r\n\r\n.\r\n", b"x\r\n.\n\r\n.\r\n",
        b"x" * 80 + b"\r\nNOOP\r\n",
    )
]
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")


def one(data: bytes) -> None:
    octets, cut = pieces(data)
    assert _lines([octets]) == _lines(cut) == _lines_by_the_book(octets)
    message = _message([octets])
    assert message == _message(cut) == _message_by_the_book(octets)
    _check_chunks(octets, cut)
    if message is not None:
        mended = with_crlf(message[0])
        assert not _BARE.search(mended) and with_crlf(mended) == mended


def _lines(cut: list[bytes]) -> list[bytes | str]:
    framer = Framer()
    found: list[bytes | str] = []
    for piece in cut:
        framer.feed(piece)
        while True:
            try:
                line = framer.line(LIMIT)
            except LineTooLong as error:
                found.append("endless" if error.endless else "too long")
                if error.endless:
                    return found
                continue
            if line is None:
                break
            found.append(line)
        assert len(framer) <= LIMIT + 1
    return found


def _lines_by_the_book(octets: bytes) -> list[bytes | str]:
    *lines, rest = octets.split(b"\r\n")
    found: list[bytes | str] = []
    for line in lines:
        found.append(line if len(line) <= LIMIT else "too long")
        if len(line) > ENDLESS:
            return [*found, "endless"]
        if len(line) > LIMIT:
            continue
    unfinished = rest.removesuffix(b"\r")
    if len(unfinished) > LIMIT:
        found.append("too long")
    if len(unfinished) > ENDLESS:
        found.append("endless")
    return found


def _message(cut: list[bytes]) -> tuple[bytes, bool, bool, bytes] | None:
    """(message, anything bare, NUL, what comes behind it); None when it has not ended."""
    framer = Framer()
    framer.begin_data()
    blocks = []
    for number, piece in enumerate(cut):
        framer.feed(piece)
        block, ended = framer.data()
        blocks.append(block)
        if ended:
            rest = b"".join(cut[number + 1 :])
            behind = len(framer) + len(rest)
            return b"".join(blocks), framer.flaws.bare, framer.flaws.nul, b"".join(cut)[-behind:] if behind else b""
        assert len(framer) <= 4
    return None


def _message_by_the_book(octets: bytes) -> tuple[bytes, bool, bool, bytes] | None:
    """RFC 5321 4.5.2, line by line."""
    kept, rest = [], octets
    while True:
        line, found, rest = rest.partition(b"\r\n")
        if not found:
            return None
        if line == b".":
            message = b"".join(kept)
            return message, bool(_BARE.search(message)), b"\0" in message, rest
        kept.append(line.removeprefix(b".") + b"\r\n")


def _check_chunks(octets: bytes, cut: list[bytes]) -> None:
    """BDAT: as many octets as were said, whatever they are; no block parts a CR from its LF, no octet is lost."""
    said = len(octets) // 2
    framer = Framer()
    framer.begin_chunk(said)
    found, ended = b"", not said
    for piece in cut:
        framer.feed(piece)
        if not ended:
            block, ended = framer.chunk()
            found += block
    assert found == octets[:said] and ended and len(framer) == len(octets) - said
    blocks, flaws = _pieced([octets])
    assert (b"".join(blocks), flaws) == (b"".join(_pieced(cut)[0]), _pieced(cut)[1])
    whole = b"".join(blocks)
    assert whole.startswith(octets) and whole[len(octets) :] in (b"", b"\r\n")
    assert flaws == (bool(_BARE.search(octets)), b"\0" in octets)


def _pieced(cut: list[bytes]) -> tuple[list[bytes], tuple[bool, bool]]:
    pieces_of = Pieces()
    blocks = [pieces_of.take(piece) for piece in cut]
    blocks.append(pieces_of.end())
    assert not any(block.startswith(b"\n") and before.endswith(b"\r") for before, block in pairwise(blocks) if before)
    return blocks, (pieces_of.flaws.bare, pieces_of.flaws.nul)
