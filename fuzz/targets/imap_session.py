"""Whole IMAP sessions of a stranger's making: answers in order, BYE before the end, nothing nobody expected."""

from __future__ import annotations

import re

from fuzz.octets import pieces, uncut
from tests.imap.conversation import MESSAGE, House

MOST_HELD = 65_536 + 131_072
WORDS = [
    b"a LOGIN robin secret\r\n", b"a SELECT INBOX\r\n", b"a UID FETCH 1:* (FLAGS BODY.PEEK[]<0.5>)\r\n",
    b"a STORE 1 +FLAGS (\\Deleted)\r\n",
    b"a EXPUNGE\r\n", b"a APPEND INBOX {30+}\r\n" + MESSAGE[:30], b"a SEARCH OR FROM chris NOT SEEN\r\n",
    b"a IDLE\r\n", b"DONE\r\n",
    b'a LIST "" *\r\n', b"a CREATE &AOk-\r\n", b"a RENAME INBOX x\r\n", b"a COPY 1 Sent\r\n",
    b"a AUTHENTICATE PLAIN\r\n",
    b"AHJvYmluAHNlY3JldA==\r\n", b"a STATUS INBOX (MESSAGES)\r\n", b"a LOGOUT\r\n", b"a STARTTLS\r\n", b"{3+}\r\nabc",
    b"~{3+}\r\n", b'"',
    b"(", b"\0", b"\xff", b"\r\n", b"a ENABLE CONDSTORE\r\n",
    b"a AUTHENTICATE SCRAM-SHA-256 biwsbj1yb2JpbixyPWFiYw==\r\n",
]
_IN = b"a LOGIN robin secret\r\nb SELECT INBOX\r\n"
SEEDS = [
    uncut(octets)
    for octets in (
        _IN + b"c UID FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[]<0.5>)\r\nd LOGOUT\r\n",
        _IN + b"c STORE 1 +FLAGS.SILENT (\\Deleted)\r\nd EXPUNGE\r\n",
        _IN + b"c SEARCH CHARSET UTF-8 TEXT {3+}\r\nabc\r\n",
        _IN + b"c APPEND INBOX (\\Seen) {58+}\r\n" + MESSAGE + b"\r\nd NOOP\r\n", _IN + b"c IDLE\r\nDONE\r\n",
        b"a CAPABILITY\r\nb BOGUS\r\n" * 6,
        b"a AUTHENTICATE PLAIN\r\nAHJvYmluAHNlY3JldA==\r\nb LIST \"\" *\r\n",
    )
]
_LITERAL = re.compile(rb"\{(\d+)\}\r\n")
_LINE = re.compile(rb"\* |\+ |\S+ (?:OK|NO|BAD) |$")


def one(data: bytes) -> None:
    octets, cut = pieces(data)
    assert _heard([octets]) == _heard(cut), "the same answers however the network cuts it"


def _heard(cut: list[bytes]) -> bytes:
    house = House()
    house.inbox.put(MESSAGE)
    house.inbox.put(MESSAGE, ["\\Deleted"])
    client = house.connect()
    for piece in cut:
        if client.closed or client.wire.tls_context is not None:
            break
        client.send(piece)
        for _ in range(8):
            house.clock.advance(0)
        assert client.protocol.inlet.assembler.waiting <= MOST_HELD + len(piece)
    said = client.wire.value()
    assert house.journal.named("trouble") == [], house.journal.named("trouble")
    for line in _lines(said):
        assert _LINE.match(line), line
    if client.closed:
        assert b"* BYE " in said
    client.leave()
    for _ in range(4):
        house.clock.advance(0)
    assert house.store.open_contents == 0
    return re.sub(rb"^\+ [^\r]*", b"+", said, flags=re.MULTILINE)


def _lines(said: bytes) -> list[bytes]:
    """Response lines, literals taken out."""
    while found := _LITERAL.search(said):
        said = said[: found.start()] + said[found.end() + int(found.group(1)) :]
    return said.split(b"\r\n")
