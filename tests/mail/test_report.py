"""Delivery status notifications: what a program and a person find in them."""

import email
import re
from dataclasses import replace
from email.policy import SMTP
from email.policy import default as MODERN
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.mail.report import MOST_RETURNED, Original, build_report, returns_all
from unitymail.mail.status import TEXTS, explain

VECTORS = Path(__file__).parent.parent / "vectors"
LETTER = (
    b"From: robin@vm1.example.com\r\nTo: chris@vm1.example.com\r\nSubject: Budget\r\n"
    b"Message-ID: <1@pc.example.com>\r\n\r\nHello.\r\n"
)
ENVELOPE = Envelope("robin@vm1.example.com", (Recipient("chris@vm1.example.com"),))
FULL = Fate("chris@vm1.example.com", "failed", "4.2.2", "The recipient's mailbox is full.")
ARRIVED, NOW = 1_700_000_000.0, 1_700_000_060.0


def original(content=LETTER, **more):
    facts = {"trace": "gqll7vatq8l0nudotqgo", "category": "voice", "subject": "Budget",
             "message_id": "<1@pc.example.com>", "arrived": ARRIVED, "size": len(content), "secure": False}
    return Original(content=content, **{**facts, **more})


def report(*fates, about=None, envelope=ENVELOPE, to="robin@vm1.example.com", **more):
    return build_report(
        to=to, fates=fates or (FULL,), envelope=envelope, original=about or original(), host="vm1.example.com",
        domain="vm1.example.com", trace="gqll7vcgu2l0nudotqgo", when=NOW, **more,
    )


def parts(octets):
    """(message, human text, status groups, third part)."""
    parsed = email.message_from_bytes(octets, policy=SMTP)
    first, second, third = parsed.iter_parts()
    return parsed, first.get_content().replace("\r\n", "\n"), second.get_payload(), third


def test_the_whole_report():
    """Every octet of a plain one."""
    assert report() == b"""From: Postmaster <postmaster@vm1.example.com>
To: <robin@vm1.example.com>
Subject: Undeliverable: Budget
Date: Tue, 14 Nov 2023 22:14:20 +0000
Message-ID: <gqll7vcgu2l0nudotqgo@vm1.example.com>
In-Reply-To: <1@pc.example.com>
References: <1@pc.example.com>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="=_unitymail_gqll7vcgu2l0nudotqgo"
Content-Transfer-Encoding: 7bit

--=_unitymail_gqll7vcgu2l0nudotqgo
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit

Your voice message "Budget" of 14 Nov 2023 22:13 UTC did not reach:

  chris@vm1.example.com
    The recipient's mailbox is full.
    What you can do: Send the message again when the recipient has made
    room.

It will not be tried again for these recipients.

Reference: gqll7vatq8l0nudotqgo at vm1.example.com, status 4.2.2
Message-ID: <1@pc.example.com>

--=_unitymail_gqll7vcgu2l0nudotqgo
Content-Type: message/delivery-status
Content-Transfer-Encoding: 7bit

Reporting-MTA: dns; vm1.example.com
Arrival-Date: Tue, 14 Nov 2023 22:13:20 +0000
X-Unitymail-Trace: gqll7vatq8l0nudotqgo

Final-Recipient: rfc822; chris@vm1.example.com
Action: failed
Status: 4.2.2

--=_unitymail_gqll7vcgu2l0nudotqgo
Content-Type: message/rfc822
Content-Transfer-Encoding: 7bit

From: robin@vm1.example.com
To: chris@vm1.example.com
Subject: Budget
Message-ID: <1@pc.example.com>

Hello.

--=_unitymail_gqll7vcgu2l0nudotqgo--
""".replace(b"\n", b"\r\n")


