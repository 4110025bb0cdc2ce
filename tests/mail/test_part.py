"""Part numbers as IMAP counts them, and the file names people see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from unitymail.mail.structure import find_part, leaves, scan, walk


def entity(kind, inside=b""):
    return b"Content-Type: " + kind + b"\r\n\r\n" + inside


def multipart(subtype, boundary, *parts):
    inside = b"".join(b"\r\n--" + boundary + b"\r\n" + part for part in parts)
    return entity(b"multipart/" + subtype + b"; boundary=" + boundary, inside + b"\r\n--" + boundary + b"--\r\n")


def message(inside):
    return entity(b"message/rfc822", b"Subject: inner\r\n" + inside)


RFC_3501 = b"Subject: outer\r\n" + multipart(
    b"mixed", b"a",
    entity(b"text/plain"),
    entity(b"application/octet-stream"),
    message(multipart(b"mixed", b"b", entity(b"text/plain"), entity(b"application/octet-stream"))),
    multipart(
        b"mixed", b"c",
        entity(b"image/gif"),
        message(multipart(
            b"mixed", b"d",
            entity(b"text/plain"),
            multipart(b"alternative", b"e", entity(b"text/plain"), entity(b"text/richtext")),
        )),
    ),
)


@pytest.mark.parametrize(("numbers", "kind"), [
    ((), "multipart/mixed"), ((1,), "text/plain"), ((2,), "application/octet-stream"), ((3,), "message/rfc822"),
    ((3, 1), "text/plain"), ((3, 2), "application/octet-stream"), ((4,), "multipart/mixed"), ((4, 1), "image/gif"),
    ((4, 2), "message/rfc822"), ((4, 2, 1), "text/plain"), ((4, 2, 2), "multipart/alternative"),
    ((4, 2, 2, 1), "text/plain"), ((4, 2, 2, 2), "text/richtext"),
    ((0,), None), ((5,), None), ((1, 1), None), ((3, 3), None), ((4, 2, 1, 1), None), ((-1,), None),
])
def test_numbers_of_the_standard(numbers, kind):
    """The example of RFC 3501 6.4.5, and numbers that are not there."""
    part = find_part(scan(RFC_3501).root, numbers)
    assert (part.media_type if part else None) == kind


def test_single_part_messages():
    """Part 1 of a message that is no multipart is its body; so it is in an enclosed message."""
    root = scan(b"Subject: x\r\n\r\nbody").root
    assert find_part(root, (1,)) is root
    assert find_part(root, (2,)) is None
    assert find_part(root, (1, 1)) is None
    forwarded = scan(b"Subject: x\r\n" + message(entity(b"text/html", b"hi"))).root
    assert find_part(forwarded, (1,)) is forwarded
    assert find_part(forwarded, (1, 1)).media_type == "text/html"
    assert find_part(forwarded, (1, 1, 1)) is None


def test_leaves_do_not_enter_messages():
    """An enclosed message is one leaf; of multipart/signed only what was signed counts."""
    root = scan(multipart(
        b"signed", b"s", multipart(b"mixed", b"m", entity(b"text/plain"), message(entity(b"audio/wav"))),
        entity(b"application/pkcs7-signature"),
    )).root
    assert [part.media_type for part in leaves(root)] == ["text/plain", "message/rfc822"]
    assert len(list(walk(root))) == 6


@pytest.mark.parametrize(("field", "name"), [
    (b"Content-Disposition: attachment; filename=\"VoiceMessage.wav\"", "VoiceMessage.wav"),
    (b"Content-Disposition: attachment; filename=plain.txt\r\nContent-Type: a/b; name=other.txt", "plain.txt"),
    (b"Content-Type: audio/wav; name=\"only name.wav\"", "only name.wav"),
    (b"Content-Disposition: attachment; filename*=utf-8''M%C3%BCller.wav; filename=Mueller.wav", "Müller.wav"),
    (b"Content-Type: a/b;\r\n name*0*=utf-8''Sprach;\r\n name*1*=nachricht%20M%C3%BCller;\r\n name*2=.wav",
     "Sprachnachricht Müller.wav"),
    (b"Content-Disposition: attachment; filename=\"=?utf-8?Q?M=C3=BCller.wav?=\"", "Müller.wav"),
    (b"Content-Disposition: attachment; filename=\"M\xfcller.wav\"", "Müller.wav"),
    (b"Content-Disposition: attachment; filename=\"M\xc3\xbcller.wav\"", "Müller.wav"),
    (b"Content-Disposition: attachment; filename=\"../../etc/passwd\"", "passwd"),
    (b"Content-Disposition: attachment; filename=\"C:\\\\temp\\\\x.doc\"", "x.doc"),
    (b"Content-Disposition: attachment; filename=\"a\x00b\x1b[2J.txt\"", "ab[2J.txt"),
    (b"Content-Disposition: attachment; filename*=utf-8''a%0d%0aX.txt", "aX.txt"),
    (b"Content-Disposition: attachment; filename=" + b"x" * 400, "x" * 255),
    (b"Content-Disposition: attachment", ""),
    (b"X: y", ""),
])
def test_file_names(field, name):
    """RFC 2231, then RFC 2047 in quotes (Outlook), then raw; no path, no control characters, 255 at most."""
    assert scan(field + b"\r\n\r\n").root.filename == name


@given(garbage, st.lists(st.integers(0, 4), max_size=5))
def test_garbage_has_names_and_numbers(octets, numbers):
    """No file name and no part number makes trouble; every numbered part is one of the tree."""
    root = scan(octets).root
    parts = list(walk(root))
    found = find_part(root, tuple(numbers))
    assert found is None or any(found is part for part in parts)
    for part in parts:
        assert len(part.filename) <= 255
        assert not set(part.filename) & set("/\\\r\n\0")
