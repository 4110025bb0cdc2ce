"""IMAP commands out of octets: the same however the network cuts them, none from inside a literal, little held back."""

from __future__ import annotations

from typing import Any

from fuzz.octets import pieces, uncut
from unitymail.imap.wire.assembly import MAX_LITERALS, MAX_TEXT, Assembled, Assembler, Refused
from unitymail.imap.wire.lexer import Announced, Literal

UPLOADS = {"APPEND": 1}
LIMIT = 1000
WORDS = [
    b"a LOGIN ", b"b UID FETCH 1:* (FLAGS)\r\n", b"{3}\r\n", b"{3+}\r\nabc", b"~{2+}\r\n", b"{0+}\r\n",
    b"{131073+}\r\n", b"{99999999999+}",
    b"c APPEND INBOX {5}\r\n", b"c APPEND INBOX (\\Seen) {5+}\r\nhello\r\n", b"c APPEND INBOX ~{1001+}\r\n", b"\r\n",
    b"\n", b'"', b"\\",
    b"}", b"{", b"+ ", b"* ", b"DONE\r\n", b"d NOOP\r\n", b"\0", b"\xff",
]
SEEDS = [
    uncut(octets)
    for octets in (
        b"a LOGIN robin secret\r\nb SELECT INBOX\r\nc UID FETCH 1:* (FLAGS)\r\n",
        b'a LOGIN {5+}\r\nrobin {6}\r\nsecret\r\n',
        b"c APPEND INBOX (\\Seen) {5+}\r\nhello\r\nd NOOP\r\n", b"a SEARCH TEXT {200000+}\r\nabc NOOP\r\n",
        b"e APPEND {5+}\r\nINBOX {3+}\r\nabc\r\n",
    )
]


def one(data: bytes) -> None:
    octets, cut = pieces(data)
    whole = _events([octets])
    assert _events(cut) == whole
    for event in whole:
        if isinstance(event, Assembled):
            assert event.name == event.name.upper() and event.tag.isascii()
            assert sum(len(part) for part in event.parts if isinstance(part, bytes)) <= MAX_TEXT
            assert sum(len(part.octets) for part in event.parts if isinstance(part, Literal)) <= MAX_LITERALS
            assert not any(b"\n" in part for part in event.parts if isinstance(part, bytes))
        elif isinstance(event, Refused):
            assert event.tag.isascii() and b"\r" not in event.tag and b" " not in event.tag
            assert event.text.isprintable() and event.status in (b"BAD", b"NO")


def _events(cut: list[bytes]) -> list[Any]:
    """Every event, streamed literals as their octets; every second streamed literal is given up half way."""
    made = Assembler(UPLOADS, upload_limit=LIMIT)
    found: list[Any] = []
    state = "commands"
    uploaded = b""
    for piece in cut:
        made.feed(piece)
        while True:
            if state == "upload":
                block = made.next_octets()
                if block is None:
                    break
                uploaded += block
                if not block:
                    found.append(uploaded)
                    state, uploaded = "continuation", b""
                continue
            if state == "continuation":
                event: Any = made.next_continuation()
                if event is None:
                    break
                found.append(event)
                last = event.parts[-1:] if not isinstance(event, Refused) else ()
                state = "upload" if last and isinstance(last[0], Announced) else "commands"
                if state == "upload":
                    made.grant()
                elif isinstance(event, Refused):
                    made.abandon_upload()
                continue
            event = made.next_command()
            if event is None:
                break
            found.append(event)
            if isinstance(event, Refused) and event.fatal:
                return found
            if isinstance(event, Assembled) and event.parts and isinstance(event.parts[-1], Announced):
                if event.parts[-1].size % 2:
                    made.grant()
                    state = "upload"
                else:
                    made.abandon_upload()
        assert made.waiting <= MAX_TEXT + MAX_LITERALS + len(piece)
    return found
