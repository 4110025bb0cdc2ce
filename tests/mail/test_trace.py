"""The trace id, our header block, and what nobody can do to it."""

import email
import re
from dataclasses import replace
from email.policy import default as MODERN

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.routing.letters import SIGNED_IN, STRANGER, message
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Category, Sensitivity
from unitymail.mail.trace import (
    MAX_HEAD,
    TraceField,
    first_trace_field,
    head_block,
    looping,
    new_trace,
    padded,
    read_trace_field,
)
from unitymail.routing.decision import Decision, Origin, SenderFinding

TRACE = new_trace(1_700_000_000.5, b"\x01" * 16)
WHEN = 1_700_000_000.0


def decision(matched="u-robin", secure=False, **facts):
    return Decision(message(**facts), SenderFinding("robin@vm1.example.com", "user", matched), (), (), secure)


def head(sender="robin@vm1.example.com", to=("chris@vm1.example.com",), origin=SIGNED_IN, subject=None,
         host="vm1.example.com", made=None, **more):
    envelope = Envelope(sender, tuple(Recipient(address) for address in to), **more)
    return head_block(trace=TRACE, envelope=envelope, origin=origin, decision=made or decision(), host=host, when=WHEN,
                      subject=subject)


def test_trace_ids_are_short_and_sort_by_time():
    """20 of [0-9a-z]; a later one is greater, whatever the random part; two of one moment differ."""
    ids = [new_trace(now, random) for now, random in [(0, b"\xff" * 8), (1_700_000_000, b"\xff" * 16),
           (1_700_000_000.000_01, b"\x00" * 8), (3_600_000_000, b"\x00" * 8)]]
    assert ids == sorted(ids)
    assert all(re.fullmatch("[0-9a-z]{20}", id) for id in ids)
    assert new_trace(1, b"aaaaaaaa") != new_trace(1, b"aaaaaaab")


def test_the_whole_block():
    """Return-Path, Received as RFC 5321 4.4, trace field: exactly these octets."""
    secret = decision(secure=True, category=Category.VOICE, sensitivity=Sensitivity.PRIVATE)
    assert head(made=secret) == (
        b"Return-Path: <robin@vm1.example.com>\r\n"
        b"Received: from pc.example.com ([10.0.0.9])\r\n"
        b"\tby vm1.example.com with ESMTPSA id " + TRACE.encode() + b"\r\n"
        b"\t(TLSv1.3)\r\n"
        b"\tfor <chris@vm1.example.com>;\r\n"
        b"\tTue, 14 Nov 2023 22:13:20 +0000\r\n"
        b"X-Unitymail-Trace: id=" + TRACE.encode() + b"; category=voice; sensitivity=private;\r\n"
        b"\tsecure=yes; sender=u-robin; pad=\r\n"
    )


@pytest.mark.parametrize(("priority", "clause"), [(0, b""), (9, b"\r\n\tpriority 9"), (-4, b"\r\n\tpriority -4")])
def test_how_urgent_it_is(priority, clause):
    """RFC 6710: Received says so, behind the clauses that everybody knows; of an ordinary message it says nothing."""
    assert b"\r\n\tfor <chris@vm1.example.com>" + clause + b";\r\n\tTue," in head(priority=priority)
    assert b"(TLSv1.3)" + clause + b";\r\n\tTue," in head(to=("a@b", "c@d"), priority=priority)


def test_the_null_sender_is_empty_brackets():
    """As RFC 5321 4.4 wants it."""
    assert head(sender="").startswith(b"Return-Path: <>\r\n")


def test_a_quoted_recipient_is_not_named():
    """What looks like clauses of Received to a careless reader stays out of it."""
    assert b"for <" not in head(to=('"a; b by c"@vm1.example.com',))


def test_several_recipients_are_not_named():
    """Blind copies stay blind: `for` only with one."""
    assert b"for <" in head(to=("a@b",))
    assert b"for <" not in head(to=("a@b", "c@d"))
    assert b"for <" not in head(to=())


