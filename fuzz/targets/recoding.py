"""A message for those who take no binary or no 8-bit octets: the same parts, clean lines, or a reason why not."""

from __future__ import annotations

from fuzz.octets import vectors
from unitymail.mail.lines import lines_of
from unitymail.mail.part import Part
from unitymail.mail.recoding import Hindrance, plan, written
from unitymail.mail.structure import scan, walk
from unitymail.mail.text import decoded

WORDS = [
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n", b"\r\n--b\r\n", b"\r\n--b--\r\n",
    b"Content-Transfer-Encoding: ",
    b"binary\r\n", b"8bit\r\n", b"base64\r\n", b"quoted-printable\r\n", b"multipart/signed", b"message/rfc822", b"\0",
    b"\r", b"\n",
    b"\xff", b"x" * 1000, b"\r\n\r\n",
]
SEEDS = [
    *vectors(8_192),
    b"Content-Type: video/mp4\r\nContent-Transfer-Encoding: binary\r\n\r\n" + bytes(range(256)),
    b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n--b\r\n"
    b"Content-Transfer-Encoding: binary\r\n\r\na\0b\rc\nd\r\n--b--\r\n",
]


def one(data: bytes) -> None:
    structure = scan(data)
    for eight_bit in (False, True):
        made = plan(data, structure, eight_bit=eight_bit)
        if isinstance(made, Hindrance):
            assert made.value
            continue
        octets = b"".join(written(made, lambda start, end: data[start:end]))
        assert len(octets) == made.size, "SIZE is told before the octets go"
        lines = lines_of(octets, 0, len(octets))
        assert not lines.nul and not lines.bare
        assert octets.isascii() or (eight_bit and made.eight_bit)
        assert octets.endswith(b"\r\n") or not data
        before, after = list(walk(structure.root)), list(walk(scan(octets).root))
        assert [part.media_type for part in after] == [part.media_type for part in before]
        assert list(map(_body, [octets] * len(after), after)) == list(map(_body, [data] * len(before), before))


def _body(octets: bytes, part: Part) -> bytes:
    return b"" if part.children else decoded(octets, part).rstrip(b"\r\n")
