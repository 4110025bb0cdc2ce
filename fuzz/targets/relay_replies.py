"""What a next hop answers: replies that cannot break a line of ours, the same however cut, in little memory."""

from __future__ import annotations

from fuzz.octets import pieces, uncut
from unitymail.mail.reply import Reply
from unitymail.relay.replies import LONGEST_LINE, MOST_LINES, MOST_TEXT, ReplyReader

WORDS = [b"250 ", b"250-", b"2.1.0 ", b"550 5.1.1 ", b"421", b"\r\n", b"\n", b"\r", b"\0", b"\xff", b"999 x",
         b"250-PIPELINING\r\n",
         b"220 a ESMTP\r\n"]
_LONG = b"250 " + b"x" * (LONGEST_LINE - 4)
SEEDS = [
    uncut(octets)
    for octets in (
        b"220 a ESMTP\r\n250-a\r\n250-PIPELINING\r\n250 SIZE 1\r\n", b"550-5.1.1 one\r\n550 5.1.1 two\r\n",
        b"250 x\r\n251", b"garbage\r\n250 ok\r\n", b"250-a\r\n550 b\r\n", _LONG, _LONG + b"x", _LONG + b"\n",
        _LONG + b"\r\n",
        _LONG + b"x\n250 ok\r\n",
    )
]


def one(data: bytes) -> None:
    octets, cut = pieces(data)
    assert _read([octets]) == _read(cut)


def _read(cut: list[bytes]) -> tuple[list[Reply], str | None]:
    reader = ReplyReader()
    found: list[Reply] = []
    for piece in cut:
        found += reader.read(piece)
        assert len(reader) <= LONGEST_LINE
    for reply in found:
        assert 200 <= reply.code < 600 and reply.text.isascii()
        assert all(line.isprintable() for line in reply.text.split("\n"))
        assert len(reply.text) <= MOST_TEXT + MOST_LINES + 700
        reply.octets()
    assert reader.flaw is None or reader.flaw.isprintable()
    return found, reader.flaw