@pytest.mark.parametrize(
    ("origin", "utf8", "expected"),
    [
        (Origin("mta", protocol="SMTP"), False, b"SMTP"),
        (Origin("mta"), False, b"ESMTP"),
        (Origin("mta", tls="TLSv1.2"), False, b"ESMTPS"),
        (Origin("mta", user="u"), False, b"ESMTPA"),
        (Origin("mta", user="u", tls="TLSv1.3"), False, b"ESMTPSA"),
        (Origin("mta", user="u", tls="TLSv1.3"), True, b"UTF8SMTPSA"),
        (Origin("mta", protocol="LMTP"), False, b"LMTP"),
        (Origin("mta", protocol=""), False, b"SMTP"),
    ],
)
def test_the_protocol_says_how_it_came(origin, utf8, expected):
    """RFC 3848 and RFC 6531 names."""
    assert b" with " + expected + b" id " in head(origin=origin, smtputf8=utf8)


@pytest.mark.parametrize(
    ("client", "expected"),
    [("10.0.0.9", b"([10.0.0.9])"), ("2001:db8::1", b"([IPv6:2001:db8::1])"), ("", b"([unknown])")],
)
def test_the_clients_address_is_a_literal(client, expected):
    """IPv6 with its tag, nothing when there is none."""
    assert expected in head(origin=replace(STRANGER, client=client))


def test_utf8_addresses_stay_as_they_are_only_with_smtputf8():
    """RFC 6531 in, RFC 6531 out; otherwise the block is ASCII."""
    assert "Return-Path: <jürgen@bücher.example>".encode() in head(sender="jürgen@bücher.example", smtputf8=True)
    assert b"Return-Path: <j?rgen@b?cher.example>" in head(sender="jürgen@bücher.example")


def test_a_subject_is_written_only_when_given():
    """Encoded when it must be."""
    assert b"Subject" not in head()
    assert head(subject="Voice message from Robin").endswith(b"\r\nSubject: Voice message from Robin\r\n")
    parsed = email.message_from_bytes(head(subject="Nachricht von Jürgen " * 9), policy=MODERN)
    assert parsed["subject"] == ("Nachricht von Jürgen " * 9).strip()
    assert head(subject="").endswith(b"Subject: \r\n")


NASTY = st.text(st.characters(exclude_categories=()), max_size=400) | st.sampled_from(
    ["x\r\nBcc: evil@x", "x\nSubject: y", "\r\n\r\nbody", "a) by evil with SMTP id 1; now (", "<a>", "\0",
     "=?utf-8?q?=0D=0AX:_y?=",
     "\x85X: y", "a\u2028X: y", "é" * 900, "a" * 5000, "; pad=", "\ud800", '"a; pad=b"@x', "\t\tX", "\x0bX: 1"]
)
FIELD_LINE = re.compile(rb"[!-9;-~]+:[ \t]")


@given(sender=NASTY, helo=NASTY, client=NASTY, tls=NASTY, host=NASTY, to=st.lists(NASTY, max_size=2),
       subject=st.none() | NASTY, matched=NASTY, protocol=NASTY, utf8=st.booleans())
@example(sender="a@b", helo="a) by evil (b", client="c", tls="t", host="h", to=["x"], subject=None, matched="u; id=z",
         protocol="ESMTP", utf8=False)
def test_nothing_a_peer_says_breaks_a_line_or_forges_a_field(
    sender, helo, client, tls, host, to, subject, matched, protocol, utf8
):
    """Whatever HELO, addresses, TLS names and subjects hold: our fields, once each, in order, in short lines."""
    origin = Origin("mta", client, helo, "u" if utf8 else "", tls=tls, protocol=protocol)
    block = head(sender, to, origin, subject, host, decision(matched), smtputf8=utf8)
    assert len(block) <= MAX_HEAD
    assert block.endswith(b"\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", block)
    lines = block[:-2].split(b"\r\n")
    assert all(line.strip() and len(line) <= 998 for line in lines)
    starts = [line for line in lines if line[:1] not in b" \t"]
    names = [line.partition(b":")[0] for line in starts]
    assert names in ([b"Return-Path", b"Received", b"X-Unitymail-Trace"],
                     [b"Return-Path", b"Received", b"X-Unitymail-Trace", b"Subject"])
    assert all(FIELD_LINE.match(line + b" ") for line in starts)
    received = block.partition(b"Received:")[2].partition(b"X-Unitymail")[0]
    assert received.count(b" by ") + received.count(b"\tby ") == 1
    assert received.count(b";") == 1
    parsed = email.message_from_bytes(block)
    assert parsed.keys() == [name.decode() for name in names]
    assert read_trace_field(parsed["x-unitymail-trace"].encode()).id == TRACE
    assert len(padded(block, MAX_HEAD)) == MAX_HEAD


