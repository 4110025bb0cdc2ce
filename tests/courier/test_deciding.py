"""Deciding inside the node."""

import mmap
import pathlib

from tests.fakes import CHRIS, ROBIN, FakeBook, FakeUsage
from tests.spool.room import HOST
from unitymail.courier.deciding import Decider, received
from unitymail.interfaces.spool import Item
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.routing.steps import BadMail, Deliver, Report
from unitymail.settings.site import SiteSettings

VECTORS = pathlib.Path(__file__).parents[1] / "vectors"
DECIDER = Decider(FakeBook(), FakeUsage(), HOST)
BODY = b"From: stranger@elsewhere.example\r\nSubject: x\r\n\r\nHello.\r\n"


def an_item(tmp_path, body=BODY, head=b"Return-Path: <>\r\n", to=ROBIN.address, sender="stranger@elsewhere.example"):
    path = tmp_path / "t1.eml"
    path.write_bytes(head + body)
    envelope = Envelope(sender, (Recipient(to),))
    return Item("t1", str(path), 0.0, envelope, "email", "normal", False, "", "", "", len(head + body), len(head), ())


def test_small_ones_are_read_without_our_head(tmp_path):
    """What was received, not what we put before it."""
    with received(an_item(tmp_path)) as octets:
        assert octets == BODY


def test_large_ones_are_mapped(tmp_path):
    """A message whose head fills whole pages is mapped from its own first octet."""
    with received(an_item(tmp_path, head=b"h" * mmap.ALLOCATIONGRANULARITY)) as octets:
        assert isinstance(octets, mmap.mmap)
        assert octets[:] == BODY


def test_bad_mail_that_comes_back_is_delivered(tmp_path):
    """The administrator's word counts: an unknown sender is no obstacle any more."""
    assert DECIDER.decide_item(an_item(tmp_path)).steps == (Deliver(ROBIN.id, ROBIN.address),)


def test_a_receipt_that_comes_back_and_reaches_nobody_is_bad_mail_again(tmp_path):
    """It is no report of ours: nobody else looks after it."""
    octets = (VECTORS / "mdn_read.eml").read_bytes()
    (step,) = DECIDER.decide_item(an_item(tmp_path, octets, to="gone@vm1.example.com", sender="")).steps
    assert isinstance(step, BadMail)
    assert "gone@vm1.example.com" in step.reason


def test_who_is_not_known_hears_nothing_of_bad_mail_that_comes_back(tmp_path):
    """Where it reaches nobody it is bad mail again; under a rule that takes mail of anybody its sender is told."""
    (step,) = DECIDER.decide_item(an_item(tmp_path, to="gone@vm1.example.com")).steps
    assert isinstance(step, BadMail)
    assert "gone@vm1.example.com" in step.reason
    anybody = Decider(FakeBook(site=SiteSettings(unknown_sender="accept")), FakeUsage(), HOST)
    (step,) = anybody.decide_item(an_item(tmp_path, to="gone@vm1.example.com")).steps
    assert isinstance(step, Report)


def test_what_goes_in_circles_stays_bad_mail(tmp_path):
    """A loop is refused here as at the doors, and kept for the administrator."""
    loop = b"".join(b"Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n" for _ in range(100)) + BODY
    (step,) = DECIDER.decide_item(an_item(tmp_path, loop, to=CHRIS.address)).steps
    assert isinstance(step, BadMail)
    assert "circles" in step.reason
