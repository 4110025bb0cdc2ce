"""Header fields come back exactly as they were stored."""

from hypothesis import given

from tests.mail.garbage import garbage
from unitymail.mail.headers import Field, fields, first, readable
from unitymail.mail.structure import scan

OCTETS = (
    b"Received: from a\r\n\tby b;\r\n  today\r\n"
    b"received: second\r\n"
    b"SUBJECT:no blank\r\n"
    b"X-Odd : spaced colon\r\n"
    b"not a field\r\n"
    b"X-8bit: caf\xe9\r\n"
    b"Empty:\r\n"
    b"\r\n"
    b"Subject: in the body\r\n"
)


def test_fields_are_as_stored():
    """Order, repeats, case, folding and 8-bit stay; a line that is no field is kept too, without a name."""
    root = scan(OCTETS).root
    assert fields(OCTETS, root.start, root.body) == [
        Field(b"Received", b"Received: from a\r\n\tby b;\r\n  today\r\n"),
        Field(b"received", b"received: second\r\n"),
        Field(b"SUBJECT", b"SUBJECT:no blank\r\n"),
        Field(b"X-Odd", b"X-Odd : spaced colon\r\n"),
        Field(b"", b"not a field\r\n"),
        Field(b"X-8bit", b"X-8bit: caf\xe9\r\n"),
        Field(b"Empty", b"Empty:\r\n"),
    ]


def test_values():
    """The body of a field is what stands behind its colon."""
    found = fields(OCTETS, 0, scan(OCTETS).root.body)
    assert [field.value for field in found[1:5]] == [b" second\r\n", b"no blank\r\n", b" spaced colon\r\n",
                                                     b"not a field\r\n"]


def test_first():
    """A field is found by name in any case, folds included, and never in the body."""
    root = scan(OCTETS).root
    assert first(OCTETS, root, b"Subject") == b"no blank\r"
    assert first(OCTETS, root, b"x-odd") == b" spaced colon\r"
    assert first(OCTETS, root, b"X-O") is None
    assert first(OCTETS, root, b"Received") == b" from a\r\n\tby b;\r\n  today\r"


def test_readable_fields_have_limits():
    """What begins after 256 KiB of header is stored and served, but not interpreted; nor is a line without a name."""
    octets = b"junk\r\nA: b\r\n" + b"X: y\r\n" * 50_000 + b"Late: z\r\n\r\n"
    found = list(readable(octets, scan(octets).root))
    assert found[0] == (b"a", b" b\r\n")
    assert 43_000 < len(found) < 44_000 and found[-1] == (b"x", b" y\r\n")


def test_a_part_has_its_own_header():
    """The fields of an enclosed message are not those of the part that carries it."""
    octets = b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nbody"
    root = scan(octets).root
    assert [field.name for field in fields(octets, root.start, root.body)] == [b"Content-Type"]
    inner = root.children[0]
    assert [field.name for field in fields(octets, inner.start, inner.body)] == [b"Subject"]


@given(garbage)
def test_no_octet_is_lost(octets):
    """Whatever a header holds, its fields joined are its octets up to the blank line."""
    root = scan(octets).root
    joined = b"".join(field.raw for field in fields(octets, root.start, root.body))
    rest = octets[root.start + len(joined):root.body]
    assert octets.startswith(joined)
    assert rest in (b"", b"\r\n", b"\n")
