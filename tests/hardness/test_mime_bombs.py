"""MIME bombs: a small message that costs a server or its clients without bound.

CVE-2020-12100 (deep nesting), CVE-2024-23184 and -23185 (thousands of address and other header fields),
CVE-2026-27859 (RFC 2231 parameters) in Dovecot; CVE-2026-26312 (cyclic MIME) in Stalwart. Each bomb goes through all
that reads a message on its way in and for its readers; work and memory are measured by counting, never by the clock.
"""

import pytest

from tests.hardness.work import assert_linear, calls, peak
from unitymail.mail.headers import decode
from unitymail.mail.lexical import LONGEST_HEADER
from unitymail.mail.returned import MOST_GROUPS, returned
from unitymail.mail.structure import DEEPEST_MESSAGE, DEEPEST_MULTIPART, MOST_PARTS, scan, walk
from unitymail.mail.summary import body_of, summarise
from unitymail.mail.text import body_text
from unitymail.mail.vpim.inbound import contents_of
from unitymail.mail.vpim.selection import select
from unitymail.routing.categorise import read

MIB = 1 << 20
SECURE = (("x-unity-secure", "true"),)


def read_all(octets):
    """What the node does with a message when it comes in, and what it keeps for FETCH and SEARCH."""
    message = read(octets, SECURE, host="vm1.example.com")
    structure = scan(octets)
    summary = summarise(octets, structure)
    body_of(octets, structure.root)
    contents_of(structure.root)
    select(octets, structure, fax=True)
    returned(octets, structure.root)
    for part in walk(structure.root):
        assert len(part.filename) <= 255
    return message, structure, summary


def multipart(inside, boundary=b"b", kind=b"mixed"):
    return b'Content-Type: multipart/%b; boundary="%b"\r\n\r\n' % (kind, boundary) + inside


def header(*fields):
    return b"".join(fields) + b"\r\nHi.\r\n"


