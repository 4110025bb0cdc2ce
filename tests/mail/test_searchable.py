"""Which texts TEXT and BODY look into."""

import pytest

from unitymail.mail.searchable import enclosed_of, header_text, headers_of, texts_of
from unitymail.mail.structure import scan

NESTED = (
    b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/html\r\n\r\n<p>one</p>\r\n"
    b"--x\r\nContent-Type: image/png\r\n\r\ntwo\r\n"
    b"--x\r\nContent-Type: message/delivery-status\r\n\r\nthree\r\n"
    b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nfour\r\n--x--\r\n"
)


def begins(parts):
    return [NESTED[part.start : part.end].split(b"\r\n")[0] for part in parts]


def bodies(parts):
    return [NESTED[part.body : part.end] for part in parts]


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (b"Subject: two\r\n lines\r\n", "Subject: two lines\r\n"),
        (b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX: y\r\n", "Subject: Grüße\nX: y"),
        ("Subject: Grüße\r\n".encode(), "Subject: Grüße"),
        (b"", ""),
    ],
)
def test_header_text(header, text):
    """Fields come unfolded and decoded, their names with them."""
    assert header_text(header) == text


def test_headers():
    """TEXT looks into the header of the message and of every part, enclosed messages included."""
    assert len(list(headers_of(scan(NESTED).root))) == 6


def test_texts():
    """Bodies are those of text parts and of reports; a picture has none."""
    assert bodies(texts_of(scan(NESTED).root)) == [b"<p>one</p>", b"three", b"four"]


def test_enclosed():
    """The header of a message inside counts as body."""
    assert begins(enclosed_of(scan(NESTED).root)) == [b"Subject: inner"]
