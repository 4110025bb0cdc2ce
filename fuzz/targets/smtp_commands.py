"""MAIL, RCPT and their parameters: a line is a command with clean values, or a refusal; an address has one spelling."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from unitymail.mail.reply import Reply
from unitymail.smtp import commands
from unitymail.smtp.commands import LONGEST_PATH, BadSyntax
from unitymail.smtp.extensions import Situation, mail_fields, offered, rcpt_fields
from unitymail.smtp.moments import settle_moments
from unitymail.smtp.xunitymail import take_told

WORDS = [
    b"MAIL FROM:<", b"RCPT TO:<", b"EHLO ", b"HELO ", b"AUTH ", b"<>", b"postmaster", b"@", b"[IPv6:::1]",
    b"[192.0.2.1]",
    b'"', b'\\"', b"\\", b">", b"@a,@b:", b" SIZE=", b" BODY=8BITMIME", b" BODY=BINARYMIME", b" SMTPUTF8", b" RET=FULL",
    b" ENVID=", b" NOTIFY=SUCCESS,FAILURE", b" ORCPT=rfc822;", b" ORCPT=utf-8;", b"\\x{E9}", b"+3D", b" BY=120;R", b"T",
    b" HOLDFOR=60", b" HOLDUNTIL=2027-01-31T09:00:00Z", b" REQUIRETLS", b" AUTH=<>", b" MT-PRIORITY=3", b"\xc3\xa9",
    b"\xe2\x80\xa8", b"\xff", b"\r", b"\n", b"\0",
]
SEEDS = [
    b"MAIL FROM:<robin@vm1.example.com> SIZE=1000 BODY=8BITMIME RET=HDRS ENVID=a+20b", b"MAIL FROM:<>",
    b"MAIL FROM: <@a,@b:\"a b\\\"\"@[192.0.2.1]> SMTPUTF8 AUTH=<>", b"RCPT TO:<postmaster>",
    b"RCPT TO:<chris@vm1.example.com> NOTIFY=SUCCESS,DELAY ORCPT=utf-8;chris\\x{E9}@x",
    b"RCPT TO:<+@[IPv6:2001:db8::1]>",
    b"MAIL FROM:<a@b> HOLDUNTIL=2027-01-31T09:00:00Z BY=86400;NT REQUIRETLS", "RCPT TO:<é@ü.example>".encode(),
    b"EHLO [127.0.0.1]", b"AUTH PLAIN AHJvYmluAHNlY3JldA==", b"MAIL FROM:<a@b> MT-PRIORITY=-9",
]
EVERYTHING = Situation(
    1_000_000, starttls=True, auth=True, max_recipients=100, max_messages=5, tls=True, peer=True, submission=True,
    now=1_800_000_000.0,
)
_UNCLEAN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def one(data: bytes) -> None:
    outcome = _refusal(lambda: commands.split(data))
    if outcome is None:
        return
    verb, argument = outcome
    assert verb and verb == verb.upper() and " " not in verb
    assert "\r" not in argument and "\n" not in argument and "\0" not in argument
    if (path := _refusal(lambda: commands.read_mail(argument))) is not None:
        _check_path(path, "FROM", commands.read_mail)
        if (fields := _refusal(lambda: mail_fields(path.parameters, lambda: EVERYTHING))) is not None:
            _check_values(fields)
            _refusal(lambda: take_told(fields))
            _refusal(lambda: settle_moments(fields, EVERYTHING.now))
    if (path := _refusal(lambda: commands.read_rcpt(argument))) is not None:
        assert path.address
        _check_path(path, "TO", commands.read_rcpt)
        if (fields := _refusal(lambda: rcpt_fields(path.parameters))) is not None:
            _check_values(fields)
    if (host := _refusal(lambda: commands.read_host(argument))) is not None:
        assert len(host) <= 255 and not _UNCLEAN.search(host) and " " not in host
    _refusal(lambda: commands.read_auth(argument))
    for line in offered(EVERYTHING):
        assert line.isascii() and line.isprintable()


def _refusal(read: Callable[[], Any]) -> Any:
    """What was read; None when it was refused, in words that can be sent."""
    try:
        return read()
    except BadSyntax as bad:
        _check_reply(bad.reply)
        return None


def _check_reply(reply: Reply) -> None:
    assert 400 <= reply.code < 600
    octets = reply.octets()
    assert octets.isascii() and octets.endswith(b"\r\n") and len(octets) <= 512


def _check_path(path: commands.Path, keyword: str, read: Callable[[str], commands.Path]) -> None:
    address = path.address
    assert len(address.encode()) <= LONGEST_PATH + 2
    assert not _UNCLEAN.search(address), address
    if not address.startswith('"'):
        assert not set(address) & set('<> "\\'), address
    assert read(f"{keyword}:<{address}>").address == address, "one spelling for each address"


def _check_values(fields: dict[str, object]) -> None:
    for value in fields.values():
        if isinstance(value, str):
            assert not _UNCLEAN.search(value), value
