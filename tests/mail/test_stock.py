"""What stock Twisted makes of headers and structures, beside what we make of them (each once cost a connection)."""

from io import BytesIO

import pytest
from twisted.mail import imap4
from zope.interface import implementer

from tests.mail.wire import NotWire, check_body, check_envelope, read
from unitymail.mail.structure import scan
from unitymail.mail.summary import summarise


@implementer(imap4.IMessage)
class StockMessage:
    """The least that Twisted's IMAP server reads: headers in a dict, as its interface asks."""

    def __init__(self, octets):
        header, _, self.content = octets.partition(b"\r\n\r\n")
        self.fields = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in header.decode("latin-1").split("\r\n"))
        }

    def getHeaders(self, negate, *names):
        wanted = [imap4.nativeString(name).lower() for name in names]
        return {k: v for k, v in self.fields.items() if (k in wanted) != bool(negate) or not names}

    def getBodyFile(self):
        return BytesIO(self.content)

    def getSize(self):
        return len(self.content)

    def isMultipart(self):
        return False


def stock(octets):
    """(ENVELOPE, BODYSTRUCTURE) as stock Twisted writes them."""
    message = StockMessage(octets)
    return tuple(
        imap4.collapseNestedLists([found])
        for found in (imap4.getEnvelope(message), imap4.getBodyStructure(message, True))
    )


def ours(octets):
    summary = summarise(octets, scan(octets))
    envelope, body = read(summary.envelope), read(summary.bodystructure)
    check_envelope(envelope)
    check_body(body, extensible=True)
    return envelope, body


def test_addresses_without_a_host():
    """An address without `@` has three fields in stock; a missing From is an address of NILs there."""
    octets = b"To: root\r\nSubject: x\r\n\r\n"
    with pytest.raises(NotWire):
        check_envelope(read(stock(octets)[0]))
    assert ours(octets)[0][2:6] == [None, None, None, [[None, None, b"root", b""]]]


def test_8bit_headers():
    """Stock raises, and the connection is closed; ours is a literal with the octets as stored."""
    octets = b"Subject: caf\xc3\xa9\r\n\r\n"
    with pytest.raises(UnicodeEncodeError):
        stock(octets)
    assert ours(octets)[0][1] == b"caf\xc3\xa9"


@pytest.mark.parametrize("value", [b"text/plain; charset=utf-8;", b'text/plain; name="a;b"'])
def test_semicolons(value):
    """A trailing semicolon, or one in quotes, raises in stock."""
    octets = b"Content-Type: " + value + b"\r\n\r\nx"
    with pytest.raises((ValueError, IndexError)):
        stock(octets)
    ours(octets)


def test_parameter_values_keep_their_case():
    """Stock lower-cases values, boundaries among them, and leaves the quotes of Content-Disposition in place."""
    octets = b'Content-Type: text/plain; Name="A.TXT"\r\nContent-Disposition: attachment; filename="A.TXT"\r\n\r\nx'
    assert b'("name" "a.txt")' in stock(octets)[1] and b'"\\"A.TXT\\""' in stock(octets)[1]
    body = ours(octets)[1]
    assert body[2][:2] == [b"name", b"A.TXT"]
    assert body[9] == [b"attachment", [b"filename", b"A.TXT"]]


def test_defaults_and_location():
    """Stock has no type, no encoding and no location where the standard has defaults and a field."""
    octets = b"Content-Location: http://example.com/\r\n\r\nx"
    assert b"example.com" not in stock(octets)[1]
    body = ours(octets)[1]
    assert body[:6] == [b"text", b"plain", [b"charset", b"us-ascii"], None, None, b"7bit"]
    assert body[11] == b"http://example.com/"
