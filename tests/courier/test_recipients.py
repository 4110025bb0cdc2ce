"""Whom a message is for at its next hop: NOTIFY and ORCPT as RFC 3461 wants them."""

from dataclasses import replace

import pytest

from unitymail.courier.recipients import recipients_of
from unitymail.interfaces.spool import Item, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.routing.steps import Convert, HandOver, RelayToSmartHost, RelayToUser, Report

ALL = frozenset({"SUCCESS", "FAILURE", "DELAY"})
NEVER = frozenset({"NEVER"})
FAILURE = frozenset({"FAILURE"})
RELAYED = RelayToUser("u-robin", "home@elsewhere.example", "robin@vm1.example.com")


def an_item(*recipients, told=()):
    envelope = Envelope("chris@vm1.example.com", recipients)
    steps = (StepState(Report(envelope.sender, tuple(told))),) if told else ()
    return Item("t1", "/spool/t1.eml", 0.0, envelope, "voice", "private", True, "", "", "", 2_000, 300, steps)


@pytest.mark.parametrize(("step", "written", "expected"), [
    # RFC 3461 5.2.1: as they came
    (RelayToSmartHost("a@x.example"), Recipient("a@x.example", ALL, "rfc822;o@x"),
     Recipient("a@x.example", ALL, "rfc822;o@x")),
    (RelayToSmartHost("a@x.example"), Recipient("A@X.example"), Recipient("a@x.example")),
    (HandOver("p", "a@x.example"), Recipient("a@x.example", NEVER), Recipient("a@x.example", NEVER)),
    # 5.2.7.2: forwarded, so that a report names whom the sender wrote to
    (RELAYED, Recipient(RELAYED.original, FAILURE, "rfc822;o@x"), Recipient(RELAYED.to, FAILURE, "rfc822;o@x")),
    (RELAYED, Recipient(RELAYED.original), Recipient(RELAYED.to, None, "rfc822;robin@vm1.example.com")),
    (Convert("l", "c", "99@east.example", "terry@vm1.example.com"), Recipient("terry@vm1.example.com", ALL),
     Recipient("99@east.example", ALL, "rfc822;terry@vm1.example.com")),
    (replace(RELAYED, original="rené@x.example"), Recipient("rené@x.example"),
     Recipient(RELAYED.to, None, "utf-8;rené@x.example")),
    # a copy beside one that is kept is nobody's news
    (replace(RELAYED, kept=True), Recipient(RELAYED.original, ALL), Recipient(RELAYED.to, NEVER)),
    # a member of a list
    (HandOver("p", "m@x.example", "team@x.example"), Recipient("team@x.example", FAILURE),
     Recipient("m@x.example", FAILURE, "rfc822;team@x.example")),
    (RelayToSmartHost("m@x.example", "team@x.example"), Recipient("team@x.example", NEVER),
     Recipient("m@x.example", NEVER, "rfc822;team@x.example")),
    (HandOver("p", "m@x.example", "team@x.example"), Recipient("m@x.example"),
     Recipient("m@x.example", None, "rfc822;team@x.example")),
])
def test_wishes_go_on(step, written, expected):
    """NOTIFY and ORCPT as RFC 3461 wants them at each way out."""
    assert recipients_of([step], an_item(written)) == (expected,)


def test_a_list_that_has_its_own_address_as_a_member():
    """The sender wrote to one; each whom that reaches is a recipient of its own."""
    steps = [RelayToSmartHost("a@x.example"), RelayToSmartHost("b@x.example", "a@x.example")]
    expected = (Recipient("a@x.example"), Recipient("b@x.example", None, "rfc822;a@x.example"))
    assert recipients_of(steps, an_item(Recipient("a@x.example"))) == expected


@pytest.mark.parametrize(("notify", "left"), [(ALL, {"FAILURE", "DELAY"}), (frozenset({"SUCCESS"}), {"NEVER"})])
def test_a_list_answers_for_success(notify, left):
    """RFC 3461 5.2.7.3: `expanded` was told, so members are asked for the rest only."""
    item = an_item(Recipient("Team@x.example", notify), told=[Fate("Team@x.example", "expanded", "2.0.0", "x")])
    members = [HandOver("p", "m@x.example", "Team@x.example"), HandOver("p", "n@x.example", "Team@x.example")]
    assert [recipient.notify for recipient in recipients_of(members, item)] == [frozenset(left)] * 2
