"""What goes on to another system: our Received field, the message, what a peer is told."""

from dataclasses import replace

import pytest

from tests.fakes import ROBIN, FakeBook
from tests.spool.room import ORIGIN, a_decision
from unitymail.courier.forwarding import discreet, outgoing, read_received, told_to_peer
from unitymail.interfaces.relay import Outgoing
from unitymail.interfaces.spool import Item, Outcome
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Category, Sensitivity
from unitymail.mail.trace import head_block, padded, received_field
from unitymail.people.location import Location, LocationKind
from unitymail.routing.decision import FromPeer
from unitymail.routing.steps import RelayToSmartHost, RelayToUser

VPIM = Location("l-east", LocationKind.VPIM, "East", "east.example")
BOOK = FakeBook(ROBIN, VPIM)
RELAYED = RelayToUser("u-robin", "home@elsewhere.example", "robin@vm1.example.com")


def an_item(**facts):
    envelope = Envelope(facts.pop("sender", "chris@vm1.example.com"), (Recipient("a@x.example"),))
    item = Item("t1", "/spool/t1.eml", 0.0, envelope, "voice", "private", True, "", "", ROBIN.id, 2_000, 300, ())
    return replace(item, **facts)


def test_what_is_sent():
    """Our Received field, then the message as received; envelope and its parameters unchanged."""
    envelope = Envelope(
        "chris@vm1.example.com", (Recipient("a@x.example"),), body="8bitmime", ret="HDRS", envid="E1",
        require_tls=True, deliver_by=99.0, deliver_by_mode="N", deliver_by_trace=True, priority=4,
    )
    received = b"Received: from a by b;\r\n\tdate\r\n"
    assert outgoing(replace(an_item(), envelope=envelope), envelope.recipients, received) == Outgoing(
        "t1", "chris@vm1.example.com", envelope.recipients, "/spool/t1.eml", 300, 1_700 + len(received), received,
        "8bitmime", False, "HDRS", "E1", True, 99.0, "N", priority=4, deliver_by_trace=True,
    )


def test_the_null_sender_stays():
    """A report that is relayed keeps it: nothing that comes of it may make another report."""
    assert outgoing(an_item(sender=""), (Recipient("a@x.example"),), b"").sender == ""


def test_an_international_relay_address_needs_smtputf8():
    """Even where the message itself did not."""
    assert outgoing(an_item(), (Recipient("é@x.example"),), b"").smtputf8


@pytest.mark.parametrize("subject", [None, "Received: from a trap"])
@pytest.mark.parametrize("size", [0, 2_048])
def test_our_received_field_is_taken_from_the_head(tmp_path, subject, size):
    """Whole, with its folds, and nothing else of the block: no Return-Path, no trace field, no Subject of ours."""
    head = head_block(trace="t1", envelope=Envelope("chris@x.example", (Recipient("a@x.example"),)), origin=ORIGIN,
                      decision=a_decision(), host="vm1.example.com", when=0.0, subject=subject)
    head = padded(head, size) if size else head
    path = tmp_path / "t1.eml"
    path.write_bytes(head + b"Received: from elsewhere\r\n\r\nbody\r\n")
    field = read_received(an_item(path=str(path), head=len(head)))
    assert field.startswith(b"Received: from client.example ([192.0.2.1])\r\n\tby vm1.example.com with")
    assert field.endswith(b"for <a@x.example>;\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n")
    assert head.count(field) == 1
    assert received_field(b"Return-Path: <>\r\n") == b""


def test_a_peer_is_told_what_was_decided():
    """One XID for every attempt; the sender object's address, category, sensitivity, secure."""
    assert told_to_peer(an_item(), BOOK, "n1") == FromPeer(
        "n1.t1", "t1", ROBIN.address, "user", Category.VOICE, Sensitivity.PRIVATE, True
    )
    assert told_to_peer(an_item(origin_user="l-east", sender="9@east.example"), BOOK, "n1").sender == "9@east.example"
    assert told_to_peer(an_item(origin_user="l-east"), BOOK, "n1").kind == "vpim"
    assert told_to_peer(an_item(origin_user="", sender=""), BOOK, "n1").kind == "null"
    assert told_to_peer(replace(an_item(origin_user=""), silent=True), BOOK, "n1").kind == "unknown"
    outside = told_to_peer(an_item(origin_user="u-gone"), BOOK, "n1")
    assert (outside.kind, outside.sender) == ("outside", "")


def test_the_private_address_stays_private():
    """What the next hop says of a user's relay address is shown with the user's own."""
    refused = Outcome(
        "failed", "5.1.1", "HOME@Elsewhere.example is unknown.",
        "550 5.1.1 <home@elsewhere.example>: no such user at elsewhere.example", "out.example",
    )
    other = RelayToSmartHost("home@elsewhere.example")
    hidden = replace(
        refused, why="robin@vm1.example.com is unknown.",
        diagnostic="550 5.1.1 <robin@vm1.example.com>: no such user at …",
    )
    assert discreet([other, RELAYED], [refused] * 2) == [refused, hidden]
    assert discreet([other], [refused]) == [refused]
