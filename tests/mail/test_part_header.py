"""What the header of one part says of it, read at once."""

from hypothesis import given

from tests.mail.garbage import garbage
from unitymail.mail.parameters import MediaType
from unitymail.mail.part_header import FILE_NAME_TOO_LONG, read

NAMED = (("filename", "a.pdf"),)


def test_an_attachment():
    """Type, encoding, disposition and the rest, in any case and order; such a part needs no second look."""
    header = read(
        b"Content-Disposition: attachment; filename=\"a.pdf\"\r\nCONTENT-TYPE : application/pdf; name=a.pdf\r\n"
        b"Content-Transfer-Encoding: BASE64\r\nX-Content-Type: text/html\r\nContent-ID: <a@b>\r\n\r\n"
    )
    assert header.media == MediaType("application", "pdf", (("name", "a.pdf"),))
    assert header.kind == ("application", "pdf", (("name", "a.pdf"),), "base64", "attachment", NAMED)
    assert header.extension == (b" <a@b>\r", None, None, None, None)
    assert (header.flaws, header.is_leaf, header.is_text) == ((), True, False)


def test_nothing_said():
    """Without any field it is plain text in 7bit, and it is known that nobody said so."""
    header = read(b"\r\n")
    assert header.media is None
    assert header.kind == ("text", "plain", (), "7bit", "", ())
    assert (header.is_leaf, header.is_text) == (True, True)


def test_what_needs_a_second_look():
    """Whatever holds other parts, has a flaw, or may run into a delimiter is no mere leaf."""
    twice = read(b"Content-Type: text/html\r\nContent-Type: text/plain\r\n\r\n")
    assert (twice.media, twice.flaws) == (MediaType("text", "html", ()), ("two Content-Type fields in one header",))
    name = b"Content-Disposition: attachment; filename=" + b"a" * 256
    for block in (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n", b"Content-Type: message/rfc822\r\n\r\n",
        b"--b\r\n", b"X: y\r\n--b\r\n", b"Content-Type: nonsense\r\n\r\n", name,
    ):  # fmt: skip
        assert not read(block).is_leaf
    assert read(name).flaws == (FILE_NAME_TOO_LONG,)


@given(garbage)
def test_garbage(octets):
    """Anything is some header, and the same one when it comes again."""
    assert read(octets) == read(octets)
