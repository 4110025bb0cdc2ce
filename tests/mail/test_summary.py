"""ENVELOPE and BODYSTRUCTURE: well-formed on anything, and right on mail."""

import email.header
import email.parser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from tests.mail.summary_model import model
from tests.mail.wire import check_body, check_envelope, read
from unitymail.mail.dates import read_date
from unitymail.mail.headers import fields
from unitymail.mail.structure import scan
from unitymail.mail.summary import KEPT_FIELDS, body_of, envelope, nstring, summarise

VECTORS = Path(__file__).parent.parent / "vectors"
FILES = sorted(VECTORS.glob("*.eml"))


def checked(octets):
    """The Summary of `octets`, after both forms were read back by an independent reader."""
    structure = scan(octets)
    summary = summarise(octets, structure)
    check_envelope(read(summary.envelope))
    check_body(read(summary.bodystructure), extensible=True)
    check_body(read(body_of(octets, structure.root)), extensible=False)
    assert summary.envelope == envelope(octets, structure.root)
    assert summary == summarise(octets, structure) == model(octets, structure.root)
    assert summary.terms.count("\n") == 4
    assert summary.fields == b"".join(
        field.raw for field in fields(octets, 0, structure.root.body) if field.name.lower() in KEPT_FIELDS
    )
    return summary


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_vectors(path):
    """Every vector, the broken ones too, has well-formed summaries that say what its header says."""
    octets = path.read_bytes()
    summary = checked(octets)
    date, subject, *_, message_id = read(summary.envelope)
    theirs = email.parser.BytesHeaderParser().parsebytes(octets)
    if path.name not in ("broken_no_headers.eml", "broken_nul_bytes.eml"):
        assert date == octets_of(theirs["date"])
        assert message_id == octets_of(theirs["message-id"])
        assert subject == octets_of(theirs["subject"])


def octets_of(value):
    """A header value of the standard library as the octets on one line that it was read from."""
    if value is None:
        return None
    if isinstance(value, email.header.Header):
        value = value._chunks[0][0]
    return value.encode("ascii", "surrogateescape").replace(b"\r\n", b"")


def of(name):
    return checked((VECTORS / name).read_bytes())


ROBIN = [b"Robin Smith", None, b"robin.smith", b"example.com"]
CHRIS = [b"Chris Jones", None, b"chris.jones", b"example.com"]


def test_an_ordinary_message():
    """A mail with HTML, an inline image and attachments, field by field."""
    summary = of("email_html_attachments.eml")
    assert read(summary.envelope) == [
        b"Mon, 10 Mar 2014 09:15:22 -0400", b"Meeting papers", [ROBIN], [ROBIN], [ROBIN], [CHRIS], None, None, None,
        b"<0021.em@example.com>",
    ]
    plain = [b"text", b"plain", [b"charset", b"us-ascii"], None, None, b"7bit", 16, 0, None, None, None, None]
    html = [b"text", b"html", [b"charset", b"utf-8"], None, None, b"quoted-printable", 72, 0, None, None, None, None]
    image = [b"image", b"png", [b"name", b"logo.png"], b"<l21>", None, b"base64", 154, None, [b"inline", None], None,
             None]
    related = [[plain, html, b"alternative", [b"boundary", b"a21"], None, None, None], image, b"related",
               [b"type", b"multipart/alternative", b"boundary", b"r21"], None, None, None]
    pdf = [b"application", b"pdf", [b"name", b"agenda.pdf"], None, None, b"base64", 414, None,
           [b"attachment", [b"filename", b"agenda.pdf"]], None, None]
    word = [b"application", b"vnd.openxmlformats-officedocument.wordprocessingml.document",
            [b"name", b"Quarterly figures.docx"], None, None, b"base64", 1612, None,
            [b"attachment", [b"filename", b"Quarterly figures.docx"]], None, None]
    assert read(summary.bodystructure) == [
        related, pdf, word, b"mixed", [b"boundary", b"m21"], None, b"en-us", None
    ]
    assert summary.terms.split("\n") == [
        '"ROBIN SMITH" <ROBIN.SMITH@EXAMPLE.COM>', '"CHRIS JONES" <CHRIS.JONES@EXAMPLE.COM>', "", "", "MEETING PAPERS"
    ]
    assert summary.sent == 1394457322


