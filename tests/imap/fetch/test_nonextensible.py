"""BODY is BODYSTRUCTURE without extension data."""

from pathlib import Path

import pytest

from unitymail.imap.fetch.nonextensible import body_of
from unitymail.mail import summary
from unitymail.mail.structure import scan

VECTORS = sorted((Path(__file__).parents[2] / "vectors").glob("*.eml"))


@pytest.mark.parametrize("file", VECTORS, ids=lambda f: f.name)
def test_every_message(file):
    """What is cut out of BODYSTRUCTURE is what is made from the message itself, garbage and deep nesting included."""
    octets = file.read_bytes()
    structure = scan(octets)
    shortened = body_of(summary.summarise(octets, structure).bodystructure)
    assert shortened == summary.body_of(octets, structure.root)


def test_by_hand():
    """Multipart, text and message/rfc822 each end where RFC 3501 says; strings and literals are not taken apart."""
    assert body_of(
        b'(("TEXT" "PLAIN" ("CHARSET" "(\\")") NIL NIL "7BIT" 5 1 NIL NIL NIL NIL)'
        b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9 ({3}\r\n)"( "s" NIL NIL NIL NIL NIL NIL NIL NIL)'
        b'("IMAGE" "GIF" NIL NIL NIL "BASE64" 4 NIL ("ATTACHMENT" NIL) NIL NIL) 2 NIL NIL NIL NIL)'
        b' "MIXED" ("BOUNDARY" "x") NIL NIL NIL)'
    ) == (
        b'(("TEXT" "PLAIN" ("CHARSET" "(\\")") NIL NIL "7BIT" 5 1)'
        b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9 ({3}\r\n)"( "s" NIL NIL NIL NIL NIL NIL NIL NIL)'
        b'("IMAGE" "GIF" NIL NIL NIL "BASE64" 4) 2)'
        b' "MIXED")'
    )
