"""A message for hops that take no binary octets, or no 8-bit ones: the same message for whoever decodes it."""

import base64
import mmap
import tempfile
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from tests.mail.test_structure import VECTORS, multipart, shape
from unitymail.mail.lines import Lines, lines_of
from unitymail.mail.recoding import Hindrance, plan, written
from unitymail.mail.structure import scan, walk
from unitymail.mail.text import decoded

HEAD = b"From: a@b.example\r\nMIME-Version: 1.0\r\n"
BINARY = bytes(range(256)) * 3


def recoded(octets, *, eight_bit=True):
    """The message as it would go out, or the hindrance."""
    made = plan(octets, scan(octets), eight_bit=eight_bit)
    if isinstance(made, Hindrance):
        return made
    found = b"".join(written(made, lambda start, end: octets[start:end]))
    assert len(found) == made.size, "SIZE is told before the octets go"
    assert made.eight_bit == (not found.isascii())
    return found


def entity(kind, body, encoding=b"binary"):
    label = b"Content-Transfer-Encoding: " + encoding + b"\r\n" if encoding else b""
    return b"Content-Type: " + kind + b"\r\n" + label + b"\r\n" + body


def contents(octets):
    """Of each part that is none of parts: what it is, and its octets decoded."""
    return [(p.media_type, decoded(octets, p)) for p in walk(scan(octets).root) if not p.children]


def labels(octets):
    return [p.encoding for p in walk(scan(octets).root)]


def test_a_binary_attachment():
    """It becomes base64 in lines of 76; nothing else of the message changes."""
    text = entity(b"text/plain", b"Hello\r\n", b"7bit")
    message = HEAD + multipart(b"b", text, entity(b"image/png", BINARY)) + b"\r\n"
    found = recoded(message)
    lines = base64.encodebytes(BINARY).replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    assert found == message.replace(BINARY, lines).replace(b"Encoding: binary", b"Encoding: base64")
    assert contents(found) == contents(message)


def test_nothing_to_do():
    """A message that any hop takes stays as it is, octet for octet."""
    for eight_bit in (True, False):
        message = HEAD + multipart(b"b", entity(b"text/plain", b"Hello\r\n", b"")) + b"\r\n"
        assert recoded(message, eight_bit=eight_bit) == message
    assert recoded(b"") == b""


def test_the_last_line_has_an_end():
    """A message that ended within a line does so no more, encoded or not; what is decoded has no octet more."""
    assert recoded(HEAD + b"\r\nlast") == HEAD + b"\r\nlast\r\n"
    found = recoded(HEAD + entity(b"image/png", BINARY))
    assert found.endswith(b"\r\n") and contents(found) == [("image/png", BINARY)]


@pytest.mark.parametrize(("kind", "body", "encoding", "eight", "seven"), [
    (b"text/plain", b"plain\r\n", b"binary", "7bit", "7bit"),
    (b"text/plain", b"gr\xfc\xdfe\r\n", b"binary", "8bit", "base64"),
    (b"text/plain", b"gr\xfc\xdfe\r\n", b"8bit", "8bit", "base64"),
    (b"text/plain", b"gr\xfc\xdfe\r\n", b"", "7bit", "base64"),
    (b"text/plain", b"plain\r\n", b"8bit", "8bit", "7bit"),
    (b"text/plain", b"one\ntwo\n", b"binary", "base64", "base64"),
    (b"text/plain", b"one\rtwo", b"7bit", "base64", "base64"),
    (b"text/plain", b"a\0b\r\n", b"8bit", "base64", "base64"),
    (b"text/html", b"x" * 2_000 + b"\r\n", b"binary", "base64", "7bit"),
    (b"text/html", b"x" * 2_000 + b"\r\n", b"7bit", "base64", "7bit"),
    (b"image/png", b"\xff\xfe\r\n", b"binary", "base64", "base64"),
    (b"image/png", b"\xff\xfe\r\n", b"8bit", "8bit", "base64"),
    (b"application/pkcs7-mime", BINARY, b"binary", "base64", "base64"),
    (b"text/plain", b"=FC\r\n", b"quoted-printable", "quoted-printable", "quoted-printable"),
    (b"image/png", b"AAAA\r\n", b"base64", "base64", "base64"),
    (b"message/delivery-status", b"Status: 2.0.0\r\n", b"binary", "7bit", "7bit"),
    (b"text/plain", b"", b"binary", "7bit", "7bit"),
])  # fmt: skip
def test_each_part_by_its_octets(kind, body, encoding, eight, seven):
    """What a part needs is seen in its octets, whatever it is labelled; the label says then what there is."""
    message = HEAD + entity(kind, body, encoding)
    for eight_bit, label in ((True, eight), (False, seven)):
        found = recoded(message, eight_bit=eight_bit)
        assert labels(found) == [label]
        [(_, decoded_body)] = contents(found)
        assert decoded_body in (body, body + b"\r\n") or encoding == label.encode()