def test_every_field_of_a_relayed_failure():
    """ENVID, ORCPT, next hop, its reply and the time of the attempt are in the groups of RFC 3464."""
    fate = Fate("chris@vm1.example.com", "failed", "5.1.1", "Nobody has this address.", "550 5.1.1 <chris> unknown",
                "mx.example.net", "rfc822;c@old.example")
    later = Fate("terry@vm1.example.com", "delayed", "4.4.1", "No answer.")
    envelope = replace(ENVELOPE, envid="QQ314159")
    _, _, (about, first, second), _ = parts(report(fate, later, envelope=envelope, retry_until=NOW + 3600))
    assert about["Original-Envelope-Id"] == "QQ314159"
    assert dict(first.items()) == {
        "Original-Recipient": "rfc822; c@old.example",
        "Final-Recipient": "rfc822; chris@vm1.example.com",
        "Action": "failed",
        "Status": "5.1.1",
        "Remote-MTA": "dns; mx.example.net",
        "Diagnostic-Code": "smtp; 550 5.1.1 <chris> unknown",
        "Last-Attempt-Date": "Tue, 14 Nov 2023 22:14:20 +0000",
    }
    assert second["Will-Retry-Until"] == "Tue, 14 Nov 2023 23:14:20 +0000"
    assert "Will-Retry-Until" not in first


def test_a_long_reply_is_folded_and_cut():
    """What a next hop says at length stays within the lines of a header."""
    octets = report(replace(FULL, diagnostic="550 " + "word " * 300))
    value = parts(octets)[2][1]["Diagnostic-Code"]
    assert 500 < len(value) < 650
    assert max(len(line) for line in octets.split(b"\r\n")) < 100


def test_each_outcome_is_told_in_its_own_words():
    """Failed, delayed, delivered, passed on: one report may hold them all."""
    fates = [Fate(f"{action}@x.example", action, "2.0.0", "") for action in ("delivered", "relayed", "expanded")]
    fates += [Fate("delayed@x.example", "delayed", "4.4.1", ""), FULL]
    parsed, text, groups, _ = parts(report(*fates, retry_until=NOW + 3600))
    assert parsed["subject"] == "Undeliverable: Budget"
    for words in ("did not reach:", "has not reached these recipients yet:", "tried again until 14 Nov 2023 23:14 UTC",
                  "was delivered to:", "was passed on", "members of:"):
        assert words in " ".join(text.split())
    assert len(groups) == 6


def test_advice_is_for_who_can_do_something():
    """Of a delay or a success there is nothing to do."""
    for action, advised in (("failed", True), ("delayed", False), ("delivered", False), ("relayed", False)):
        assert ("What you can do:" in parts(report(replace(FULL, action=action)))[1]) is advised


def test_passed_on_without_some_parts():
    """Who takes VPIM may well report delivery too: it is only said that something stayed behind; each is told once."""
    fates = [Fate("jo@x.example", "relayed", "2.6.4", "agenda.pdf was left out."),
             Fate("out@x.example", "relayed", "2.0.0", "")]
    text = " ".join(parts(report(*fates))[1].split())
    first, second = text.split("was passed on to a system that does not report delivery, for:")
    assert "was passed on without some of its parts, for: jo@x.example agenda.pdf was left out." in first
    assert "jo@x.example" not in second and "out@x.example" in second
    assert "status 2.0.0, 2.6.4" in second


def test_no_recipient_is_compared_with_the_others(monkeypatch):
    """A report may name 15,000: what it costs must not grow with their square."""
    fates = [Fate(f"r{number}@x.example", "failed", "5.1.1", "") for number in range(200)]
    compared = []
    monkeypatch.setattr(Fate, "__eq__", lambda one, other: compared.append(one) or one is other)
    text = parts(report(*fates))[1]
    assert compared == [] and "r0@x.example" in text