def test_a_forwarded_message():
    """An enclosed message shows its envelope, its body and its lines; extension data comes after them."""
    octets = (VECTORS / "vpim_in_forwarded.eml").read_bytes()
    enclosed = read(of("vpim_in_forwarded.eml").bodystructure)[2]
    kind, sub, parameters, content_id, description, encoding, size, inner, body, lines, *extension = enclosed
    part = scan(octets).root.children[2]
    assert (kind, sub, parameters, content_id, description, encoding) == (
        b"message", b"rfc822", None, None, None, b"7bit"
    )
    assert size == part.end - part.body
    assert inner[2] == [[b"Parker, Jo", None, b"+14085550188", b"vpim.example.net"]]
    assert (inner[1], inner[9]) == (None, None)
    assert [child[:2] for child in body[:2]] == [[b"audio", b"32kadpcm"]] * 2
    assert body[2:] == [b"voice-message", [b"version", b"2.0", b"boundary", b"MessageBoundary2"], None, None, None]
    assert lines == octets[part.body:part.end].count(b"\r\n")
    assert extension == [None, None, None, None]


def test_defaults():
    """A message that says nothing is text/plain; charset=us-ascii in 7bit, without an envelope to speak of."""
    summary = checked(b"")
    assert read(summary.envelope) == [None] * 10
    assert read(summary.bodystructure) == [
        b"text", b"plain", [b"charset", b"us-ascii"], None, None, b"7bit", 0, 0, None, None, None, None
    ]
    assert summary.sent is None


def test_no_charset_is_made_up_for_html():
    """HTML may name its charset itself; only plain text has a default (RFC 2046 4.1.2)."""
    summary = checked(b"Content-Type: text/html; x=Y\r\n\r\na\r\nb\r\n")
    assert read(summary.bodystructure)[2] == [b"x", b"Y"]
    assert read(summary.bodystructure)[6:8] == [6, 2]


def test_senders():
    """Sender and Reply-To are the From when they are absent or empty; missing addresses are NIL."""
    fields = read(checked(b"From: a@b\r\nSender: \r\nReply-To: <>\r\nTo:\r\n\r\n").envelope)
    assert fields[2:6] == [[[None, None, b"a", b"b"]]] * 3 + [None]
    assert read(checked(b"Sender: a@b\r\n\r\n").envelope)[2:5] == [None, [[None, None, b"a", b"b"]], None]


def test_groups_routes_and_missing_hosts():
    """Groups as RFC 3501 marks them; quoted local parts without quotes; a missing domain is "", which is no group."""
    to = read(checked(b'To: "A, B": x@y; <@one:"d e"@f>, root\r\nTo: more@z\r\n\r\n').envelope)[5]
    assert to == [
        [None, None, b"A, B", None], [None, None, b"x", b"y"], [None, None, None, None],
        [None, b"@one", b"d e", b"f"], [None, None, b"root", b""], [None, None, b"more", b"z"],
    ]


def test_octets_that_no_quoted_string_carries():
    """8-bit, CR and long values become literals, NUL goes, quotes and backslashes are escaped, folds are spaces."""
    fields = read(checked(b'Subject: caf\xe9 \0 x\r\nMessage-ID: "a\\b"\r\nIn-Reply-To: a\rb\r\n\tc\r\n\r\n').envelope)
    assert (fields[1], fields[8], fields[9]) == (b"caf\xe9  x", b"a\rb c", b'"a\\b"')
    assert nstring(b"x" * 1024).startswith(b'"') and nstring(b"x" * 1025).startswith(b"{1025}\r\n")
    assert nstring(b"") == b'""' and nstring(None) == b"NIL"


def test_extension_data():
    """MD5, disposition, languages and location; RFC 2231 parameters stay as the sender wrote them."""
    octets = (
        b"Content-Type: audio/wav; name*0*=utf-8''Sprach; name*1*=%C3%BC\r\nContent-MD5: Q2hlY2s=\r\n"
        b"Content-Disposition: ATTACHMENT; FileName*=utf-8''%C3%BC\r\nContent-Language: de, en (mostly)\r\n"
        b"Content-Location: http://example.com/\r\n\ta\r\nContent-Description: =?utf-8?q?=C3=BC?=\r\n"
        b"Content-ID: <a@b>\r\nContent-Transfer-Encoding: BASE64\r\n\r\nAAAA"
    )
    assert read(checked(octets).bodystructure) == [
        b"audio", b"wav", [b"name*0*", b"utf-8''Sprach", b"name*1*", b"%C3%BC"], b"<a@b>", b"=?utf-8?q?=C3=BC?=",
        b"base64", 4, b"Q2hlY2s=", [b"attachment", [b"filename*", b"utf-8''%C3%BC"]], [b"de", b"en"],
        b"http://example.com/ a",
    ]


def test_single_language():
    """One language is a string, none is NIL."""
    assert read(checked(b"Content-Language: de\r\n\r\n").bodystructure)[10] == b"de"
    assert read(checked(b"Content-Language: ,\r\n\r\n").bodystructure)[10] is None