def test_what_encloses_promises_no_more():
    """Multiparts and enclosed messages that were `binary` are 7bit or 8bit now, never base64 (RFC 2045 6.4)."""
    inner = HEAD + entity(b"image/png", BINARY)
    enclosed = entity(b"message/rfc822", inner)
    whole = HEAD + b"Content-Transfer-Encoding: binary\r\n" + multipart(b"b", enclosed, entity(b"text/plain", b"\xe9"))
    assert labels(recoded(whole + b"\r\n")) == ["8bit", "7bit", "base64", "8bit"]
    assert labels(recoded(whole + b"\r\n", eight_bit=False)) == ["7bit", "7bit", "base64", "base64"]
    assert contents(recoded(whole + b"\r\n", eight_bit=False)) == contents(whole)


def test_mail_without_mime():
    """A message that says nothing of MIME says so once it is encoded, an enclosed one too."""
    found = recoded(b"From: a@b.example\r\n\r\n" + BINARY)
    assert found.startswith(
        b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    found = recoded(HEAD + entity(b"message/rfc822", b"Subject: x\r\n\r\n\0"))
    assert b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nAA==\r\n" in found


def test_one_label():
    """The field stays where it was; a second one, which would contradict it, goes."""
    message = HEAD + b"content-transfer-encoding: BINARY\r\nX: y\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\0\r\n"
    assert recoded(message) == HEAD + b"Content-Transfer-Encoding: base64\r\nX: y\r\n\r\nAA0K\r\n"


@pytest.mark.parametrize("kind", [b"signed", b"encrypted"])
def test_what_is_sealed_is_not_touched(kind):
    """A signature is about the octets: they pass as they are, or not at all, in whatever they are enclosed."""
    eight = multipart(b"s", entity(b"text/plain", b"gr\xfc\xdfe", b"8bit"), entity(b"a/b", b"sig", b""), subtype=kind)
    binary = multipart(b"s", entity(b"image/png", BINARY), entity(b"a/b", b"sig", b""), subtype=kind)
    for wrap in (lambda part: HEAD + part + b"\r\n", lambda part: HEAD + multipart(b"o", part) + b"\r\n"):
        assert recoded(wrap(eight)) == wrap(eight)
        assert recoded(wrap(eight), eight_bit=False) is Hindrance.SEALED
        assert recoded(wrap(binary)) is Hindrance.SEALED
    beside = HEAD + multipart(b"o", eight, entity(b"image/png", BINARY)) + b"\r\n"
    assert eight in recoded(beside) and contents(recoded(beside)) == contents(beside)


@pytest.mark.parametrize(("message", "hindrance"), [
    (b"Subject: a\0b\r\n\r\n\r\n", Hindrance.NUL), (b"Subject: a\nb: c\r\n\r\n", Hindrance.BARE),
    (HEAD + multipart(b"b", entity(b"a/b", b"c", b""), preamble=b"\0") + b"\r\n", Hindrance.NUL),
    (HEAD + multipart(b"b", entity(b"a/b", b"c", b""), epilogue=b"\n") + b"\r\n", Hindrance.BARE),
    (HEAD + multipart(b"b", b"Content-Type: a/b\nX: y\r\n\r\n"), Hindrance.BARE),
    (HEAD + entity(b"a/b", b"AA\0AA\r\n", b"base64"), Hindrance.NUL),
    (HEAD + entity(b"a/b", b"a=\nb\r\n", b"quoted-printable"), Hindrance.BARE),
    (HEAD + b"Content-Type: multipart/mixed; boundary=never\r\n\r\n\0\r\n", Hindrance.MALFORMED),
    (b"X: y\r\n" * 60_000 + b"\r\n\0", Hindrance.MALFORMED),
])  # fmt: skip
def test_what_no_encoding_can_hide(message, hindrance):
    """Headers, delimiters, what is encoded already, and multiparts that are none."""
    assert recoded(message) is hindrance


@pytest.mark.parametrize("message", [
    "Subject: Grüße\r\n\r\nHi\r\n".encode(),
    HEAD + multipart(b"b", b"Content-Description: gr\xfc\xdfe\r\n\r\nx") + b"\r\n",
    HEAD + entity(b"a/b", b"AA\xffAA\r\n", b"base64"),
])  # fmt: skip
def test_eight_bits_that_no_encoding_can_hide(message):
    """They pass where 8-bit text does."""
    assert recoded(message) == message
    assert recoded(message, eight_bit=False) is Hindrance.EIGHT_BIT


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
@pytest.mark.parametrize("eight_bit", [True, False])
def test_real_mail(path, eight_bit):
    """Messages of real systems keep their structure and each decoded octet."""
    octets = path.read_bytes()
    found = recoded(octets, eight_bit=eight_bit)
    if isinstance(found, Hindrance):
        assert path.stem.startswith(("broken", "smtputf8", "headers", "vpim_in_binary")), found
        return
    assert shape(scan(found).root) == shape(scan(octets).root)
    before, after = contents(octets), contents(found)
    assert [(kind, body.removesuffix(b"\r\n")) for kind, body in after] == [
        (kind, body.removesuffix(b"\r\n")) for kind, body in before
    ]


@given(garbage, st.booleans())
def test_garbage(octets, eight_bit):
    """Whatever comes in: a clean message of the same parts with the same contents, or a reason why not."""
    found = recoded(octets, eight_bit=eight_bit)
    if isinstance(found, Hindrance):
        return
    lines = lines_of(found, 0, len(found))
    assert (lines.nul, lines.bare) == (False, False) and (eight_bit or not lines.eight_bit)
    assert found.endswith(b"\r\n") or not octets
    assert shape(scan(found).root) == shape(scan(octets).root)
    assert [(kind, body.rstrip(b"\r\n")) for kind, body in contents(found)] == [
        (kind, body.rstrip(b"\r\n")) for kind, body in contents(octets)
    ]


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.booleans())
def test_binary_parts(bodies, eight_bit):
    """Any octets in any part come out as they went in."""
    parts = [entity(b"application/octet-stream", body) for body in bodies]
    message = HEAD + multipart(b"=_far_from_it", *parts) + b"\r\n"
    found = recoded(message, eight_bit=eight_bit)
    assert [body for _, body in contents(found)] == bodies
    assert lines_of(found, 0, len(found)) == Lines(eight_bit=not found.isascii())


def test_a_large_message_takes_little_memory():
    """20 MB of octets are encoded block by block."""
    with tempfile.TemporaryFile() as file:
        file.write(HEAD + b"Content-Type: video/mp4\r\nContent-Transfer-Encoding: binary\r\n\r\n")
        for _ in range(20):
            file.write(BINARY * 1_365)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            tracemalloc.start()
            made = plan(view, scan(view), eight_bit=True)
            size = sum(len(block) for block in written(made, lambda start, end: view[start:end]))
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    assert size == made.size > 27_000_000
    assert peak < 5_000_000
