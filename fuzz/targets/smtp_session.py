"""Whole SMTP sessions of a stranger's making: clean replies, nothing held back, nothing nobody expected."""

from __future__ import annotations

import re

from fuzz.octets import pieces, uncut
from tests.smtp.conversation import Conversation
from unitymail.people.access import AccessRule
from unitymail.smtp.dialogue import LONGEST_LINE

MOST_HELD = 65_536
HERE = (AccessRule("127.0.0.1", allow=True),)
WORDS = [
    b"EHLO client.example\r\n", b"MAIL FROM:<robin@vm1.example.com>\r\n", b"RCPT TO:<chris@vm1.example.com>\r\n",
    b"DATA\r\n", b"\r\n.\r\n",
    b"BDAT 10\r\n", b"BDAT 0 LAST\r\n", b"RSET\r\n", b"NOOP\r\n", b"STARTTLS\r\n",
    b"AUTH PLAIN AHJvYmluAHNlY3JldA==\r\n",
    b"AUTH LOGIN\r\ncm9iaW4=\r\nc2VjcmV0\r\n", b"AUTH SCRAM-SHA-256 biwsbj1yb2JpbixyPWFiYw==\r\n", b"*\r\n",
    b"VRFY x\r\n", b"QUIT\r\n",
    b" SIZE=99999999999", b" BODY=BINARYMIME", b" SMTPUTF8", b" NOTIFY=NEVER",
    b"From: robin@vm1.example.com\r\n\r\nHi", b"\n.\n", b"\0",
    b"\xff", b"HELP\r\n", b"HELO a\r\n", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n",
]
_LETTER = b"EHLO c.example\r\nMAIL FROM:<robin@vm1.example.com>\r\nRCPT TO:<chris@vm1.example.com>\r\n"
SEEDS = [
    uncut(octets)
    for octets in (
        _LETTER + b"DATA\r\nFrom: robin@vm1.example.com\r\n\r\nHi.\r\n.\r\nQUIT\r\n",
        _LETTER + b"DATA\r\nx\n.\nMAIL FROM:<>\r\n.\r\nQUIT\r\n",
        _LETTER + b"BDAT 3\r\nabcBDAT 2 LAST\r\n\r\nNOOP\r\n",
        b"EHLO c\r\nAUTH LOGIN\r\ncm9iaW4=\r\nc2VjcmV0\r\nMAIL FROM:<>\r\n",
        b"EHLO c\r\nSTARTTLS\r\nMAIL FROM:<a@b>\r\n", b"x" * 3000 + b"\r\nNOOP\r\n" * 12,
    )
]
_reply = re.compile(rb"(?:[2-5][0-9]{2}-[ -~]*\r\n)*[2-5][0-9]{2} [ -~]*\r\n")


def one(data: bytes) -> None:
    octets, cut = pieces(data)
    assert _heard([octets]) == _heard(cut), "the same answers however the network cuts it"


def _heard(cut: list[bytes]) -> tuple[bytes, int]:
    """What the server said, and how many messages it took."""
    client = Conversation(ip="127.0.0.1", access=HERE, tls=object())
    wire, session = client.wire, client.session
    for piece in cut:
        if wire.disconnecting:
            break
        session.dataReceived(piece)
        client.clock.advance(0)
        held = len(session._order.framer)
        assert held <= max(MOST_HELD, LONGEST_LINE + 2, len(piece)), held
        if wire.tls is not None:
            # What was sent with STARTTLS must not count, wherever it was cut: the rest is no part of this session.
            break
    said = wire.value()
    assert re.fullmatch(b"(?:" + _reply.pattern + b")*", said), said
    said = re.sub(rb"trace [0-9a-z]+", b"trace", said)
    said = re.sub(rb"334 [^\r]*", b"334", said)
    client.hang_up()
    assert client.journal.named("trouble") == [], client.journal.named("trouble")
    assert not client.spool.held, "no file of a message that was not finished stays"
    for done in client.spool.committed:
        assert done.envelope.recipients
    for delayed in client.clock.getDelayedCalls():
        delayed.cancel()
    return said, len(client.spool.committed)
