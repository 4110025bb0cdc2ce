"""Address lists, from textbook to shipwreck."""

import pytest
from hypothesis import given

from tests.mail.garbage import garbage
from unitymail.mail.mailboxes import END_OF_GROUP, Entry, Mailbox, addresses, entries


def box(name, local, domain, route=None):
    return Entry(name, route, local, domain)


@pytest.mark.parametrize(("raw", "expected"), [
    (b"", []),
    (b" ,, ,", []),
    (b"a@b, @, @@", [box(None, b"a", b"b"), box(None, b"@", b"")]),
    (b"a@b", [box(None, b"a", b"b")]),
    (b" <a@b>", [box(None, b"a", b"b")]),
    (b"Robin Smith <robin@example.com>, a@b", [box(b"Robin Smith", b"robin", b"example.com"), box(None, b"a", b"b")]),
    (b'"Smith, Robin" <a@b>,"x" <c@d>', [box(b"Smith, Robin", b"a", b"b"), box(b"x", b"c", b"d")]),
    (b'"a \\"quoted\\" name" <a@b>', [box(b'a "quoted" name', b"a", b"b")]),
    (b"a@b (Robin Smith)", [box(b"Robin Smith", b"a", b"b")]),
    (b"(hidden (deep)) a@b", [box(b"hidden (deep)", b"a", b"b")]),
    (b"Robin (not me) Smith <a@b>", [box(b"Robin Smith", b"a", b"b")]),
    (b'"john doe"@example.com', [box(None, b'"john doe"', b"example.com")]),
    (b"<@one,@two:user@three>", [box(None, b"user", b"three", b"@one,@two")]),
    (b"a@[192.0.2.1], b@[IPv6:2001:db8::1]", [box(None, b"a", b"[192.0.2.1]"), box(None, b"b", b"[IPv6:2001:db8::1]")]),
    (b"undisclosed-recipients:;", [Entry(None, None, b"undisclosed-recipients", b"", "begin"), END_OF_GROUP]),
    (b'"My Group": a@b, C <c@d>; e@f', [
        Entry(None, None, b"My Group", b"", "begin"), box(None, b"a", b"b"), box(b"C", b"c", b"d"), END_OF_GROUP,
        box(None, b"e", b"f"),
    ]),
    (b"Open: a@b", [Entry(None, None, b"Open", b"", "begin"), box(None, b"a", b"b"), END_OF_GROUP]),
    (b"root", [box(None, b"root", b"")]),
    (b"Undisclosed recipients", [box(None, b"Undisclosed recipients", b"")]),
    (b"<>", []),
    (b'"Nobody" <>', [box(b"Nobody", b"", b"")]),
    (b"me@corp.example <you@other.example>", [box(b"me@corp.example", b"you", b"other.example")]),
    (b"a@b@c", [box(None, b"a@b", b"c")]),
    (b"<a@b> <c@d>", [box(None, b"a", b"b"), box(None, b"c", b"d")]),
    (b"Robin <a@b", [box(b"Robin", b"a", b"b")]),
    (b"Doe, John <j@d>", [box(None, b"Doe", b""), box(b"John", b"j", b"d")]),
    (b"J\xc3\xb6rg <j\xc3\xb6rg@example.com>", [box(b"J\xc3\xb6rg", b"j\xc3\xb6rg", b"example.com")]),
    (b" a@b,\r\n\tRobin\r\n Smith <c@d>\r\n", [box(None, b"a", b"b"), box(b"Robin Smith", b"c", b"d")]),
    (b"=?utf-8?Q?a=2Cb?= <a@b>", [box(b"=?utf-8?Q?a=2Cb?=", b"a", b"b")]),
    (b"FAX=+14085550100@fax.example.org", [box(None, b"FAX=+14085550100", b"fax.example.org")]),
])
def test_lists(raw, expected):
    """Names, routes, groups, comments, quotes and what is missing, as ENVELOPE tells them apart."""
    assert entries(raw) == expected


def test_mailboxes_for_people():
    """Names are decoded; group names are not mailboxes; 8-bit that is no UTF-8 does no harm."""
    assert addresses(b"=?iso-8859-1?Q?Ren=E9e?= <r@example.com>, G: a@b;") == [
        Mailbox("Renée", "r@example.com"), Mailbox("", "a@b")
    ]
    assert addresses(b"Ren\xe9e <\xe9@example.com>") == [Mailbox("Renée", "é@example.com")]


def test_very_long_lists_are_cut_between_addresses():
    """Of a field over 64 KiB what is read ends with a whole address."""
    found = addresses(b"user@example.com, " * 10_000)
    assert set(found) == {Mailbox("", "user@example.com")}
    assert 3_000 < len(found) < 4_000


@pytest.mark.parametrize("piece", [b"(", b")", b'"', b"\\", b"<", b">", b",", b";", b":", b":;", b"@", b"<@a,", b"[",
                                   b"a ", b'"" ', b"\r\n ", b"(\\"])
def test_floods_end_soon(piece):
    """A megabyte of anything is read in one pass."""
    entries(piece * (1_000_000 // len(piece)))


@given(garbage)
def test_garbage(octets):
    """Anything gives a list in which groups open and close in turn."""
    depth = 0
    for entry in entries(octets):
        depth += {"begin": 1, "end": -1, "": 0}[entry.group]
        assert depth in (0, 1)
    assert depth == 0
    addresses(octets)


def test_a_name_is_one_line():
    """Encoded words can hold line ends and NUL; a name for people cannot."""
    found = addresses(b"=?utf-8?q?Robin=0D=0ABcc=3A_x=00?= <robin@example.com>, \"a\0b\" <c@d>")
    assert found == [Mailbox("Robin  Bcc: x", "robin@example.com"), Mailbox("ab", "c@d")]
