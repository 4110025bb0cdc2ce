"""The header of a message to a voice-mail system: nothing in it is anybody else's."""

import email
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from unitymail.mail.structure import scan
from unitymail.mail.vpim.heading import LINE, LONGEST_RECEIVED, Cover, heading, inner_heading, message_id_of, trace_in
from unitymail.mail.vpim.selection import Selection, Voice

COVER = Cover("0trace", "l-1", "vm1.example.com", 1394457625.0, b"", ("Robin", "71041@vm1.example.com"),
              (("Chris", "82233@branch.example.org"),))
HEARD = Voice(())


def made(fields, cover=COVER, **facts):
    octets = fields + b"\r\nbody"
    root = scan(octets).root
    facts = {"message": HEARD} | facts
    return heading(octets, Selection(root, **facts), cover, b"=_b")


def value(fields, name, **how):
    return email.message_from_bytes(made(fields, **how) + b"\r\n")[name]


@pytest.mark.parametrize(("raw", "expected"), [
    (b"Date: Mon, 10 Mar 2014 08:20:20 -0500 (CDT)\r\n", "Mon, 10 Mar 2014 08:20:20 -0500"),
    (b"Date: 10 Mar 14 08:20 EST\r\n", "Mon, 10 Mar 2014 08:20:00 -0500"),
    (b"Date: Mon, 10 Mar 2014 08:20:20 +0530\r\n", "Mon, 10 Mar 2014 08:20:20 +0530"),
    (b"Date: yesterday\r\n", "Mon, 10 Mar 2014 13:20:25 +0000"), (b"", "Mon, 10 Mar 2014 13:20:25 +0000"),
    (b"Date: Thu, 1 Jan 1900 00:00:00 +0000\r\n", "Mon, 10 Mar 2014 13:20:25 +0000"),
    (b"Date: Fri, 31 Dec 9999 23:59:59 +0000\r\n", "Fri, 31 Dec 9999 23:59:59 +0000"),
    (b"Date: Fri, 31 Dec 9999 23:59:59 -1200\r\n", "Fri, 31 Dec 9999 23:59:59 -1200"),
])
def test_date(raw, expected):
    """When it was sent, with a numeric zone; when it arrived, if it does not say."""
    assert value(raw, "Date") == expected


@pytest.mark.parametrize(("raw", "fax", "expected"), [
    (b"Subject: hello\r\n", False, "hello"), (b"Subject:\r\n", False, "Voice Message"), (b"", False, "Voice Message"),
    (b"Subject: \r\n \r\n", True, "Fax Message"), (b"Subject: =?utf-8?q?a=0D=0AX-Evil:_1?=\r\n", False, "a X-Evil: 1"),
    (b"Subject: caf\xe9\r\n", False, "=?utf-8?b?Y2Fmw6k=?="),
])
def test_subject(raw, fax, expected):
    """The sender's subject, encoded where it must be, never two lines; a name for what has none."""
    assert value(raw, "Subject", message=None if fax else HEARD, faxes=(object(),) if fax else ()) == expected


