"""Header injection: CVE-2024-21742 (Mime4J). Words of the directory, of peers and of senders in headers that we write.

Everything that a person or a peer can name is put, in turn and all at once, into every message that this node makes:
reports, receipts, converted voice mail both ways, the block at the top of what is stored, and what is said to a next
hop. Each has the fields that it should have, in clean lines, whatever the words; a directory that another program wrote
may hold what the command line would refuse.
"""

import re
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest

import unitymail
from fuzz.octets import check_header
from tests.fakes import CHRIS, ROBIN, FakeBook
from tests.hardness.nasty import WORDS
from tests.routing.letters import SIGNED_IN, message
from unitymail.interfaces.relay import Outgoing
from unitymail.mail.disposition import Asked, Reader, build_disposition
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.mail.headers import fields
from unitymail.mail.message import Category, Importance, Sensitivity
from unitymail.mail.notice import Notice, build_notice
from unitymail.mail.report import Original, build_report
from unitymail.mail.structure import scan
from unitymail.mail.trace import MAX_HEAD, head_block
from unitymail.mail.vpim.heading import Cover, heading, inner_heading
from unitymail.mail.vpim.outlook import (
    Attached,
    Heading,
    Speaker,
    header_of,
    part_header,
    sentence,
    subject_for,
    text_part,
)
from unitymail.mail.vpim.selection import Selection, Voice
from unitymail.mail.withheld import Reason, withheld_form
from unitymail.relay.envelope import Manner, is_sendable, mail_line, rcpt_line, xtext
from unitymail.relay.offers import Offers
from unitymail.routing.decision import Decision, SenderFinding
from unitymail.routing.subject import subject_for as subject_of
from unitymail.settings.site import SiteSettings

HOUSE = Path(unitymail.__file__).parent
WHEN = 1_764_000_000.0
COMMON = {b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"mime-version", b"content-type"}
REPORT = COMMON | {b"in-reply-to", b"references", b"auto-submitted", b"content-transfer-encoding"}
VPIM = REPORT | {b"received", b"sensitivity", b"importance", b"message-context", b"disposition-notification-to",
                 b"content-class"}


def header(octets):
    return octets.partition(b"\r\n\r\n")[0] + b"\r\n"


def a_report(word):
    """A report of which sender, recipients, display names, subject, Message-ID, ENVID and replies are `word`."""
    fates = [Fate(word or "x", "failed", "5.1.1", word, orcpt=f"rfc822;{word}"), Fate("c@d", "delayed", "4.4.1", word)]
    original = Original("0t", "voice", word, word, WHEN, 100, False, f"Subject: {word}\r\n\r\n".encode("utf-8",
    "replace"))
    return build_report(
        to=word, fates=fates, envelope=Envelope(word, (Recipient(word),), envid=word), original=original,
        host="vm1.example.com",
        domain="vm1.example.com", trace="0r", when=WHEN, names={"c@d": word, word: word}, retry_until=WHEN,
    )


def a_receipt(word):
    """A receipt to `word`, for a message of that subject, read by somebody of that name and address."""
    asked = Asked(word, "voice", word, "", "", WHEN, f"Subject: {word}\r\n".encode("utf-8", "replace"))
    return build_disposition(asked, "displayed", Reader(word, word), host="vm1.example.com", trace="0m", when=WHEN)


def voice_to_a_peer(word):
    """The heading of a message to a VPIM location, between people of that name and address."""
    people = (word, word)
    cover = Cover("0t", word, "vm1.example.com", WHEN, b"", people, (people, people), (people,), private=True)
    original = f"Subject: {word}\r\nFrom: {word} <{word}>\r\nReceived: {word}\r\n\r\n".encode("utf-8", "replace")
    selection = Selection(scan(original).root, message=Voice(()))
    return heading(original, selection, cover, b"=_b"), inner_heading(original, selection, b"=_b")