@pytest.mark.parametrize(
    ("action", "title"),
    [("failed", "Undeliverable"), ("delayed", "Delayed"), ("delivered", "Delivered"), ("relayed", "Passed on"),
     ("expanded", "Passed on")],
)
def test_the_subject_says_what_happened(action, title):
    """Before the original's subject; a message without one is called `your message`."""
    fate = replace(FULL, action=action, status="2.0.0")
    assert parts(report(fate))[0]["subject"] == f"{title}: Budget"
    assert parts(report(fate, about=original(subject="")))[0]["subject"] == f"{title}: your message"


def test_recipients_with_one_cause_stand_together_with_their_names():
    """Display names where the directory has them; the reason and the advice once."""
    terry, nobody = replace(FULL, address="terry@vm1.example.com"), Fate("x@y", "failed", "5.1.1", "")
    fates = [FULL, terry, nobody]
    _, text, _, _ = parts(report(*fates, names={"chris@vm1.example.com": "Chris Jones"}))
    assert "  Chris Jones <chris@vm1.example.com>\n  terry@vm1.example.com\n    The recipient's mailbox" in text
    assert text.count("is full") == 1
    assert "Nobody has this address." in text


def test_a_person_sees_the_other_systems_words_and_the_reference():
    """What, why, what to do, and what to ask the administrator with."""
    fate = replace(FULL, status="5.7.1", cause="Not allowed.", diagnostic="550 5.7.1 go\r\naway")
    text = parts(report(fate))[1]
    assert "The other system said: 550 5.7.1 go away" in text
    assert explain("5.7.1").advice in " ".join(text.split())
    assert "Reference: gqll7vatq8l0nudotqgo at vm1.example.com, status 5.7.1" in text
    assert "Message-ID: <1@pc.example.com>" in text


def test_a_report_about_fifteen_thousand_recipients_stays_readable():
    """A hundred are named to the person, all to the program."""
    fates = [replace(FULL, address=f"a{n}@x.example") for n in range(15_000)]
    _, text, groups, _ = parts(report(*fates))
    assert "and 14900 more" in text
    assert text.count("@x.example") == 100
    assert len(groups) == 15_001


def test_replies_that_differ_in_the_recipient_only_are_one_cause():
    """Each of 15,000 refused by its own name, at length: the person reads it once, and the report stays small."""
    said = "550 5.1.1 <{}>: Recipient address rejected: User unknown in virtual mailbox table " + "and so on " * 50
    fates = [replace(FULL, address=f"A{n}@x.example", diagnostic=said.format(f"a{n}@x.example"))
             for n in range(15_000)]
    octets = report(*fates)
    _, text, groups, _ = parts(octets)
    assert " ".join(text.split()).count("The other system said of the first of them: 550 5.1.1 <a0@x.example>:") == 1
    assert "<a1@x.example>" not in text and "and 14900 more" in text
    assert len(groups) == 15_001 and groups[-1]["Diagnostic-Code"].startswith("smtp; 550 5.1.1 <a14999@x.example>")
    assert len(octets) < 4_500_000


def test_more_causes_than_a_person_reads():
    """Twenty are told, the others counted; so with statuses in the reference. The program reads all."""
    fates = [replace(FULL, address=f"a{n}@x.example", status=f"5.1.{n + 100}", diagnostic=f"550 reason {n}")
             for n in range(30)]
    _, text, groups, _ = parts(report(*fates))
    assert text.count("The other system said: 550 reason") == 20
    assert "\n  and 10 more, for other reasons. Your administrator finds them by the\n  reference below.\n" in text
    assert "5.1.109 and others" in text
    assert len(groups) == 31


def test_a_delay_does_not_pretend_to_know_the_last_attempt():
    """The notice comes at its own hour, not right after an attempt."""
    waiting = replace(FULL, action="delayed", status="4.3.2", diagnostic="450 4.3.2 later", remote_mta="mx.example")
    assert b"Last-Attempt-Date" not in report(waiting)
    assert b"Last-Attempt-Date" in report(replace(waiting, action="failed"))


FAILED, DONE = [FULL], [replace(FULL, action="delivered", status="2.0.0")]