def test_received_are_all_kept():
    """Ours first, then every one the message brought, in order, folded and free of 8-bit."""
    raw = b"Received: from a by b;\r\n\tdate one\r\nX-Y: z\r\n"
    raw += b"received: from caf\xc3\xa9 by " + b"w " * 60 + b"; two\r\n"
    head = b"Return-Path: <x@y>\r\nReceived: from c by vm1;\r\n\tnow\r\nX-Unitymail-Trace: id=1\r\n"
    cover = replace(COVER, head=head)
    octets = made(raw, cover)
    found = [" ".join(one.split()) for one in email.message_from_bytes(octets + b"\r\n").get_all("Received")]
    assert found == ["from c by vm1; now", "from a by b; date one", "from caf?? by " + "w " * 60 + "; two"]
    assert max(map(len, octets.split(b"\r\n"))) <= LINE
    assert b"Return-Path" not in octets and b"Trace" not in octets
    octets = made(b"Received: from a by " + b"x" * 60_000 + b"\r\n")
    assert len(octets) < LONGEST_RECEIVED + 1_000
    assert max(map(len, octets.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(("facts", "expected"), [
    ({}, "voice-message"), ({"message": None, "faxes": (object(),)}, "fax-message"),
    ({"faxes": (object(),)}, "voice-message"),
    ({"message": None, "faxes": (object(),), "enclosed": (object(),)}, "voice-message"),
])
def test_context(facts, expected):
    """A fax is what has pages and nothing to hear: what was said about one is a voice message."""
    assert value(b"", "Message-Context", **facts) == expected


def test_references():
    """Identifiers are kept, not what stands between them; of very many the first and the last."""
    raw = b"References: <a@x> junk\r\n\t<b@x>\r\nIn-Reply-To: your mail <b@x> of today\r\n"
    assert value(raw, "References").split() == ["<a@x>", "<b@x>"]
    assert value(raw, "In-Reply-To") == "<b@x>"
    many = b"References: " + b" ".join(b"<%d@x>" % n for n in range(200)) + b"\r\n"
    kept = value(many, "References").split()
    assert (len(kept), kept[0], kept[1], kept[-1]) == (40, "<0@x>", "<161@x>", "<199@x>")


@pytest.mark.parametrize(("raw", "cover", "name", "expected"), [
    (b"Importance: High\r\n", COVER, "Importance", "High"), (b"X-Priority: 5\r\n", COVER, "Importance", "Low"),
    (b"Importance: normal\r\nX-Priority: 1\r\n", COVER, "Importance", None),
    (b"Sensitivity: Private\r\n", COVER, "Sensitivity", None),
    (b"", replace(COVER, private=True), "Sensitivity", "Private"),
    (b"Disposition-Notification-To: x@y\r\n", COVER, "Disposition-Notification-To", "<71041@vm1.example.com>"),
    (b"Disposition-Notification-To: x@y\r\n", replace(COVER, anonymous=True), "Disposition-Notification-To", None),
    (b"Auto-Submitted: Auto-Replied (vacation)\r\n", COVER, "Auto-Submitted", "auto-replied"),
    (b"Auto-Submitted: no\r\n", COVER, "Auto-Submitted", None),
    (b"Auto-Submitted: a;b\r\n", COVER, "Auto-Submitted", "a"),
    (b"Auto-Submitted: <evil>\r\n", COVER, "Auto-Submitted", None),
])
def test_marks(raw, cover, name, expected):
    """Marks are passed on in the words of RFC 3801, whether a message is private is what was decided on entry."""
    assert value(raw, name, cover=cover) == expected


def test_message_id():
    """The copy for one location has its own identity, from which its trace can be read again."""
    identity = message_id_of(COVER)
    assert identity == "<0trace.vpim.l-1@vm1.example.com>"
    assert trace_in(identity, "VM1.example.com") == "0trace"
    assert trace_in("<0trace.vpim.l-1@elsewhere>", "vm1.example.com") == ""
    assert trace_in("<anything@vm1.example.com>", "vm1.example.com") == ""


def test_forwarded():
    """A forwarded message says itself who wrote it, when and about what; who else got it stays behind."""
    octets = (b"From: Jo <jo@example.com>, x@y\r\nTo: z@example.com\r\nDate: Mon, 10 Mar 2014 08:20:20 -0500\r\n"
              b"Message-ID: <1@x>\r\nSensitivity: private\r\nImportance: high\r\nBcc: w@x\r\n\r\n")
    block = inner_heading(octets, Selection(scan(octets).root, message=HEARD), b"=_b")
    found = email.message_from_bytes(block + b"\r\n")
    assert dict(found) == {
        "From": '"Jo" <jo@example.com>', "Date": "Mon, 10 Mar 2014 08:20:20 -0500", "Message-ID": "<1@x>",
        "Subject": "Voice Message", "MIME-Version": "1.0 (Voice 2.0)", "Sensitivity": "Private", "Importance": "High",
        "Content-Type": 'Multipart/Voice-Message; version=2.0;\r\n\tboundary="=_b"',
        "Content-Transfer-Encoding": "7bit",
    }


@given(octets=garbage, names=st.lists(st.text(max_size=90), min_size=3, max_size=3))
def test_no_field_but_ours(octets, names):
    """Neither a message nor a name in the directory can add a field, end a line, or bring 8-bit."""
    cover = replace(COVER, sender=(names[0], "1@x.example"), to=((names[1], "2@y.example"), (names[2], "3@y.example")))
    root = scan(octets).root
    for block in (heading(octets, Selection(root, message=HEARD), cover, b"=_b"),
                  inner_heading(octets, Selection(root, message=HEARD), b"=_b")):
        assert block.isascii()
        assert block.endswith(b"\r\n")
        assert block.count(b"\r\n") == block.count(b"\r") == block.count(b"\n")
        lines = block[:-2].split(b"\r\n")
        assert all(line.strip() for line in lines)
        assert {line.partition(b":")[0] for line in lines if line[:1] not in b" \t"} <= {
            b"Received", b"From", b"To", b"Cc", b"Date", b"Message-ID", b"In-Reply-To", b"References", b"Subject",
            b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding", b"Sensitivity", b"Importance",
            b"Message-Context", b"Disposition-Notification-To", b"Auto-Submitted",
        }