BOMBS = {
    "thousands of fields": lambda n: header(*(b"X-Field-%d: value\r\n" % number for number in range(n))),
    "one field over and over": lambda n: header(b"Received: from a by b; x\r\n" * n),
    "one address field over and over": lambda n: header(b"From: Robin <robin@vm1.example.com>\r\n" * n),
    "one sensitivity over and over": lambda n: header(b"Sensitivity: Private\r\n" * n),
    "content fields over and over": lambda n: header(b"Content-Type: text/plain\r\nContent-Description: x\r\n" * n),
    "lines that are no fields": lambda n: header(b"no field at all\r\n" * n),
    "a field folded and folded": lambda n: header(b"Subject: a\r\n" + b" b\r\n" * n),
    "blank folds": lambda n: header(b"Subject: a\r\n" + b" \r\n" * n),
    "a long list of addresses": lambda n: header(b"To: " + b"Robin <robin@vm1.example.com>,\r\n " * n + b"x@y\r\n"),
    "an address of commas": lambda n: header(b"To: " + b"," * n + b"\r\n"),
    "an address of brackets": lambda n: header(b"To: " + b"<" * n + b"\r\n"),
    "groups in groups": lambda n: header(b"To: " + b"g:" * n + b"\r\n"),
    "comments in comments": lambda n: header(b"To: " + b"(" * n + b")" * n + b" a@b\r\n"),
    "quotes without end": lambda n: header(b"To: " + b'"\\' * n + b"\r\n"),
    "routes": lambda n: header(b"To: <" + b"@a," * n + b":a@b>\r\n"),
    "encoded words": lambda n: header(b"Subject: " + b"=?utf-8?q?=C3=A9?= " * n + b"\r\n"),
    "encoded words of many charsets": lambda n: header(
        b"Subject: " + b"".join(b"=?cs-%d?q?a?= " % number for number in range(n)) + b"\r\n"),
    "encoded words that do not end": lambda n: header(b"Subject: " + b"=?utf-8?q?" * n + b"\r\n"),
    "question marks": lambda n: header(b"Subject: " + b"=?" * n + b"\r\n"),
    "RFC 2231 pieces": lambda n: header(
        b"Content-Type: text/plain" + b"".join(b";\r\n name*%d=a" % number for number in range(n)) + b"\r\n"),
    "RFC 2231 pieces, all the same": lambda n: header(b"Content-Type: text/plain" + b";\r\n name*0*=a" * n + b"\r\n"),
    "RFC 2231 pieces from the end": lambda n: header(
        b"Content-Type: text/plain" + b"".join(b";\r\n name*%d=a" % number for number in reversed(range(n))) + b"\r\n"),
    "percents": lambda n: header(b"Content-Disposition: attachment; filename*=utf-8''" + b"%41" * n + b"\r\n"),
    "parameters": lambda n: header(
        b"Content-Type: text/plain" + b"".join(b"; p%d=v" % number for number in range(n)) + b"\r\n"),
    "semicolons": lambda n: header(b"Content-Type: text/plain" + b";" * n + b"\r\n"),
    "a type of slashes": lambda n: header(b"Content-Type: " + b"/" * n + b"\r\n"),
    "languages": lambda n: header(b"Content-Language: " + b"en," * n + b"\r\n"),
    "references": lambda n: header(b"References: " + b"<a@b> " * n + b"\r\n"),
    "a date of digits": lambda n: header(b"Date: " + b"1" * n + b"\r\n"),
    "parts": lambda n: multipart(b"--b\r\n\r\nx\r\n" * n + b"--b--\r\n"),
    "parts without a body": lambda n: multipart(b"--b\r\n" * n + b"--b--\r\n"),
    "parts with a header each": lambda n: multipart(
        b"--b\r\nContent-Type: text/html; charset=x\r\nContent-ID: <a>\r\n\r\n<img src=cid:a>\r\n" * n + b"--b--\r\n"),
    "images that nobody shows": lambda n: multipart(
        b"--b\r\nContent-Type: text/html\r\n\r\ncid:x\r\n"
        + b"--b\r\nContent-Type: image/png\r\nContent-ID: <a>\r\n\r\n\r\n" * n),
    "lines that look like delimiters": lambda n: multipart(b"--bb\r\n" * n + b"--b--\r\n"),
    "delimiters that close": lambda n: multipart(b"--b--\r\n" * n),
    "multiparts in multiparts": lambda n: b"".join(multipart(b"--%d\r\n" % k, b"%d" % k) for k in range(n)),
    "multiparts in multiparts, one boundary": lambda n: multipart(b"--b\r\n") * n,
    "boundaries that begin alike": lambda n: b"".join(multipart(b"--" + b"b" * k + b"\r\n", b"b" * k) for k in
                                                      range(1, min(n, 300))),
    "messages in messages": lambda n: b"Content-Type: message/rfc822\r\n\r\n" * n,
    "digests": lambda n: multipart(b"--b\r\n\r\nSubject: x\r\n\r\ny\r\n" * n, kind=b"digest"),
    "messages, encoded, in messages": lambda n: multipart(
        b"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"Q29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMg0KDQo=\r\n" * n),
    "groups of a report": lambda n: multipart(
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        + b"Final-Recipient: rfc822; a@b\r\nAction: failed\r\n\r\n" * n,
        kind=b"report; report-type=delivery-status"),
    "soft line breaks": lambda n: header(b"Content-Transfer-Encoding: quoted-printable\r\n") + b"=\r\n" * n,
    "padding": lambda n: header(b"Content-Transfer-Encoding: base64\r\n") + b"QQ==" * n,
    "blank lines": lambda n: b"\r\n" * n,
    "carriage returns": lambda n: b"Subject: x\r" + b"\r" * n,
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_work_grows_with_the_size(bomb):
    """Twice the bomb is at most about twice the work."""
    assert_linear(read_all, BOMBS[bomb], 4_000)


@pytest.mark.parametrize("bomb", BOMBS)
def test_memory_stays_small(bomb):
    """What is held while a message of up to a megabyte is read is a few times its size, and bounded."""
    octets = BOMBS[bomb](10_000)
    if len(octets) > MIB:
        octets = octets[:MIB]
    assert peak(read_all, octets) <= 4 * MIB + 4 * len(octets)


@pytest.mark.parametrize("bomb", BOMBS)
def test_what_is_kept_stays_small(bomb):
    """The summary that every client's FETCH reads is never larger than a few times the header and the parts allow."""
    octets = BOMBS[bomb](10_000)[:MIB]
    _, structure, summary = read_all(octets)
    assert len(list(walk(structure.root))) <= MOST_PARTS
    kept = sum(map(len, (summary.envelope, summary.bodystructure, summary.fields))) + len(summary.terms)
    assert kept <= 8 * LONGEST_HEADER


@pytest.mark.parametrize(("made", "deepest"), [
    (lambda n: b"".join(multipart(b"--%d\r\n" % k, b"%d" % k) for k in range(n)), DEEPEST_MULTIPART),
    (lambda n: multipart(b"--b\r\n") * n, DEEPEST_MULTIPART),
    (lambda n: b"Content-Type: message/rfc822\r\n\r\n" * n, DEEPEST_MESSAGE),
    (lambda n: multipart(b"--b\r\n", kind=b"digest") * n, DEEPEST_MULTIPART + DEEPEST_MESSAGE),
])
def test_ten_thousand_levels(made, deepest):
    """Nesting ends at the limit, is called malformed, and nobody's stack is used up."""
    message, structure, _ = read_all(made(10_000))
    assert message.malformed and structure.beyond_limits

    def depth(part):
        return 1 + max(map(depth, part.children), default=0)

    assert depth(structure.root) <= deepest + 2


def test_a_cycle_of_boundaries_is_no_cycle():
    """Two multiparts that name each other's boundary: each delimiter ends what it ends, and there is one tree."""
    octets = multipart(b"--a\r\n" + multipart(b"--b\r\n" + multipart(b"--a\r\n\r\nx\r\n--b\r\n\r\ny\r\n", b"a"),
    b"b"), b"a")
    _, structure, _ = read_all(octets)
    ends = [part.end for part in walk(structure.root)]
    assert len(ends) <= 6 and max(ends) == len(octets)
    assert_linear(lambda message: read_all(message), lambda n: octets * n, 200)


def test_a_thousand_parts_and_one():
    """The parts up to the limit are there; the one beyond it is not, and the message says so."""
    within, beyond = (multipart(b"--b\r\n\r\nx\r\n" * n + b"--b--\r\n") for n in (MOST_PARTS - 1, MOST_PARTS + 1))
    assert not scan(within).beyond_limits
    assert scan(beyond).flaws == (f"more than {MOST_PARTS} parts",)


def test_a_bomb_in_a_bomb_is_read_once():
    """Encoded messages in encoded messages: looking for a private one inside ends, however deep they are."""
    from base64 import encodebytes

    octets = b"Subject: in\r\nSensitivity: Private\r\n\r\nx"
    for _ in range(12):
        octets = (b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encodebytes(octets))
    assert calls(read_all, octets) < 20_000


def test_one_field_of_ten_megabytes():
    """A single field as long as a message: what is read of it ends at the limit, and little of it is copied."""
    octets = b"Subject: " + b"x" * (10 * MIB) + b"\r\n\r\n"
    assert peak(read_all, octets) <= 34 * MIB
    message, _, summary = read_all(octets)
    assert message.malformed and len(message.subject) <= 64 * 1024
    assert len(summary.envelope) <= 2 * LONGEST_HEADER


def test_more_groups_of_a_report_than_are_read():
    """A report of a hundred thousand recipients is read up to the limit."""
    group = b"Final-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    octets = b"Content-Type: message/delivery-status\r\n\r\n" + group * 100_000
    assert 0 < len(returned(octets, scan(octets).root)) <= MOST_GROUPS


@pytest.mark.parametrize("charset", [b"utf-7", b"iso-2022-jp", b"hz", b"utf-16", b"punycode", b"idna",
    b"unicode_escape"])
def test_charsets_that_grow(charset):
    """No charset makes text much longer than its octets, or takes more than its share of time."""
    def word(n):
        return b"=?" + charset + b"?b?" + b"K0FBb0EtLg==" * n + b"?="

    assert len(decode(word(4_000))) <= 3 * len(word(4_000))
    assert_linear(decode, word, 2_000)
    octets = b"Content-Type: text/plain; charset=" + charset + b"\r\n\r\n" + b"+AAo-" * 20_000
    assert len(body_text(octets, scan(octets).root)) <= 3 * len(octets)


def test_what_is_looked_for_is_found_behind_the_flood():
    """A flood of fields does not hide that a message is secure or private: that counts, or it is malformed."""
    for amount in (10, 1_000, 20_000):
        octets = b"X: y\r\n" * amount + b"Sensitivity: Private\r\nX-Unity-Secure: true\r\n\r\nHi.\r\n"
        message = read(octets, SECURE)
        assert (message.secure and message.sensitivity.value == "private") or message.malformed
