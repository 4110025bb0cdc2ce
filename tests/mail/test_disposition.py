"""Receipts: who gets one without being asked for, and how it looks."""

from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from unitymail.mail.disposition import Reader, asked_of, build_disposition
from unitymail.mail.message import Category
from unitymail.mail.report_parts import MOST_HEADER
from unitymail.routing import categorise

PAT = "pat@partner.example"
WISH = f"Disposition-Notification-To: Pat <{PAT}>\r\n"
WHEN = 1_764_000_000.0
CHRIS = Reader("Chris Jones", "chris@vm1.example.com")


def stored(*fields, category="voice", path=PAT, trace=True):
    ours = f"Return-Path: <{path}>\r\nReceived: from x ([192.0.2.1])\r\n\tby vm1; now\r\n"
    if trace:
        ours += f"X-Unitymail-Trace: id=t; category={category}; sensitivity=normal;\r\n\tsecure=no; sender=; pad=.\r\n"
    theirs = f"From: Pat <{PAT}>\r\nSubject: Hello\r\nMessage-ID: <1@partner.example>\r\n"
    date = "Date: Mon, 10 Mar 2014 09:15:22 -0400\r\n"
    return (ours + theirs + date + "".join(fields) + "\r\nDisposition-Notification-To: <not@this.example>\r\n").encode()


def test_a_wish_that_may_be_granted():
    """One address, the one the message came from."""
    asked = asked_of(stored(WISH))
    assert (asked.to, asked.category, asked.subject, asked.message_id) == (PAT, "voice", "Hello", "<1@partner.example>")
    assert asked_of(stored(WISH.replace("pat@", "PAT@"), category="fax")).category == "fax"


@pytest.mark.parametrize("octets", [
    stored(),
    stored(WISH, category="email"),
    stored(WISH, category="receipt"),
    stored(WISH, path=""),
    stored(WISH, path="other@partner.example"),
    stored(WISH, trace=False),
    stored(WISH, WISH),
    stored(WISH.replace("\r\n", ", <other@partner.example>\r\n")),
    stored(WISH, "Auto-Submitted: auto-generated\r\n"),
    stored(WISH, "Disposition-Notification-Options: odd=required,1\r\n"),
    stored(WISH, "X-Auto-Response-Suppress: DR, RN\r\n"),
    stored(WISH, "X-Auto-Response-Suppress: All\r\n"),
    stored("Disposition-Notification-To: \r\n"),
    b"",
])
def test_wishes_that_are_not(octets):
    """E-mail is the client's; null paths, other or several addresses, automatic mail, options, mail that Exchange says
    wants no answer get none of ours."""
    assert asked_of(octets) is None


def test_automatic_no_and_optional_options_are_no_hindrance():
    """`Auto-Submitted: no` is a person; optional options may be ignored."""
    assert asked_of(stored(WISH, "X-Auto-Response-Suppress: OOF, AutoReply\r\n"))
    assert asked_of(stored(WISH, "Auto-Submitted: no\r\n", "Disposition-Notification-Options: x=optional,1\r\n"))


def test_only_our_own_block_is_believed():
    """A category that the sender wrote himself comes second, and second is not believed."""
    forged = "X-Unitymail-Trace: id=t; category=voice; sensitivity=normal; secure=no; sender=; pad=\r\n"
    assert asked_of(stored(WISH, forged, category="email")) is None


def built(octets=None, kind="displayed", reader=CHRIS):
    asked = asked_of(octets or stored(WISH))
    return build_disposition(asked, kind, reader, host="vm1.example.com", trace="t-m1", when=WHEN)