def voice_from_a_peer(word):
    """The header of a converted message whose speaker, number, recipients and subject are `word`."""
    original = f"Received: {word}\r\nReferences: {word}\r\nDate: {word}\r\n\r\n".encode("utf-8", "replace")
    speaker, people = Speaker(word, word, word), [(word, word)]
    made = Heading(Category.VOICE, speaker, people, people, subject_for(Category.VOICE, speaker), Sensitivity.PRIVATE,
                   Importance.HIGH, "<0t@vm1>", WHEN)
    return header_of(made, original, scan(original).root, b"=_b")


def block(word, subject=None, origin=SIGNED_IN):
    """The block at the top of what is stored: HELO, TLS, sender, recipient and sender object are `word`."""
    origin = replace(origin, helo=word, client=word, tls=word, protocol=word)
    finding = SenderFinding(word, "user", word)
    return head_block(trace="0t", envelope=Envelope(word, (Recipient(word),)), origin=origin, host="vm1.example.com",
                      decision=Decision(message(), finding, (), (), True), when=WHEN, subject=subject)


@pytest.mark.parametrize("word", WORDS)
def test_reports(word):
    """A report has its ten fields, three parts and a group for each recipient."""
    octets = a_report(word)
    check_header(header(octets), REPORT)
    parts = message_from_bytes(octets, policy=policy.default)
    assert len(list(parts.iter_parts())) == 3
    status = re.split(rb"delivery-status\r\n", octets)[1].partition(b"\r\n--")[0]
    fields = re.findall(rb"^([A-Za-z-]+):", status, re.MULTILINE)
    assert set(fields) <= {
        b"Content-Transfer-Encoding", b"Reporting-MTA", b"Original-Envelope-Id", b"Arrival-Date", b"X-Unitymail-Trace",
        b"Original-Recipient", b"Final-Recipient", b"Action", b"Status", b"Remote-MTA", b"Diagnostic-Code",
        b"Last-Attempt-Date", b"Will-Retry-Until",
    }


@pytest.mark.parametrize("word", WORDS)
def test_receipts(word):
    """A receipt has its fields, three parts, and what it says of the reader in one group."""
    octets = a_receipt(word)
    check_header(header(octets), REPORT)
    assert len(list(message_from_bytes(octets, policy=policy.default).iter_parts())) == 3


@pytest.mark.parametrize("word", WORDS)
def test_notices(word):
    """A notice to a user has its fields and one text, whatever the user is called and whatever it is about."""
    notice = Notice(word, word, f"About {word}", [f"It is {word}.", word])
    octets = build_notice(notice, domain="vm1.example.com", host="vm1.example.com", trace="0m", when=WHEN)
    check_header(header(octets), REPORT)
    assert not message_from_bytes(octets, policy=policy.default).is_multipart()


@pytest.mark.parametrize("word", WORDS)
def test_withheld_messages(word):
    """The form of a withheld message has the fields of the message but those about its body, and one short text."""
    octets = b"Subject: " + word.encode("utf-8", "replace") + b"\r\nContent-Type: audio/wav\r\n\r\nhidden"
    form = withheld_form(octets, Reason.PRIVATE)
    assert b"hidden" not in form
    assert fields_of(form) == fields_of(octets)


def fields_of(octets):
    """The names of a message's fields but those about its body."""
    root = scan(octets).root
    names = [found.name.lower() for found in fields(octets, root.start, root.body) if found.name]
    return [name for name in names if name not in (b"mime-version", b"content-type", b"content-transfer-encoding")]


@pytest.mark.parametrize("word", WORDS)
def test_voice_mail_for_peers(word):
    """A message to a VPIM location is 7-bit, and its forwarded message too."""
    for made in voice_to_a_peer(word):
        check_header(made, VPIM)
        assert made.isascii()


@pytest.mark.parametrize("word", WORDS)
def test_voice_mail_from_peers(word):
    """What a peer's caller is called makes no field, no part and no line."""
    made = voice_from_a_peer(word)
    assert made.endswith(b"\r\n\r\n") and made.count(b"\r\n\r\n") == 1
    check_header(made[:-2], VPIM)
    attached = Attached("voice", 1, word, 3.0, sent=word, forwarded=True)
    words = message_from_bytes(text_part([attached]), policy=policy.default)
    assert words.keys() == ["Content-Type", "Content-Transfer-Encoding"]
    assert "\n" not in words.get_content().strip("\r\n")
    check_header(part_header(attached)[:-2], {b"content-type", b"content-transfer-encoding", b"content-disposition",
                                              b"content-duration"})
    assert sentence(attached)


