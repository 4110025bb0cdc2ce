"""XUNITYMAIL: what a peer tells is whole and clean, or refused; and what we write is what a peer of ours reads."""

from __future__ import annotations

from unitymail.relay.envelope import xtext
from unitymail.routing.decision import FromPeer
from unitymail.smtp.commands import BadSyntax
from unitymail.smtp.extensions import NOBODY, UNKNOWN_PARAMETER, Situation, mail_fields
from unitymail.smtp.xtext import from_xtext
from unitymail.smtp.xunitymail import take_told

PEER = Situation(1000, starttls=False, auth=False, tls=True, peer=True)
GOOD = (
    "XID=node1.0trace XTRACE=0trace XSENDER=robin@vm1.example.com XKIND=user XCATEGORY=voice XSENSITIVITY=private "
    "XSECURE=yes"
)
WORDS = [word.encode() for word in GOOD.split()] + [b" ", b"+20", b"+0D+0A", b"+C3+A9", b"+FF", b"XKIND=",
         b"XSECURE=no",
                                                    b"XSENDER=", b"XCATEGORY=fax", b"\xc3\xa9"]
SEEDS = [GOOD.encode(), GOOD.replace("XSENDER=robin@vm1.example.com ", "").encode(), b"XID=a.b",
         b"XSENDER=+22a+20b+22@x"]


def one(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    assert from_xtext(xtext(text), 1 << 30) == (text if text and text.isprintable() else None)
    try:
        fields = mail_fields(text, lambda: PEER)
        told = take_told(fields)
    except BadSyntax as bad:
        assert 500 <= bad.reply.code < 600
        return
    assert not any(name.startswith("told_") for name in fields)
    if told is None:
        return
    _check(told)
    try:
        mail_fields(text, lambda: NOBODY)
    except BadSyntax as bad:
        assert bad.reply is UNKNOWN_PARAMETER
    else:
        raise AssertionError("strangers may not say what only peers may")


def _check(told: FromPeer) -> None:
    for word in (told.xid, told.trace, told.sender, told.kind):
        assert word.isprintable() and len(word) <= 512
    assert "/" not in told.trace and "/" not in told.xid
    assert take_told({f"told_{name}": getattr(told, name) for name in FromPeer.__slots__}) == told
