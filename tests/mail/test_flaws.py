"""What is wrong with octets, in words."""

import mmap
import tempfile

import pytest
from hypothesis import given

from tests.mail.garbage import garbage
from unitymail.mail.flaws import content_flaws
from unitymail.mail.structure import scan

HEAD = b"From: a@b\r\n"
BINARY = b"Content-Type: audio/32kadpcm\r\nContent-Transfer-Encoding: binary\r\n\r\n"


def flaws(octets):
    return content_flaws(octets, scan(octets))


@pytest.mark.parametrize(("octets", "expected"), [
    (HEAD + b"\r\nbody\r\n", ()),
    (HEAD + b"Subject: Gru\xc3\x9f\r\n\r\ncaf\xe9", ()),
    (HEAD + b"Subject: R\xe9union\r\n\r\nx", ("a header that is neither ASCII nor UTF-8",)),
    (HEAD + b"\r\na\0b\r\n", ("NUL",)),
    (HEAD + b"Subject: \0\r\n\r\n", ("NUL",)),
    (HEAD + b"\r\na\nb", ("CR or LF alone",)),
    (HEAD + b"\r\na\rb", ("CR or LF alone",)),
    (HEAD + b"\r\na\n\rb", ("CR or LF alone",)),
    (HEAD + b"\r\na\r\r\nb", ("CR or LF alone",)),
    (HEAD + BINARY + b"a\nb\rc\0", ()),
    (HEAD + b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\nAA==\r\n", ()),
    (HEAD + b"Content-Transfer-Encoding: base64\r\n\r\nAA*AA\r\n",
     ("base64 with characters outside its alphabet",)),
])
def test_flaws(octets, expected):
    """8-bit headers must be UTF-8; NUL and bare line ends belong in binary parts only; base64 in its alphabet."""
    assert flaws(octets) == expected


def test_only_binary_bodies_are_free():
    """A binary part excuses nothing around it."""
    octets = (HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + BINARY + b"\0\n\r\n--b\r\n\r\n%b"
              b"\r\n--b--")
    assert flaws(octets % b"text") == ()
    assert flaws(octets % b"te\0xt") == ("NUL",)


def test_line_ends_across_blocks():
    """A large message is looked at in blocks; a CRLF on the border of two is still one line end."""
    for size in range((1 << 20) - 2, (1 << 20) + 3):
        octets = HEAD + b"\r\n" + b"x" * (size - len(HEAD) - 2) + b"\r\n" + b"y" * 10
        assert flaws(octets) == ()
        assert flaws(octets + b"\n") == ("CR or LF alone",)


@given(garbage.filter(bool))
def test_garbage(octets):
    """Anything is judged, and a mapped file as the same octets in memory."""
    with tempfile.TemporaryFile() as file:
        file.write(octets)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert content_flaws(mapped, scan(mapped)) == flaws(octets)