@pytest.mark.parametrize(
    ("fates", "ret", "secure", "size", "whole"),
    [
        (FAILED, None, False, 1000, True),
        (FAILED, "FULL", False, 1000, True),
        (FAILED, "HDRS", False, 1000, False),
        (FAILED, None, True, 1000, False),
        (FAILED, "FULL", True, 1000, False),
        (FAILED, None, False, MOST_RETURNED, True),
        (FAILED, "FULL", False, MOST_RETURNED + 1, False),
        (DONE, None, False, 1000, False),
        (DONE, "FULL", False, 1000, False),
        (DONE + FAILED, None, False, 1000, True),
        (DONE, "HDRS", False, 1000, False),
    ],
)
def test_what_comes_back(fates, ret, secure, size, whole):
    """The whole message or its header: RET, secure messages, size, and whether anything failed."""
    assert returns_all(fates, replace(ENVELOPE, ret=ret), secure=secure, size=size) is whole


def test_headers_only_leave_the_body_out():
    """A secure message's words never travel back."""
    about = original(b"Subject: s\r\nX-Unity-Secure: true\r\n\r\nthe secret\r\n", secure=True)
    octets = report(about=about)
    third = parts(octets)[3]
    assert third.get_content_type() == "text/rfc822-headers"
    assert b"the secret" not in octets
    assert b"X-Unity-Secure: true\r\n" in octets


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: x\r\n\r\na\0b\r\n",
        b"Subject: x\r\n\r\nbare\nlf\r\n",
        b"Subject: x\r\n\r\nbare\rcr\r\n",
        b"Subject: x\r\n\r\n" + b"y" * 999 + b"\r\n",
        b"Subject: x" + b"y" * 2000 + b"\r\n\r\nb\r\n",
        b"Subject: caf\xe9\nX: 1\n\nlf file\n",
        b"Subject: \0\xff\r\n\r\n\0",
    ],
)
def test_a_message_that_no_mail_part_can_hold_comes_back_as_headers(content):
    """NUL, bare CR or LF, endless lines: the report itself stays clean."""
    octets = report(about=original(content))
    assert parts(octets)[3].get_content_type() == "text/rfc822-headers"
    assert_clean(octets)


def test_an_8bit_original_is_labelled():
    """8bit on its part and on the whole, octets untouched."""
    content = b"Subject: x\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\xc3\xa9 \xe9\r\n"
    octets = report(about=original(content))
    parsed, _, _, third = parts(octets)
    assert content in octets
    assert parsed["content-transfer-encoding"] == third["content-transfer-encoding"] == "8bit"
    assert third.get_content_type() == "message/rfc822"


def test_an_original_without_a_final_line_end_does_not_swallow_the_boundary():
    """The closing delimiter has a line of its own."""
    assert parts(report(about=original(b"Subject: x\r\n\r\nno end")))[3].get_content_type() == "message/rfc822"


def test_utf8_addresses_use_the_global_types():
    """RFC 6533: global-delivery-status with `utf-8;` addresses, global headers of an SMTPUTF8 message."""
    content = "From: jürgen@bücher.example\r\nSubject: Grüße\r\n\r\nx\r\n".encode()
    envelope = Envelope("jürgen@bücher.example", (Recipient("zoë@x.example"),), smtputf8=True)
    fate = Fate("zoë@x.example", "failed", "5.6.7", "", orcpt="utf-8;zoë@x.example")
    octets = report(fate, to="jürgen@bücher.example", envelope=envelope, about=original(content, subject="Grüße"))
    assert "To: <jürgen@bücher.example>\r\n".encode() in octets
    assert b"Content-Type: message/global-delivery-status\r\n" in octets
    assert "Original-Recipient: utf-8; zoë@x.example\r\nFinal-Recipient: utf-8; zoë@x.example\r\n".encode() in octets
    assert b"Content-Type: message/global\r\n" in octets
    assert email.message_from_bytes(octets, policy=MODERN)["subject"] == "Undeliverable: Grüße"
    secret = report(fate, envelope=envelope, about=original(content, secure=True))
    assert b"Content-Type: message/global-headers\r\n" in secret