@given(st.integers(0, 1700))
def test_padding_hits_every_size_inside_the_trace_field(missing):
    """Exactly that many octets more, nothing else changed, lines short, and the field still says the same."""
    block = head(subject="Hello")
    full = padded(block, len(block) + missing)
    assert len(full) == len(block) + missing
    lines = full.split(b"\r\n")
    assert all(line.strip() for line in lines[:-1])
    assert all(len(line) < 80 for line in lines)
    before, after = email.message_from_bytes(block), email.message_from_bytes(full)
    assert after.keys() == before.keys()
    assert [v for k, v in after.items() if k != "X-Unitymail-Trace"] == [
        v for k, v in before.items() if k != "X-Unitymail-Trace"
    ]
    said = [read_trace_field(parsed["X-Unitymail-Trace"].encode()) for parsed in (before, after)]
    assert said[0] == said[1] is not None


def test_padding_what_cannot_be_padded_is_an_error():
    """A block that is too long, or that is not ours."""
    block = head()
    for what, size in ((block, len(block) - 1), (b"Subject: x\r\n", 100), (b"", 10)):
        with pytest.raises(ValueError, match="cannot be padded"):
            padded(what, size)


@given(st.sampled_from(Category), st.sampled_from(Sensitivity), st.booleans(),
       st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
def test_what_was_decided_is_read_back(category, sensitivity, secure, matched):
    """The trace field round-trips, also folded, whatever the ids look like."""
    made = decision(matched, secure, category=category, sensitivity=sensitivity)
    value = head(made=made).partition(b"X-Unitymail-Trace:")[2]
    assert read_trace_field(value) == TraceField(TRACE, category.value, sensitivity.value, secure, matched)


@given(st.binary(max_size=200) | st.sampled_from([b"", b";;;", b"id=1", b"id=1; category=voice; secure=yes"]))
def test_other_values_are_not_ours(value):
    """Garbage reads as None, and never raises."""
    assert read_trace_field(value) is None or all(name in value for name in (b"id", b"category", b"sender"))


def test_loops_are_found_by_the_number_of_hops():
    """100 Received fields, or three with our own name."""
    assert not looping(message(received=99, hops_here=2))
    assert looping(message(received=100))
    assert looping(message(hops_here=3))


def test_names_as_long_as_they_may_be_fit_the_block():
    """Sender, recipient, HELO, host and sender object at their longest: the `for` clause is left out, nothing else."""
    long = "a" * 504 + "@xxx.vm1"
    origin = Origin("mta", "2001:db8::1", "h" * 255, "u", tls="TLSv1.3")
    block = head(long, [long], origin, None, "h" * 253, decision("m" * 400))
    assert len(block) <= MAX_HEAD
    assert b"for <" not in block and long.encode() in block and b"X-Unitymail-Trace: id=" in block


def test_our_field_in_a_stored_header():
    """The first one is read, whatever else is there; a header without it, or with something else in it, has none."""
    block = head(made=decision("u1", True))
    found = first_trace_field(block + b"Subject: x\r\nX-Unitymail-Trace: id=2; category=fax\r\n")
    assert found is not None and (found.id, found.secure, found.sender) == (TRACE, True, "u1")
    assert first_trace_field(b"X-Unitymail-Trace: forged\r\n" + block) is None
    assert first_trace_field(b"Subject: x\r\n") is None and first_trace_field(b"") is None