@pytest.mark.parametrize("word", WORDS)
def test_the_block_at_the_top(word):
    """Return-Path, Received and our own field, once each; a subject of ours when there is none."""
    for subject in (None, word):
        made = block(word, subject)
        assert len(made) <= MAX_HEAD
        check_header(made, {b"return-path", b"received", b"x-unitymail-trace", b"subject"})
        names = [line.partition(b":")[0] for line in made.split(b"\r\n") if line[:1] not in (b"", b" ", b"\t")]
        assert names[:3] == [b"Return-Path", b"Received",
        b"X-Unitymail-Trace"] and len(names) == 3 + (subject is not None)


@pytest.mark.parametrize("word", WORDS)
def test_subjects_made_of_settings_and_names(word):
    """A format with such words, filled with such names, is one Subject field."""
    site = SiteSettings(subject_user=f"%U% {word} %NAME% [%CALLERID%] %CALLEDID%", subject_urgent=word)
    robin, chris = replace(ROBIN, display_name=word, extension=word), replace(CHRIS, display_name=word)
    decision = Decision(message(importance=Importance.HIGH), SenderFinding(ROBIN.address,
    "user", ROBIN.id), (), (), False)
    envelope = Envelope(ROBIN.address, (Recipient(CHRIS.address),))
    subject = subject_of(decision, envelope, FakeBook(robin, chris, site=site))
    assert subject is not None
    made = block("x", subject)
    check_header(made, {b"return-path", b"received", b"x-unitymail-trace", b"subject"})
    assert made.lower().count(b"\r\nsubject:") <= 1


@pytest.mark.parametrize("word", WORDS)
def test_nothing_more_is_said_to_a_next_hop(word):
    """An address that could end a command is never said; what goes into parameters is xtext."""
    assert re.fullmatch(r"[!-*,-<>-~]*(?:\+[0-9A-F]{2}|[!-*,-<>-~])*", xtext(word))
    address = f"{word}@x.example"
    if not is_sendable(address):
        return
    everything = Offers(dsn=True, utf8=True)
    outgoing = Outgoing("0t", address, (), "", 0, 1, smtputf8=True, ret="HDRS", envid=word)
    recipient = Recipient(address, orcpt=f"rfc822;{word}")
    said = (mail_line(outgoing, Manner(address), everything), rcpt_line(recipient, everything))
    for line in said:
        assert not re.search(rb"[\r\n\0]", line)
        assert line.count(b"<") == line.count(b">") == 1 or b'"' in line


def test_all_at_once():
    """The words together, in one report."""
    check_header(header(a_report("".join(WORDS))), REPORT)


WRITERS = {
    "mail/disposition.py", "mail/notice.py", "mail/withheld.py", "mail/report.py", "mail/report_parts.py",
    "mail/trace.py", "mail/vpim/body.py",
    "mail/vpim/heading.py", "mail/vpim/outbound.py", "mail/vpim/outlook.py", "mail/writing.py",
}
ELSEWHERE = {
    "mail/recoding.py",
    "mail/report_words.py",
}
"""Modules with such words that write no word of others: an encoding's name, and lines of a text for people."""
_FIELD = re.compile(r"""["'](?:From|To|Cc|Bcc|Subject|Reply-To|Sender|Received|Return-Path|Message-ID|Date"""
                    r"""|In-Reply-To|References|Content-Type|Content-Disposition|MIME-Version|Auto-Submitted): """)


def test_nobody_else_writes_headers():
    """Field names with their colon stand in the modules that are tried here, and nowhere else in the house."""
    found = {str(path.relative_to(HOUSE)) for path in HOUSE.rglob("*.py") if _FIELD.search(path.read_text())}
    assert found <= WRITERS | ELSEWHERE, found - WRITERS - ELSEWHERE
