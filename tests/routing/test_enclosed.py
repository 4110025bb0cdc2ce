"""Private messages inside others are found, however they are wrapped."""

import base64
import quopri
import tracemalloc

import pytest
from hypothesis import given

from tests.mail.garbage import garbage
from tests.routing.test_categorise import SECURE, STATUS, TEXT, inner, leaf, many
from unitymail.mail.structure import scan
from unitymail.routing.categorise import read
from unitymail.routing.enclosed import encloses_private

LETTER = b"Subject: x\r\nSensitivity: private (x)\r\n\r\nbody"
PRIVATE = b"Content-Type: message/rfc822\r\n\r\n" + LETTER
RFC822 = "message/rfc822"


def quoted(content, kind=RFC822):
    """A quoted-printable part, with everything in it encoded that can be."""
    encoded = quopri.encodestring(content.replace(b"\r\n", b"\n"), quotetabs=True).replace(b"\n", b"\r\n")
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n".encode() + encoded


def encoded(deep, content=LETTER):
    """Base64 messages within each other."""
    entity = leaf(RFC822, content)
    for _ in range(deep - 1):
        entity = leaf(RFC822, b"Subject: x\r\n" + entity)
    return entity


@pytest.mark.parametrize(("entity", "expected"), [
    (many("multipart/mixed", TEXT, PRIVATE), True),
    (PRIVATE, True),
    (many("multipart/mixed", TEXT, inner(many("multipart/mixed", PRIVATE, boundary=b"c"))), True),
    (many("multipart/mixed", TEXT, PRIVATE.replace(b"rfc822", b"global")), True),
    (many("multipart/digest", b"\r\n" + LETTER), True),
    (many("multipart/mixed", TEXT, inner(TEXT)), False),
    (many("multipart/report; report-type=delivery-status", TEXT, STATUS, PRIVATE), False),
    (many("multipart/report", many("multipart/mixed", PRIVATE, boundary=b"c"), STATUS), True),
    (many("multipart/mixed", many("multipart/report", TEXT, STATUS, PRIVATE, boundary=b"c")), True),
])
def test_enclosed_private_messages(entity, expected):
    """A private message inside is found at any depth; the one that a report returns does not count."""
    assert read(b"From: a@b\r\n" + entity, SECURE).encloses_private is expected


@pytest.mark.parametrize(("entity", "expected"), [
    (many("multipart/mixed", TEXT, leaf(RFC822, LETTER, name="forwarded.eml")), True),
    (leaf(RFC822, LETTER), True),
    (many("multipart/mixed", TEXT, quoted(LETTER)), True),
    (leaf(RFC822, b"Subject: x\r\n" + many("multipart/mixed", TEXT, PRIVATE, boundary=b"c")), True),
    (leaf(RFC822, b"Subject: x\r\n" + leaf("message/global", LETTER)), True),
    (leaf(RFC822, b"X: " + b"x" * 70_000 + b"\r\n" + LETTER), True),
    (encoded(5), True),
    (leaf(RFC822, b"Subject: x\r\n\r\nSensitivity: private\r\n"), False),
    (leaf(RFC822, b""), False),
    (many("multipart/report; report-type=delivery-status", TEXT, STATUS, leaf(RFC822, LETTER)), False),
    (b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(LETTER), False),
])
def test_encoded_messages_are_opened(entity, expected):
    """Several mail clients send what they forward in base64, though RFC 2046 5.2.1 forbids it."""
    assert read(b"From: a@b\r\n" + entity, SECURE).encloses_private is expected


@pytest.mark.parametrize("entity", [
    encoded(20),
    many("multipart/mixed", *[encoded(8, b"x: y\r\n" * 100)] * 900),
    (b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n") * 20_000,
    leaf(RFC822, b"x" * 20_000_000),
])
def test_floods_end_soon(entity):
    """Encoded within encoded within encoded, as often as it fits: what is opened of it is bounded."""
    assert not encloses_private(b"From: a@b\r\n" + entity, scan(b"From: a@b\r\n" + entity).root)


def test_many_encoded_messages_are_opened_one_after_the_other():
    """What is decoded of one is forgotten before the next: memory does not grow with their number."""
    letter = b"x: y\r\n\r\n" + b"z" * 300_000
    octets = b"From: a@b\r\n" + many("multipart/mixed", *[leaf(RFC822, letter)] * 30)
    root = scan(octets).root
    tracemalloc.start()
    try:
        assert not encloses_private(octets, root)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@given(garbage)
def test_garbage(octets):
    """Anything has an answer."""
    assert encloses_private(octets, scan(octets).root) in (True, False)