def test_the_parts():
    """A sentence for people, the fields of RFC 8098 for programs, the header and nothing of the content."""
    octets = built()
    message = message_from_bytes(octets, policy=policy.default)
    assert not message.defects
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "disposition-notification"
    assert (message["Auto-Submitted"], message["Subject"], message["In-Reply-To"]) == (
        "auto-replied", "Played: Hello", "<1@partner.example>")
    assert message["Message-ID"] == "<t-m1@vm1.example.com>"
    assert message["Disposition-Notification-To"] is None
    assert message["From"].addresses[0].display_name == "Chris Jones"
    words, machine, header = message.iter_parts()
    assert words.get_content().splitlines() == [
        'Your voice message "Hello" of 10 Mar 2014 13:15 UTC to Chris Jones',
        "(chris@vm1.example.com) was played on 24 Nov 2025 16:00 UTC.",
    ]
    (fields,) = machine.iter_parts()
    assert dict(fields.items()) == {
        "Reporting-UA": "vm1.example.com; unitymail",
        "Final-Recipient": "rfc822; chris@vm1.example.com",
        "Original-Message-ID": "<1@partner.example>",
        "Disposition": "manual-action/MDN-sent-automatically; displayed",
    }
    returned = header.get_payload(decode=True)
    assert header.get_content_type() == "text/rfc822-headers"
    assert returned.startswith(b"Received: from x")
    assert b"Subject: Hello" in returned
    assert b"Return-Path" not in returned
    assert b"X-Unitymail-Trace" not in returned
    assert b"not@this" not in octets


def test_it_is_a_receipt_here_too():
    """Whoever gets it, us too, knows it as a receipt that nobody answers."""
    read = categorise.read(built(), ())
    assert read.category is Category.RECEIPT


@pytest.mark.parametrize(("category", "kind", "title", "words"), [
    ("voice", "displayed", "Played", "was played on"), ("voice", "deleted", "Not played", "without being played on"),
    ("fax", "displayed", "Read", "was opened on"), ("fax", "deleted", "Not read", "without being opened on"),
])
def test_what_happened(category, kind, title, words):
    """Played or opened, or deleted unheard: in the subject, the sentence and the field."""
    octets = built(stored(WISH, category=category), kind)
    message = message_from_bytes(octets, policy=policy.default)
    assert message["Subject"] == f"{title}: Hello"
    assert words in next(message.iter_parts()).get_content()
    assert f"MDN-sent-automatically; {kind}".encode() in octets


def test_the_original_recipient_comes_back():
    """RFC 8098 2.3: a message that names its original recipient has it returned."""
    assert b"\r\nOriginal-Recipient: rfc822;1042@vm1.example.com\r\n" in built(
        stored(WISH, "Original-Recipient: rfc822;1042@vm1.example.com\r\n"))


@pytest.mark.parametrize(("category", "title"), [("voice", "Not played"), ("fax", "Not read")])
def test_too_old(category, title):
    """Nobody decided that it should go unheard: it went by itself, and both the field and the sentence say so."""
    octets = built(stored(WISH, category=category), "expired")
    message = message_from_bytes(octets, policy=policy.default)
    assert message["Subject"] == f"{title}: Hello"
    assert "for it had become too old" in " ".join(next(message.iter_parts()).get_content().split())
    assert b"\r\nDisposition: automatic-action/MDN-sent-automatically; deleted/expired\r\n" in octets


@pytest.mark.parametrize(("written", "shown"), [
    ("rfc822; " + "x" * 900, "rfc822; " + "x" * 292), ("utf-8; caf\u00e9@x.example", None),
    ("1042", None), ("x;", None), ("; 1042", None), ("a b; c", None),
    ("rfc822;1042\r\n\tDisposition: x", "rfc822;1042 Disposition: x"),
])
def test_an_original_recipient_of_any_kind(written, shown):
    """It comes back as far as a report may carry it."""
    octets = build_disposition(asked_of(stored(WISH, f"Original-Recipient: {written}\r\n")), "displayed", CHRIS,
                               host="vm1.example.com", trace="r1", when=WHEN)
    told = message_from_bytes(octets).get_payload()[1].get_payload()[0]
    assert told["Original-Recipient"] == shown


def test_a_subject_without_end():
    """What comes back of it in words is bounded; the header holds the rest."""
    octets = built(stored(WISH).replace(b"Subject: Hello", b"Subject: " + b"word " * 10_000))
    words, _, header = message_from_bytes(octets, policy=policy.default).iter_parts()
    assert len(words.get_content()) < 400
    assert len(header.get_payload(decode=True)) > 50_000