def test_kept_fields_cover_the_clients():
    """What the usual clients ask for when they list a folder is answered without opening a file."""
    thunderbird = (b"from to cc bcc subject date message-id priority x-priority references newsgroups in-reply-to "
                   b"content-type reply-to").split()
    mutt = (b"date from sender subject to cc message-id references content-type content-description in-reply-to "
            b"reply-to lines list-post x-label mail-followup-to x-original-to").split()
    outlook = (b"from to cc bcc subject date message-id references in-reply-to importance priority x-priority "
               b"x-msmail-priority sensitivity content-class thread-index thread-topic message-context").split()
    k9 = (b"date subject from content-type to cc reply-to message-id references in-reply-to list-unsubscribe "
          b"sender").split()
    apple = (b"date subject from to cc message-id in-reply-to references x-priority x-uniform-type-identifier "
             b"x-universally-unique-identifier list-id list-unsubscribe bimi-indicator bimi-location "
             b"x-bimi-indicator-hash authentication-results dkim-signature received-spf x-spam-status "
             b"x-spam-flag").split()
    evolution = (b"received mime-version content-class x-calendar-attachment x-mailing-list x-beenthere x-loop").split()
    mbsync = [b"x-tuid", b"message-id"]
    assert {*apple, *evolution, *mbsync} <= KEPT_FIELDS
    assert {*thunderbird, *mutt, *outlook, *k9, b"x-unitymail-trace", b"list-id", b"received"} <= KEPT_FIELDS


def test_an_over_long_header_is_summarised_by_its_beginning():
    """What stands behind the first 256 KiB of a header is kept and served, but makes no summary."""
    octets = b"To: x@y\r\n" + b"X: y\r\n" * 60_000 + b"To: late@z\r\nFrom: a@b\r\n\r\n"
    summary = checked(octets)
    assert read(summary.envelope)[5] == [[None, None, b"x", b"y"]]
    assert summary.fields == b"To: x@y\r\nTo: late@z\r\nFrom: a@b\r\n"


def test_search_terms_are_one_line_each():
    """No encoded line end and no repeated field can add a line."""
    summary = checked(b"From: =?utf-8?q?a=0D=0Ab?= <x@y>\r\nTo: a@b\r\nTo: c@d\r\nSubject: gr\xc3\xbc\xc3\x9fe\r\n\r\n")
    assert summary.terms.split("\n") == ["A  B <X@Y>", "A@B, C@D", "", "", "GRU\u0308\u00dfE"]


@given(garbage)
def test_garbage(octets):
    """Anything has well-formed summaries."""
    summary = checked(octets)
    first = next((f for f in fields(octets, 0, scan(octets).root.body) if f.name.lower() == b"date"), None)
    moment = read_date(first.value) if first else None
    assert summary.sent == (moment.seconds if moment else None)


FIELDS = [
    b"From: Robin Smith <robin@example.com>", b"FROM: a@b", b"From: \"R. S\" <\"r s\"@example.com>", b"To : x@y, z@w",
    b"Cc: a@b,\r\n c@d", b"Cc: Team: a@b, c@d;", b"Bcc: " + b"x@y, " * 60, b"Sender: ", b"Reply-To: <q@r>", b"Nonsense",
    b"Date: Mon, 10 Mar 2014 09:15:22 -0400", b"Date: 10 Mar 14", b"Subject: a \"b\"", b"Subject: =?utf-8?q?=C3=A9?=",
    b"Subject: \xe9\0", b"Message-ID: <a@b>", b"In-Reply-To: <c@d>\r\n <e@f>", b"Received: from a", b"X-Other: y",
    b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: text/plain; format=flowed", b"\xe9: z",
    b"Content-Disposition: attachment; filename=\"a\"", b"Content-Language: de, en", b"Content-ID: <q>",
    b"Content-Description: (x) y", b"Content-Location: l", b"Content-MD5: m", b"Content-Type: message/rfc822",
    b"Content-Transfer-Encoding: BASE64", b"--b", b"--b--", b"", b"text",
]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(FIELDS), st.sampled_from([b"\r\n", b"\n"])), max_size=40))
def test_any_fields(lines):
    """Whatever fields in whatever order, also in parts, and also a second time: what a plain reader makes of them."""
    checked(b"".join(line + end for line, end in lines))


@pytest.mark.parametrize("octets", [
    b"To: " + b"a@b, " * 1_000_000 + b"\r\n\r\n",
    b"To: a@b\r\n" * 500_000 + b"\r\n",
    b"Subject: " + b"=?utf-8?q?a?= " * 300_000 + b"\r\n\r\n",
    b"Content-Language: " + b"a," * 1_000_000 + b"\r\n\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 100_000,
    b"Content-Type: message/rfc822\r\n\r\n" * 50_000,
    b"From: " + b"(" * 1_000_000 + b"\r\n\r\n",
])
def test_floods(octets):
    """Headers made to hurt are summarised in one pass."""
    checked(octets)
