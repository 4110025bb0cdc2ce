"""What SORT compares of a message, as RFC 5256 and RFC 5957 name it."""

import pytest
from hypothesis import given

from tests.mail.garbage import garbage
from unitymail.mail.headers import fields as split
from unitymail.mail.sort_terms import LONGEST, sort_terms
from unitymail.mail.text import fold


@pytest.mark.parametrize(("field", "mailbox", "display"), [
    (b"From: Robin Day <robin@vm1.example.com>", "robin", "Robin Day"),
    (b'From: "Day, Robin" <robin@vm1.example.com>', "robin", "Day, Robin"),
    (b"From: robin@vm1.example.com", "robin", "robin@vm1.example.com"),
    (b"From: <robin@vm1.example.com>, chris@x", "robin", "robin@vm1.example.com"),
    (b"From: robin@vm1.example.com (Robin)", "robin", "Robin"),
    (b'From: "" <robin@vm1.example.com>', "robin", "robin@vm1.example.com"),
    (b"From: =?utf-8?q?J=C3=B6rg?= <joerg@x>", "joerg", "Jörg"),
    (b"From: =?utf-8?q??= <joerg@x>", "joerg", "joerg@x"),
    (b'From: "a b"@x', "a b", "a b@x"),
    (b"From: Friends: robin@x, chris@x;", "Friends", "Friends"),
    (b"From: robin", "robin", "robin"),
    (b"From: J\xc3\xb6rg <j\xc3\xb6rg@x>", "jörg", "Jörg"),
    (b"From:", "", ""), (b"from:\r\n  Robin\r\n  <robin@x>", "robin", "Robin"), (b"X-From: robin@x", "", ""),
])
def test_from(field, mailbox, display):
    """The part before the @ of the first address, and what a client would show of it."""
    found = sort_terms(field + b"\r\n")
    assert (found.from_, found.displayfrom) == (fold(mailbox), fold(display))


def test_all_of_them():
    """Each criterion has its own field; repeats after the first do not count, wherever they stand."""
    found = sort_terms(
        b"Received: x\r\nTo: Chris <chris@x>\r\nSubject: =?utf-8?q?Re:_[l]_caf=C3=A9?=\r\n again\r\n"
        b"cc: terry@x, a@b\r\n"
        b"From: robin@x\r\nSUBJECT: other\r\nTo: other@x\r\n"
    )
    assert found == ("CAFE\u0301 AGAIN", "ROBIN", "CHRIS", "TERRY", "ROBIN@X", "CHRIS")


def test_nothing():
    """What is missing is the empty string, which comes before all others."""
    assert sort_terms(b"") == ("",) * 6


def test_long_lists():
    """Of a list of thousands the first address is found without reading the others, also a very long one."""
    many = b", ".join(b"user%d@example.com" % n for n in range(3_000))
    assert sort_terms(b"To: " + many + b"\r\n").to == "USER0"
    name = b'"' + b"n" * 5_000 + b'"'
    found = sort_terms(b"To: " + name + b" <robin@x>, chris@x\r\n")
    assert found.to == "ROBIN"
    assert found.displayto == "N" * LONGEST


@given(garbage)
def test_garbage(octets):
    """Any header has terms, which can be kept as text and are not too long."""
    kept = b"".join(field.raw for field in split(octets, 0, len(octets)))
    for term in sort_terms(kept):
        assert len(term.encode("utf-8")) <= 4 * LONGEST