def test_an_original_recipient_beyond_ascii_is_enough_for_the_global_type():
    """Who wrote to zoë, and whose message went on to an ASCII address, reads of zoë."""
    octets = report(replace(FULL, orcpt="utf-8;zoë@x.example"))
    assert b"Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n" in octets
    assert "Original-Recipient: utf-8; zoë@x.example\r\nFinal-Recipient: rfc822; chris@".encode() in octets


def test_what_no_mail_program_could_follow_comes_back_as_a_header():
    """Parts nested without end, or more of them than anybody shows: the report itself must be readable."""
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(60))
    wide = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 1_100 + b"--b--\r\n"
    for content in (deep, wide):
        assert b"text/rfc822-headers" in report(about=original(content))


def test_half_a_message_does_not_come_back_as_a_whole():
    """When only its beginning is at hand, it is returned as a header."""
    third = parts(report(about=original(size=len(LETTER) + 1)))[3]
    assert third.get_content_type() == "text/rfc822-headers"


def test_a_report_in_ascii_is_7bit_clean():
    """Whatever the subject: it is encoded in the header and quoted-printable for the person."""
    octets = report(about=original(subject="Grüße an alle"))
    assert octets.isascii()
    assert 'Your voice message "Grüße an alle"' in parts(octets)[1]


@pytest.mark.parametrize("content", [b"", b"\r\nbody only\r\n", b"Subject: header only\r\n"])
def test_an_original_that_lacks_a_part_still_comes_back(content):
    """Empty, without header, without body: whole, and as headers when it is secure."""
    assert parts(report(about=original(content)))[3].get_content_type() == "message/rfc822"
    secret = report(about=original(content, secure=True))
    assert parts(secret)[3].get_content_type() == "text/rfc822-headers"
    assert b"body only" not in secret


def test_a_boundary_in_the_original_is_avoided():
    """A report about a report with the same id still parses."""
    content = LETTER + b"--=_unitymail_gqll7vcgu2l0nudotqgo--\r\n"
    parsed, _, _, third = parts(report(about=original(content)))
    assert parsed.get_boundary() == "=_unitymail_gqll7vcgu2l0nudotqgo_"
    assert third.get_content_type() == "message/rfc822"


@pytest.mark.parametrize("bad", ["", "no brackets at all", "<a b@c>", "<a@b>\r\nX: y", "<" + "a" * 400 + "@b>", "é"])
def test_a_message_id_that_may_not_be_written_is_left_out(bad):
    """No reference is better than a broken header."""
    octets = report(about=original(message_id=bad))
    assert b"In-Reply-To" not in octets
    assert_clean(octets)


def assert_clean(octets):
    """CRLF only, no control characters, lines within RFC 5322's limit, ASCII unless labelled."""
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", octets)
    assert max(len(line) for line in octets.split(b"\r\n")) <= 998
    header, _, body = octets.partition(b"\r\n\r\n")
    assert header.endswith(b"Content-Transfer-Encoding: " + (b"7bit" if body.isascii() else b"8bit"))


TEXT = st.text(st.characters(exclude_categories=()), max_size=120) | st.sampled_from(
    ["x\r\nBcc: a@b", "a\n\n--=_unitymail_gqll7vcgu2l0nudotqgo--", "\x85X: 1", "a\u2028b", "a" * 3000, "é" * 700,
     "\0", "\ud800"]
)
FATES = st.builds(
    Fate, TEXT, st.sampled_from(["failed", "delayed", "delivered", "relayed", "expanded"]),
    st.sampled_from(sorted(TEXTS)) | TEXT, TEXT, TEXT, TEXT, TEXT,
)


