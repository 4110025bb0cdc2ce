"""Which messages are reported on, by the vectors; and that what we write is what we read."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import ROBIN, FakeUsage
from tests.routing.letters import SIGNED_IN, SITE, TRUSTED, book, envelope, message
from unitymail.mail.message import Category
from unitymail.mail.report import Original, build_report
from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.mail.trace import head_block, new_trace
from unitymail.routing.categorise import read
from unitymail.routing.decide import decide
from unitymail.routing.decision import SenderFinding
from unitymail.routing.reporting import report_barred
from unitymail.routing.situation import Situation

VECTORS = Path(__file__).parent.parent / "vectors"
INDEX = tomllib.loads((VECTORS / "index.toml").read_text())["message"]
HEADERS = parse_secure_headers(SITE.secure_headers)
HOST = "vm1.example.com"


def decided(vector):
    letter = read((VECTORS / vector["file"]).read_bytes(), HEADERS, host=HOST)
    to = envelope("nobody@vm1.example.com", sender=vector["mail_from"])
    return decide(letter, to, TRUSTED, book(), FakeUsage())


@pytest.mark.parametrize("vector", INDEX, ids=lambda vector: vector["file"])
def test_a_report_is_due_only_where_the_vector_allows_one(vector):
    """Never about what came with the null sender; bad mail is nobody's business."""
    decision = decided(vector)
    if not vector["ndr_allowed"] or decision.sender.verdict == "bad-mail":
        assert decision.report is None
    else:
        assert [fate.status for fate in decision.report.fates] == ["5.1.1"]


def test_a_program_that_can_be_told_is_told():
    """A telephone system's voice message does not vanish because a program sent it (RFC 5321 6.1)."""
    octets = b"Auto-Submitted: auto-generated\r\n" + (VECTORS / "viewmail_voice.eml").read_bytes()
    to = envelope("nobody@vm1.example.com")
    decision = decide(read(octets, HEADERS, host=HOST), to, TRUSTED, book(), FakeUsage())
    assert [fate.status for fate in decision.report.fates] == ["5.1.1"]


def test_an_unidentified_sender_is_never_told():
    """Whatever else holds."""
    nobody = SenderFinding("x@y", "unknown")
    situation = Situation(message(), TRUSTED, nobody, False, book(), FakeUsage(), SITE)
    assert "not identified" in report_barred(envelope("a@b", sender="x@y"), situation)
    known = replace(situation, sender=SenderFinding("x@y", "outside"))
    assert report_barred(envelope("a@b", sender="x@y"), known) == ""


def test_our_own_report_is_a_receipt_with_one_hop_here():
    """The house reads what it writes: category, sender, Auto-Submitted, and its own name in Received."""
    content = (VECTORS / "viewmail_voice.eml").read_bytes()
    letter = read(content, HEADERS, host=HOST)
    to = envelope("nobody@vm1.example.com", sender=ROBIN.address)
    decision = decide(letter, to, TRUSTED, book(), FakeUsage())
    trace = new_trace(1_700_000_000, b"12345678")
    about = Original(trace, letter.category.value, letter.subject, letter.message_id, 1_700_000_000.0, len(content),
                     decision.secure, content)
    report = build_report(to=decision.report.to, fates=decision.report.fates, envelope=to, original=about, host=HOST,
                          domain=HOST, trace=trace, when=1_700_000_001.0)
    head = head_block(trace=trace, envelope=envelope(ROBIN.address, sender=""), origin=SIGNED_IN, decision=decision,
                      host=HOST, when=1_700_000_001.0, subject=None)
    found = read(head + report, HEADERS, host=HOST)
    assert (found.category, found.rule, found.malformed) == (Category.RECEIPT, "R1", False)
    assert (found.hops_here, found.received) == (1, 1)
    assert found.header_from == (f"postmaster@{HOST}",)
    assert found.subject == f"Undeliverable: {letter.subject}"
    assert not found.encloses_private
