"""ENVELOPE and BODYSTRUCTURE of any octets: well-formed for the strictest reader of RFC 3501."""

from __future__ import annotations

from fuzz.octets import vectors
from tests.mail.wire import check_body, check_envelope, read
from unitymail.mail.structure import scan, walk
from unitymail.mail.summary import body_of, envelope, nstring, summarise

WORDS = [
    b"From: ", b"To: group:", b"Cc: ", b"Subject: ", b"Date: ", b"Content-Type: message/rfc822\r\n\r\n", b'"', b"\\",
    b"{3}\r\n", b"(",
    b")", b"NIL", b"Content-Language: en, de", b"Content-MD5: ", b"Content-Location: ",
    b"Content-Disposition: inline; a=b",
    b"multipart/mixed; boundary=b", b"\r\n--b\r\n", b"\0", b"\xff", b"\r\n\r\n", b"Content-ID: <", b"In-Reply-To: ",
    b"; name*0*=x''",
]
SEEDS = vectors()


def one(data: bytes) -> None:
    structure = scan(data)
    summary = summarise(data, structure)
    check_envelope(read(summary.envelope))
    check_body(read(summary.bodystructure), extensible=True)
    check_body(read(body_of(data, structure.root)), extensible=False)
    assert summary.envelope == envelope(data, structure.root)
    assert summary.terms.count("\n") == 4
    for part in list(walk(structure.root))[:10]:
        check_envelope(read(envelope(data, part)))
    assert b"\0" not in summary.envelope and b"\0" not in summary.bodystructure
    assert read(nstring(data)) == data.replace(b"\0", b"")