@pytest.mark.parametrize("date", ["31 Dec 9999 23:59:59 -2000", "1 Jan 1960 00:00 +0000", "yesterday", ""])
def test_a_date_that_no_calendar_has(date):
    """Then the sentence says when it was played only."""
    octets = built(stored(WISH).replace(b"Date: Mon, 10 Mar 2014 09:15:22 -0400", b"Date: " + date.encode()))
    words = next(message_from_bytes(octets, policy=policy.default).iter_parts())
    assert words.get_content().startswith('Your voice message "Hello" to Chris Jones')


@given(st.sampled_from([b"Date", b"Subject", b"Message-ID", b"Original-Recipient", b"Disposition-Notification-To"]),
       garbage)
def test_garbage_in_a_field_that_is_read(name, words):
    """Whatever the sender writes there: the receipt is made, its fields are ours, or none may be sent."""
    text = words.replace(b"\r", b" ").replace(b"\n", b"\r\n ")
    octets = stored(WISH).replace(b"Subject: Hello\r\n", b"").replace(b"Message-ID: <1@partner.example>\r\n", b"")
    asked = asked_of(octets.replace(b"Date: Mon, 10 Mar 2014 09:15:22 -0400", name + b": " + text))
    if asked is None:
        return
    made = build_disposition(asked, "deleted", CHRIS, host="vm1", trace="t-m1", when=WHEN)
    parts = list(message_from_bytes(made).get_payload())
    assert len(parts) == 3
    (fields,) = parts[1].get_payload()
    assert set(fields.keys()) <= {"Reporting-UA", "Original-Recipient", "Final-Recipient", "Original-Message-ID",
                                  "Disposition"}
    assert all(len(line) <= 998 for line in made.split(b"\r\n"))


def test_a_header_without_end():
    """What comes back of a header is bounded."""
    octets = build_disposition(asked_of(stored(WISH, "X: y\r\n" * 20_000)), "displayed", CHRIS,
                               host="vm1.example.com", trace="r1", when=WHEN)
    assert MOST_HEADER < len(octets) < MOST_HEADER + 4_000


def test_addresses_that_are_not_ascii():
    """RFC 6533: the global form, the address as UTF-8."""
    octets = built(reader=Reader("Jürgen", "jürgen@vm1.example.com"))
    assert b"message/global-disposition-notification" in octets
    assert "Final-Recipient: utf-8; jürgen@vm1.example.com".encode() in octets
    assert b"Content-Transfer-Encoding: 8bit" in octets.partition(b"\r\n\r\n")[0]
    assert b"text/rfc822-headers" in octets
    international = stored(WISH).replace(b"Subject: Hello", "Subject: Grüße".encode())
    assert b"message/global-headers" in built(international, reader=Reader("", "jürgen@vm1.example.com"))
    assert b"message/global-headers" not in built(international.replace("ß".encode(), b"\xdf"),
                                                  reader=Reader("", "jürgen@vm1.example.com"))


@given(garbage, garbage)
def test_garbage_asks_for_nothing_bad(header, tail):
    """Whatever is in a header, looking never raises, and what is built parses and is 7-bit or says so."""
    asked_of(header)
    octets = stored(WISH).replace(b"\r\n\r\n", b"\r\nX-Odd: " + header.replace(b"\n", b"\n ") + b"\r\n\r\n", 1) + tail
    asked = asked_of(octets)
    if asked is not None:
        built_octets = build_disposition(asked, "displayed", CHRIS, host="vm1", trace="t-m1", when=WHEN)
        message = message_from_bytes(built_octets, policy=policy.default)
        assert len(list(message.iter_parts())) == 3
        assert all(len(line) <= 998 for line in built_octets.split(b"\r\n"))


@given(st.text(max_size=100), st.text(max_size=60))
def test_names_stay_in_their_place(name, address):
    """No name and no address of a user makes a field of its own."""
    octets = built(reader=Reader(name, address))
    lines = octets.partition(b"\r\n\r\n")[0].split(b"\r\n")
    names = {line.partition(b":")[0] for line in lines if line[:1] not in b" \t"}
    assert names == {b"From", b"To", b"Subject", b"Date", b"Message-ID", b"In-Reply-To", b"References",
                     b"Auto-Submitted", b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding"}
