"""A report on its way: what is read of the message it is about, and what the sender is promised."""

from dataclasses import replace

import pytest

from tests.courier.memory import BODY, NOW, a_desk, send
from unitymail.courier.perform.report import HEADER_ONLY, envelope_of, original_of
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.mail.report import MOST_RETURNED
from unitymail.mail.writing import date
from unitymail.routing.steps import RelayToSmartHost, Report

A = RelayToSmartHost("a@elsewhere.example")
FAILED = Fate(A.to, "failed", "5.1.1", "Nobody there.")


def an_item(folder, *steps, body=BODY, **facts):
    desk = a_desk(folder)
    send(desk, *steps, body=body, **facts)
    return desk, desk.queue.written["t1"]


@pytest.mark.parametrize(("facts", "fate", "whole"), [
    ({}, FAILED, True),
    ({"secure": True}, FAILED, False),
    ({"envelope": {"ret": "HDRS"}}, FAILED, False),
    ({"body": BODY + b"x" * MOST_RETURNED}, FAILED, False),
    ({}, replace(FAILED, action="delayed"), False),
])
def test_no_more_is_read_than_goes_back(tmp_path, facts, fate, whole):
    """A large message is not taken into memory for the sake of its header."""
    facts = {"body": BODY + b"x" * 2 * HEADER_ONLY, **facts}
    _, item = an_item(tmp_path, A, **facts)
    original = original_of(item, Report(item.envelope.sender, (fate,)))
    assert original.size == len(facts["body"])
    assert len(original.content) == (original.size if whole else HEADER_ONLY)


def test_until_when_it_is_kept_trying(tmp_path):
    """A notice of delay says so, to the person and to the program."""
    delayed = Report("chris@vm1.example.com", (replace(FAILED, action="delayed", status="4.4.1"),))
    desk, _ = an_item(tmp_path, A, delayed)
    desk.courier.start()
    desk.clock.advance(0)
    ((octets, _, _),) = desk.spool.reports.values()
    end = NOW + desk.book.site.relay_retry_for
    assert b"Will-Retry-Until: " + date(end).encode() + b"\r\n" in octets
    assert b"will be tried again until" in octets


def test_the_envelope_of_a_report():
    """The null sender, nobody told about it, and SMTPUTF8 for who has an address beyond ASCII."""
    for to, utf8 in (("chris@vm1.example.com", False), ("zo\u00eb@x.example", True)):
        assert envelope_of(to) == Envelope("", (Recipient(to, frozenset({"NEVER"})),), body="8bitmime", smtputf8=utf8)
    assert envelope_of("chris@vm1.example.com", Envelope("a@b", (), priority=6)).priority == 6