@given(fates=st.lists(FATES, min_size=1, max_size=4), to=TEXT, subject=TEXT, identity=TEXT, envid=st.none() | TEXT,
       content=st.binary(max_size=300) | st.just(LETTER), secure=st.booleans(), utf8=st.booleans(), names=TEXT)
def test_nothing_anybody_said_breaks_a_report(fates, to, subject, identity, envid, content, secure, utf8, names):
    """Addresses, replies, subjects, ids and originals of any kind: clean lines, three parts, a group per recipient."""
    about = original(content, subject=subject, message_id=identity, secure=secure)
    envelope = replace(ENVELOPE, envid=envid, smtputf8=utf8)
    octets = report(*fates, to=to, about=about, envelope=envelope, names={fates[0].address: names}, retry_until=NOW)
    assert_clean(octets)
    header, _, body = octets.partition(b"\r\n\r\n")
    assert [line.partition(b":")[0] for line in header.split(b"\r\n") if line[:1] not in b" \t"] in (
        [b"From", b"To", b"Subject", b"Date", b"Message-ID", *ids, b"Auto-Submitted", b"MIME-Version", b"Content-Type",
         b"Content-Transfer-Encoding"] for ids in ([], [b"In-Reply-To", b"References"])
    )
    boundary = re.search(rb'boundary="([^"]+)"', header)[1]
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    assert len(pieces) == 5
    assert pieces[4] == b"--\r\n"
    groups = pieces[2].partition(b"\r\n\r\n")[2].rstrip(b"\r\n").split(b"\r\n\r\n")
    assert len(groups) == 1 + len(fates)
    for group in groups[1:]:
        names_in = [line.partition(b":")[0] for line in group.split(b"\r\n") if line[:1] not in b" \t"]
        assert [name for name in names_in if name in (b"Final-Recipient", b"Action", b"Status")] == [
            b"Final-Recipient", b"Action", b"Status"
        ]


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.eml")), ids=lambda path: path.name)
def test_a_report_about_every_vector_parses(path):
    """Broken ones too: CRLF, labelled, three parts, and the original's octets when it can be carried."""
    content = path.read_bytes()
    octets = report(about=original(content))
    assert_clean(octets)
    # Only the report's own structure: the original inside may be nested deeper than `email` can follow.
    boundary = b"\r\n--" + re.search(rb'boundary="([^"]+)"', octets)[1]
    pieces = octets.split(boundary)
    assert len(pieces) == 5
    kind = pieces[3].partition(b"\r\n\r\n")[0]
    assert (b"message/rfc822" in kind and content in pieces[3]) or b"text/rfc822-headers" in kind
    shallow = octets.replace(pieces[3], b"\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n")
    assert len(parts(shallow)[2]) == 2


def test_every_status_of_the_table_has_its_text():
    """Each status we give has a reason and an advice; what next hops invent is explained by its subject."""
    section_7 = """5.1.1 5.1.2 5.1.10 5.1.3 5.1.4 5.1.7 5.7.1 5.7.0 5.7.8 5.7.11 4.7.0 5.2.1 4.2.2 5.2.2 5.2.3 5.3.4
        4.5.3 5.5.3 4.3.1 4.3.2 5.6.1 2.6.4 5.6.3 5.6.5 5.3.5 4.4.1 4.4.2 4.4.3 5.4.4 4.7.4 5.7.4 4.4.7 5.4.6 4.4.6
        5.6.7 5.6.9 5.6.0 5.7.2 5.2.4"""
    for status in section_7.split():
        assert status in TEXTS, status
    for text in TEXTS.values():
        assert text.why.endswith(".")
        assert text.advice.endswith(".")
    assert explain("4.1.1") == TEXTS["5.1.1"]
    assert explain("2.9.9") == TEXTS["2.0.0"]
    assert "address" in explain("5.1.99").why
    assert explain("5.9.9").why == explain("").why == explain("nonsense").why
