"""FETCH attributes become items, each once; macros stand for others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.fetch.grammar import attributes
from unitymail.imap.fetch.items.body import Body, Subset
from unitymail.imap.fetch.items.index import BODY, BODYSTRUCTURE, ENVELOPE, INTERNALDATE, SIZE
from unitymail.imap.fetch.items.view import FLAGS, UID
from unitymail.imap.fetch.section import Section
from unitymail.imap.wire.lexer import BadSyntax, Literal, Reader


def read(*parts):
    reader = Reader([p.encode() if isinstance(p, str) else p for p in parts])
    found = attributes(reader)
    reader.end()
    return list(found)


@pytest.mark.parametrize(("text", "items"), [
    ("FLAGS", [FLAGS]),
    ("(UID FLAGS)", [UID, FLAGS]),
    ("(uid flags UID)", [UID, FLAGS]),
    ("FAST", [FLAGS, INTERNALDATE, SIZE]),
    ("ALL", [FLAGS, INTERNALDATE, SIZE, ENVELOPE]),
    ("full", [FLAGS, INTERNALDATE, SIZE, ENVELOPE, BODY]),
    ("(BODY BODYSTRUCTURE)", [BODY, BODYSTRUCTURE]),
    ("RFC822", [Body(b"RFC822", Section(), None, True)]),
    ("RFC822.HEADER", [Body(b"RFC822.HEADER", Section((), "HEADER"))]),
    ("RFC822.TEXT", [Body(b"RFC822.TEXT", Section((), "TEXT"), None, True)]),
    ("BODY[]", [Body(b"BODY[]", Section(), None, True)]),
    ("BODY.PEEK[]<5.20>", [Body(b"BODY[]<5>", Section(), (5, 20))]),
    ("body.peek[text]", [Body(b"BODY[TEXT]", Section((), "TEXT"))]),
    ("BODY[1.2.MIME]", [Body(b"BODY[1.2.MIME]", Section((1, 2), "MIME"), None, True)]),
    ("BODY[3.HEADER]", [Body(b"BODY[3.HEADER]", Section((3,), "HEADER"), None, True)]),
    ('BODY.PEEK[HEADER.FIELDS.NOT (Subject "x y")]',
     [Body(b'BODY[HEADER.FIELDS.NOT (Subject "x y")]', Section((), "HEADER.FIELDS.NOT", (b"Subject", b"x y")))]),
    ("BODY.PEEK[1.HEADER.FIELDS (Subject)]",
     [Body(b"BODY[1.HEADER.FIELDS (Subject)]", Section((1,), "HEADER.FIELDS", (b"Subject",)))]),
    ("BODY.PEEK[HEADER.FIELDS (X-Odd)]",
     [Body(b"BODY[HEADER.FIELDS (X-Odd)]", Section((), "HEADER.FIELDS", (b"X-Odd",)))]),
])
def test_items(text, items):
    """Each attribute is read as RFC 3501 means it; answers are named without PEEK and length."""
    assert read(text) == items


def test_kept_fields_come_from_the_index():
    """Header fields that the index keeps are not read from the file."""
    (item,) = read("BODY[HEADER.FIELDS (Subject FROM)]<0.9>")
    assert (item.label, item.column, item.sets_seen) == (b"BODY[HEADER.FIELDS (Subject FROM)]<0>", "fields", True)
    assert item.convert == Subset(frozenset({b"subject", b"from"}), (0, 9))
    assert item.convert(b"From: a\r\nTo: b\r\nSubject: c\r\n") == b"{9}\r\nFrom: a\r\n"


def test_names_as_literals():
    """A field name may be a literal."""
    assert read("(BODY.PEEK[HEADER.FIELDS (", Literal(b"X-Odd"), " Date)] UID)") == [
        Body(b"BODY[HEADER.FIELDS (X-Odd Date)]", Section((), "HEADER.FIELDS", (b"X-Odd", b"Date"))), UID,
    ]


@pytest.mark.parametrize("text", [
    "", "()", "(", "(FLAGS", "FLAGS)", "(FLAGS  UID)", "FLAGS UID", "(ALL)", "(FLAGS FAST)", "FOO", "BODY.PEEK",
    "BODY[", "BODY.PEEK[]x", "RFC822.PEEK", "RFC822.SIZE[]", "(BODY[TEXT)", "ENVELOPE<0.1>", "\xff", "BODY [TEXT]",
    "(" + " ".join(["UID"] * 200) + ")",
])
def test_bad(text):
    """What cannot be read is refused."""
    with pytest.raises(BadSyntax):
        read(text)


@given(st.lists(st.sampled_from([
    "BODY", ".PEEK", "[", "]", "(", ")", " ", "HEADER", ".FIELDS", ".NOT", "1", ".", "0", "<", ">", "TEXT", "MIME",
    "UID", "%", '"', "\\", "RFC822", ".SIZE", "FLAGS", "\xe9",
]), max_size=14))
def test_garbage(words):
    """Any words give items or a refusal."""
    try:
        read("".join(words))
    except BadSyntax:
        pass
