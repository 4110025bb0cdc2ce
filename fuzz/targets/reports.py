"""Reports: theirs are read without harm, ours hold nothing of the original that could break them open."""

from __future__ import annotations

import re

from fuzz.octets import check_header, vectors
from unitymail.mail.disposition import Reader, asked_of, build_disposition
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.mail.report import Original, build_report
from unitymail.mail.returned import MOST_GROUPS, returned
from unitymail.mail.structure import scan
from unitymail.mail.trace import read_trace_field

STORED = (
    b"Return-Path: <pat@partner.example>\r\n"
    b"X-Unitymail-Trace: id=0t; category=voice; sensitivity=normal; secure=no; sender=; pad=\r\n"
    b"Disposition-Notification-To: Pat <pat@partner.example>\r\nDate: Mon, 10 Mar 2014 09:15:22 -0400\r\n"
)
WORDS = [
    b"Final-Recipient: rfc822; a@b\r\n", b"Original-Recipient: ", b"Action: failed\r\n", b"Status: 5.1.1\r\n",
    b"\r\n\r\n",
    b"message/delivery-status", b"multipart/report; report-type=delivery-status; boundary=b", b"\r\n--b\r\n",
    b"utf-8; ",
    b"Disposition-Notification-To: ", b"Original-Message-ID: ", b"Message-ID: <a@b>", b"In-Reply-To: ",
    b"=?utf-8?q?=0D=0A?=",
    b"X-Unitymail-Trace: id=a; category=fax; sensitivity=normal; secure=no; sender=", b"Return-Path: <", b"\0", b"\xff",
    b"message/disposition-notification", b"Auto-Submitted: no", b"Subject: ", b"\n", b"\r",
]
SEEDS = [*vectors(), STORED + b"Subject: Hello\r\n\r\n",
         STORED + b"Original-Recipient: rfc822;pat@b\r\nMessage-ID: <1@b>\r\n\r\nx"]
_LONG = re.compile(rb"[^\r\n]{999}")
_FIELDS = {
    b"from", b"to", b"subject", b"date", b"message-id", b"in-reply-to", b"references", b"auto-submitted",
    b"mime-version",
    b"content-type", b"content-transfer-encoding",
}


def one(data: bytes) -> None:
    told = returned(data, scan(data).root)
    assert len(told) <= MOST_GROUPS
    for group in told:
        assert not set(group.final + group.original + group.action) & set("\r\n\0")
        assert re.fullmatch(r"(?:[245]\.\d{1,3}\.\d{1,3})?", group.status)
    read_trace_field(data)
    for stored in (data, STORED + data):
        asked = asked_of(stored)
        if asked is not None:
            octets = build_disposition(
                asked, "displayed", Reader("Chris",
                "chris@vm1.example.com"), host="vm1", trace="0m", when=1_764_000_000.0
            )
            _check(octets)
    _check(_report(data))


def _report(data: bytes) -> bytes:
    """Of a message with these octets, whose words everybody took from them."""
    text = data.decode("utf-8", "replace")
    address, _, words = text.partition("\n")
    fates = [Fate(address[:600], "failed", "5.1.1", words[:2000]), Fate("chris@vm1.example.com", "delayed",
    "4.4.1", text[-500:])]
    original = Original("0t", "email", words[:500], address[:300], 1_764_000_000.0, len(data), False, data)
    envelope = Envelope(address[:500], (Recipient("chris@vm1.example.com"),), envid=text[:100])
    return build_report(
        to=address[:500], fates=fates, envelope=envelope, original=original, host="vm1.example.com",
        domain="vm1.example.com", trace="0r", when=1_764_000_100.0, names={"chris@vm1.example.com": text[:300]},
    )  # fmt: skip


def _check(octets: bytes) -> None:
    header, _, body = octets.partition(b"\r\n\r\n")
    check_header(header + b"\r\n", _FIELDS)
    boundary = re.search(rb'\r\n\tboundary="([^"]+)"', header)
    assert boundary is not None
    assert (b"\r\n" + body).count(b"\r\n--" + boundary[1]) == 4, "three parts and the end"
    assert not _LONG.search(octets)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", octets)
