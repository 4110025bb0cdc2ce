"""Every message of the vectors that cannot be converted for a VPIM contact comes back as a report, or as nothing."""

import tomllib
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.courier.fake_relay import SITE
from tests.courier.memory import a_desk, send
from tests.fakes import DEFAULT_COS, ROBIN, FakeBook, InlineThreads
from unitymail.codec import Codec
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.people.class_of_service import RequireSecure
from unitymail.people.contact import Contact
from unitymail.people.location import Location, LocationKind
from unitymail.routing import categorise
from unitymail.routing.decide import decide
from unitymail.routing.decision import Origin
from unitymail.routing.steps import Convert, Report

VECTORS = Path(__file__).parent.parent / "vectors"
INDEX = tomllib.loads((VECTORS / "index.toml").read_text(encoding="utf-8"))["message"]
REFUSED = [vector for vector in INDEX if vector["vpim"]["result"] == "ndr" and vector["ndr_allowed"]]
NEVER_ANSWERED = [vector for vector in INDEX if not vector["ndr_allowed"]]
EAST = Location("l-east", LocationKind.VPIM, "East", "east.example", "voice.east.example", partition="p-default")


class NoNames:
    """A directory without recorded names."""

    def read(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def spoken_name(self, id):
        return None


def name_of(vector):
    return vector["file"]


def deliver(vector, folder):
    """The message of a vector to a VPIM contact, through deciding, converting and reporting."""
    ours = vector["mail_from"] if vector["mail_from"].isascii() else ""  # no user here has another address
    sender = replace(ROBIN, proxies=(ours or "robin.smith@example.com",))
    contact = Contact("c-chris", "chris", "Chris Jones", location=EAST.id, mailbox_number="4711",
                      proxies=tuple(vector["rcpt_to"]), partition="p-default")
    by_header_only = replace(DEFAULT_COS, secure=RequireSecure.NEVER)
    book = FakeBook(sender, contact, EAST, by_header_only, site=replace(SITE, unknown_sender="accept"))
    desk = a_desk(folder, book=book, codec=Codec(), directory=NoNames(), audio_threads=InlineThreads())
    octets = (VECTORS / vector["file"]).read_bytes()
    message = categorise.read(octets, parse_secure_headers(book.site.secure_headers), host="vm1.example.com",
                              secure_confidential=False)
    recipients = tuple(Recipient(address) for address in vector["rcpt_to"])
    envelope = Envelope(vector["mail_from"], recipients, smtputf8=not vector["rcpt_to"][0].isascii())
    decision = decide(message, envelope, Origin("mta", trust="trusted"), book, desk.usage)
    desk.courier.start()
    send(
        desk, *decision.steps, recipients=recipients, sender=envelope.sender, body=octets,
        envelope={"smtputf8": envelope.smtputf8}, category=message.category.value, secure=decision.secure,
        sensitivity=message.sensitivity.value, subject=message.subject, message_id=message.message_id,
        origin_user=decision.sender.matched,
    )
    assert desk.queue.shunted == {}
    assert any(isinstance(step, Convert | Report) for step in decision.steps) or not vector["ndr_allowed"]
    return desk


def groups_of(part):
    """The groups of a delivery status, which Python knows in its ASCII form only."""
    octets = part.as_bytes().partition(b"\n\n")[2].strip()
    return [message_from_bytes(group, policy=policy.default) for group in octets.split(b"\n\n")]


@pytest.mark.parametrize("vector", REFUSED, ids=name_of)
def test_a_report_with_the_expected_status(vector, tmp_path):
    """Three parts that Python's email reads, one group per recipient, its status that of the index."""
    desk = deliver(vector, tmp_path)
    assert desk.relay.sent == []
    ((octets, envelope, _),) = desk.spool.reports.values()
    report = message_from_bytes(octets, policy=policy.default)
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    assert not report.defects
    words, machine, returned = report.iter_parts()
    groups = groups_of(machine)[1:]
    assert [group["Status"] for group in groups] == [vector["vpim"]["status"]]
    assert [group["Action"] for group in groups] == ["failed"]
    assert groups[0]["Final-Recipient"].partition("; ")[2] == vector["rcpt_to"][0]
    assert (envelope.sender, envelope.recipients[0].address) == ("", vector["mail_from"])
    assert report["Sensitivity"] is None
    assert report["Auto-Submitted"] == "auto-replied"
    assert "t1" in words.get_content()
    if vector["secure"]:
        assert returned.get_content_type() in ("text/rfc822-headers", "message/global-headers")


@pytest.mark.parametrize("vector", NEVER_ANSWERED, ids=name_of)
def test_what_is_never_answered(vector, tmp_path):
    """The null sender hears nothing, whatever becomes of the message."""
    desk = deliver(vector, tmp_path)
    assert desk.spool.reports == {}
    assert not any(outgoing.sender for _, outgoing in desk.relay.sent)
    assert desk.queue.items() == []
