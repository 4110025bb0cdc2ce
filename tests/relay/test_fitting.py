"""What cannot go to a server that lacks something, and what is said then."""

import pytest

from tests.relay.play import letter
from unitymail.mail.recoding import Hindrance, Plan
from unitymail.relay.fitting import (
    Nature,
    as_planned,
    body_to_declare,
    misfit,
    misfit_address,
    needs_a_look,
    plan_for,
)
from unitymail.relay.offers import NOTHING, Offers

NAME = "the smart host mx"


def status(outgoing, offers, nature=None, now=1000.0):
    found = misfit(outgoing, offers, nature, name=NAME, now=now)
    if found is not None:
        assert found.kind == "failed" and found.why.endswith(".")
    return found and found.status


def test_an_ordinary_letter(tmp_path):
    """Nothing but ASCII goes anywhere, unseen."""
    outgoing = letter(tmp_path)
    assert not needs_a_look(outgoing, NOTHING)
    assert status(outgoing, NOTHING) is None
    assert status(letter(tmp_path, sender=""), NOTHING) is None


@pytest.mark.parametrize(("offers", "expected"), [
    (Offers(sized=True, size=9), "5.3.4"), (Offers(sized=True, size=10), None), (Offers(sized=True), None),
])  # fmt: skip
def test_size(tmp_path, offers, expected):
    """A message over the announced SIZE is not even begun."""
    assert status(letter(tmp_path, b"x" * 10), offers) == expected


@pytest.mark.parametrize(("declared", "found", "offers", "expected"), [
    ("8bitmime", "8bitmime", Offers(eight_bit=True), None),
    ("8bitmime", "7bit", NOTHING, None),
    ("8bitmime", "8bitmime", NOTHING, "5.6.3"),
])  # fmt: skip
def test_eight_bits(tmp_path, declared, found, offers, expected):
    """RFC 6152 3: what is only declared 8-bit goes as it is; what is goes back rather than broken."""
    assert status(letter(tmp_path, body=declared), offers, Nature(found, True)) == expected


def test_looking_only_when_needed(tmp_path):
    """The file is looked through only where the answer depends on it."""
    eight = letter(tmp_path, body="8bitmime")
    assert needs_a_look(eight, NOTHING) and not needs_a_look(eight, Offers(eight_bit=True))
    assert needs_a_look(letter(tmp_path, smtputf8=True), NOTHING)
    assert body_to_declare(eight, None) == "8bitmime"
    assert body_to_declare(eight, Nature("7bit", True)) == "7bit"


PLAN = Plan((b"x" * 900,), 900, False)


def test_the_seven_bit_form(tmp_path):
    """A hop without 8BITMIME gets it, and its size is what counts there; other hops get the message as it is."""
    outgoing = letter(tmp_path, b"x" * 500, head=b"y" * 50, body="8bitmime")
    nature = Nature("8bitmime", True, PLAN)
    assert plan_for(NOTHING, nature) is PLAN
    assert plan_for(Offers(eight_bit=True), nature) is plan_for(NOTHING, None) is None
    there = as_planned(outgoing, PLAN)
    assert (there.body, there.size) == ("7bit", 950) and as_planned(outgoing, None) is outgoing
    assert status(there, NOTHING, nature) is None
    assert status(there, Offers(sized=True, size=949), nature) == "5.3.4"


def test_why_there_is_no_seven_bit_form(tmp_path):
    """The sender is told what stands in the way."""
    outgoing = letter(tmp_path, body="8bitmime")
    found = misfit(outgoing, NOTHING, Nature("8bitmime", True, Hindrance.SEALED), name=NAME, now=0.0)
    assert found.status == "5.6.3" and found.why == (
        "The message has 8-bit text, and the smart host mx takes none; it cannot be rewritten, for it has "
        "octets that are signed or encrypted, and cannot pass."
    )


def test_utf8(tmp_path):
    """RFC 6531 3.2: addresses, headers and recipients that are not ASCII need a server that takes them."""
    ascii_header, other = Nature("8bitmime", True), Nature("8bitmime", False)
    eight = Offers(eight_bit=True)
    assert status(letter(tmp_path, sender="röbin@vm1.example.com"), eight) == "5.6.7"
    assert status(letter(tmp_path, smtputf8=True), eight, other) == "5.6.9"
    assert status(letter(tmp_path, smtputf8=True), eight, ascii_header) is None
    assert status(letter(tmp_path, smtputf8=True, sender="röbin@vm1.example.com"), Offers(utf8=True)) is None
    assert misfit_address("kíñ@example.net", eight, NAME).status == "5.6.7"
    assert misfit_address("kíñ@example.net", Offers(utf8=True), NAME) is None


def test_addresses_that_cannot_be_written(tmp_path):
    """What would end the command is refused here, the recipient's alone, the sender's for everybody."""
    assert misfit_address("kim@example.net>\r\nRSET", Offers(utf8=True), NAME).status == "5.1.3"
    assert status(letter(tmp_path, sender="a> SIZE=1"), NOTHING) == "5.1.7"


def test_require_tls(tmp_path):
    """RFC 8689 4.2.1: no server that cannot promise it gets the message."""
    outgoing = letter(tmp_path, require_tls=True)
    assert status(outgoing, NOTHING) == "5.7.30"
    assert status(outgoing, Offers(require_tls=True)) is None


@pytest.mark.parametrize(("mode", "by", "offers", "expected"), [
    ("R", 1060.0, Offers(deliver_by=30), None),
    ("R", 1060.0, Offers(deliver_by=90), "5.4.7"),
    ("R", 999.0, Offers(deliver_by=0), "5.4.7"),
    ("R", 1000.9, Offers(deliver_by=0), "5.4.7"),
    ("R", 1001.0, Offers(deliver_by=0), None),
    ("R", 1060.0, NOTHING, "5.3.3"),
    ("N", 999.0, NOTHING, None),
    ("N", 1060.0, NOTHING, None),
])  # fmt: skip
def test_deliver_by(tmp_path, mode, by, offers, expected):
    """RFC 2852 4.1.4: a message to be returned when late goes to nobody who would not return it."""
    assert status(letter(tmp_path, deliver_by=by, deliver_by_mode=mode), offers) == expected
