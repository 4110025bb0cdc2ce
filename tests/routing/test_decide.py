"""The decision about one message."""

import sys
from dataclasses import replace

import pytest

from tests.fakes import CHRIS, DEFAULT_COS, ROBIN, FakeBook, FakeUsage
from tests.routing.letters import (
    CHRIS_AT,
    EVERYBODY,
    INTERNAL,
    LONDON,
    PEER,
    REMOTE,
    ROBIN_AT,
    SIGNED_IN,
    SITE,
    SMART_HOST,
    STRANGER,
    TRUSTED,
    book,
    envelope,
    message,
)
from unitymail.mail.message import Category, Sensitivity
from unitymail.people.class_of_service import RequireSecure
from unitymail.people.distribution_list import DistributionList
from unitymail.people.user import Action, Actions, User
from unitymail.routing.decide import FORWARDS_PRIVATE, LOOP, decide
from unitymail.routing.decision import Decision, FromPeer, RecipientDecision, SenderFinding
from unitymail.routing.steps import BadMail, Deliver, LearnContact, RelayToUser, Report

OUTSIDE = "someone@elsewhere.example"


def decided(letter=None, to=None, origin=SIGNED_IN, objects=(), usage=None, site=SITE):
    return decide(
        letter or message(), to or envelope(CHRIS_AT), origin, book(*objects, site=site), FakeUsage(usage or {})
    )


def test_a_whole_decision_is_one_value():
    """Message, sender, recipients, steps: compared as a whole, and the same every time."""
    letter = message()
    deliver = Deliver("u-chris", CHRIS_AT)
    expected = Decision(
        letter,
        SenderFinding(ROBIN_AT, "user", "u-robin"),
        (RecipientDecision(CHRIS_AT, "user", "u-chris", (deliver,),
                           "chris@vm1.example.com is Chris Jones; accepts voice messages"),),
        (deliver,),
    )
    assert decided(letter) == decided(letter) == expected


def test_a_sender_who_is_not_theirs_is_refused_whole():
    """Nothing is planned, and the finding names the address."""
    decision = decided(message(sender=OUTSIDE))
    assert (decision.refusal.code, decision.refusal.enhanced) == (550, "5.7.1")
    assert decision.sender == SenderFinding(OUTSIDE, "unknown", verdict="reject")
    assert (decision.recipients, decision.steps) == ((), ())


@pytest.mark.parametrize(
    ("facts", "looping"),
    [({"received": 99}, False), ({"received": 100}, True), ({"hops_here": 2}, False), ({"hops_here": 3}, True)],
)
@pytest.mark.parametrize("origin", [SIGNED_IN, TRUSTED, STRANGER, SMART_HOST, PEER, INTERNAL])
def test_a_message_that_goes_in_circles_is_refused(facts, looping, origin):
    """At 100 Received fields, or here for the fourth time, whoever brings it."""
    assert decided(message(**facts), origin=origin).refusal == (LOOP if looping else None)


def test_a_peer_has_decided_already():
    """Category, sensitivity and secure come from the node where the message came in, not from reading it again."""
    told = FromPeer("nodeb.t1", "t1", "dana@vm1.example.com", "user", Category.VOICE, Sensitivity.PRIVATE, True)
    letter = message(Category.EMAIL, "dana@vm1.example.com", rule="R7")
    decision = decided(letter, origin=replace(PEER, told=told))
    assert (decision.message.category, decision.message.sensitivity, decision.secure) == (
        Category.VOICE, Sensitivity.PRIVATE, True,
    )
    unmarked = replace(told, sensitivity=Sensitivity.PRIVATE, secure=False)
    always, dana = replace(DEFAULT_COS, secure=RequireSecure.ALWAYS), replace(REMOTE, cos=DEFAULT_COS.id)
    assert not decided(letter, origin=replace(PEER, told=unmarked), objects=(always, dana)).secure


def test_a_receipt_of_ours_is_never_secure_by_class():
    """Else one of a reader whose class secures everything could not leave."""
    always = replace(DEFAULT_COS, secure=RequireSecure.ALWAYS)
    to = envelope(CHRIS_AT, sender="")
    assert not decided(message(Category.RECEIPT), to, origin=INTERNAL, objects=(always,)).secure
    assert decided(message(Category.RECEIPT), origin=SIGNED_IN, objects=(always,)).secure


@pytest.mark.parametrize(
    ("category", "rule", "switches", "learns"),
    [
        (Category.VOICE, "R3", {"create_contacts": True}, True),
        (Category.VOICE, "R3", {"modify_contacts": "name"}, True),
        (Category.VOICE, "R3", {"delete_contacts": True}, False),
        (Category.VOICE, "R5", {"create_contacts": True}, False),
        (Category.RECEIPT, "R1", {"delete_contacts": True}, True),
        (Category.RECEIPT, "R1", {"create_contacts": True}, False),
        (Category.VOICE, "R3", {"create_contacts": True, "home": "n-b"}, False),
    ],
)
def test_what_a_vpim_location_teaches(category, rule, switches, learns):
    """Its voice messages make contacts, its returned ones end them, where the location says so and is homed here."""
    sender = "8882233@london.example.org"
    to = envelope(CHRIS_AT, "nobody@vm1.example.com", sender=sender)
    london = replace(LONDON, **switches)
    steps = decided(message(category, sender, rule=rule), to, origin=TRUSTED, objects=(london,)).steps
    assert (LearnContact("v-london") in steps) is learns
    assert isinstance(steps[-1], Report)


@pytest.mark.parametrize(
    ("rule", "category", "vpim"),
    [("R3", Category.VOICE, True), ("R3", Category.FAX, True), ("R3", Category.EMAIL, False),
     ("R4", Category.VOICE, False)],
)
def test_vpim_for_a_mailbox_is_converted_first(rule, category, vpim):
    """The mailbox holds what Outlook plays; a voice-message wrapper around nothing is left as it is."""
    assert decided(message(category, rule=rule)).steps == (Deliver("u-chris", CHRIS_AT, from_vpim=vpim),)


@pytest.mark.parametrize(
    ("origin", "category", "refused"),
    [
        (SIGNED_IN, Category.EMAIL, True), (TRUSTED, Category.VOICE, True), (STRANGER, Category.EMAIL, True),
        (SIGNED_IN, Category.RECEIPT, False), (PEER, Category.EMAIL, False), (SMART_HOST, Category.EMAIL, False),
        (INTERNAL, Category.EMAIL, False),
    ],
)
def test_forwarding_a_private_message_is_refused(origin, category, refused):
    """At submission, reports exempt; what comes from other systems is not ours to stop."""
    decision = decided(message(category, encloses_private=True), origin=origin)
    assert decision.refusal == (FORWARDS_PRIVATE if refused else None)


@pytest.mark.parametrize(
    ("origin", "category", "refused"),
    [(SIGNED_IN, Category.VOICE, True), (TRUSTED, Category.VOICE, True), (SIGNED_IN, Category.RECEIPT, False),
     (PEER, Category.VOICE, False)],
)
def test_a_sender_over_the_send_quota_is_refused(origin, category, refused):
    """Receipts pass; a peer has asked before it sent."""
    decision = decided(message(category), origin=origin, usage={"u-robin": ROBIN.quota.send})
    assert (decision.refusal is not None and decision.refusal.enhanced == "5.2.2") is refused


def test_mail_of_nobody_is_bad_mail_for_all_its_recipients():
    """Kept once, for the administrator; nobody is told; each recipient still shows who it was for."""
    to = envelope(CHRIS_AT, "nobody@vm1.example.com", "team@vm1.example.com", "postmaster", sender=OUTSIDE)
    decision = decided(message(sender=OUTSIDE), to, origin=STRANGER)
    assert decision.sender == SenderFinding(OUTSIDE, "unknown", verdict="bad-mail")
    (step,) = decision.steps
    assert isinstance(step, BadMail)
    assert OUTSIDE in step.reason
    assert [(r.kind, r.matched, r.steps) for r in decision.recipients] == [
        ("user", "u-chris", (step,)), ("unknown", "", (step,)), ("list", "l-team", (step,)), ("unknown", "", (step,)),
    ]


@pytest.mark.parametrize(
    ("rule", "sensitivity", "header", "secure"),
    [
        (RequireSecure.PRIVATE, Sensitivity.NORMAL, False, False),
        (RequireSecure.PRIVATE, Sensitivity.PRIVATE, False, True),
        (RequireSecure.ALWAYS, Sensitivity.NORMAL, False, True),
        (RequireSecure.NEVER, Sensitivity.PRIVATE, False, False),
        (RequireSecure.NEVER, Sensitivity.NORMAL, True, True),
        (RequireSecure.ASK, Sensitivity.PRIVATE, False, False),
    ],
)
def test_the_senders_class_makes_messages_secure(rule, sensitivity, header, secure):
    """What the class of service adds is in the decision, and the message's own mark stays as it was."""
    letter = message(sensitivity=sensitivity, secure=header)
    decision = decided(letter, objects=(replace(DEFAULT_COS, secure=rule),))
    assert decision.secure is secure
    assert decision.message.secure is header


def test_a_private_message_is_secure_by_default_and_then_not_relayed():
    """The two rules together: class of service first, gates after."""
    chris = replace(CHRIS, relay_address="c@x.example", actions=Actions(voice=Action.RELAY))
    site = replace(SITE, smart_host_host="relay")
    private = decided(message(sensitivity=Sensitivity.PRIVATE), objects=(chris,), site=site)
    assert [fate.status for fate in private.report.fates] == ["5.7.1"]
    assert decided(objects=(chris,), site=site).steps == (RelayToUser("u-chris", "c@x.example", CHRIS_AT),)


def users(count):
    return [User(f"u-{n}", f"a{n}", f"a{n}@vm1.example.com", partition="p-default") for n in range(count)]


def calls(letter, to, site):
    """How many functions deciding calls, built-in ones too: the same on every machine."""
    count = 0

    def watch(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(watch)
    try:
        decide(letter, to, SIGNED_IN, site, FakeUsage())
    finally:
        sys.setprofile(None)
    return count


def test_fifteen_thousand_recipients_cost_what_fifteen_hundred_cost_each():
    """No quadratic work (ten times as many would call a hundred times as often): known, unknown, and through a list."""
    people = users(15_000)
    all_of_them = DistributionList("l-all", "all", "all@vm1.example.com", members=tuple(p.id for p in people))
    some = DistributionList("l-some", "some", "some@vm1.example.com", members=all_of_them.members[:1500])
    site = FakeBook(ROBIN, EVERYBODY, all_of_them, some, *people)
    known = [p.address for p in people]
    unknown = [f"b{n}@elsewhere.example" for n in range(15_000)]
    pairs = [(known, known[:1500]), (unknown, unknown[:1500]), ([all_of_them.address], [some.address])]
    for many, few in pairs:
        assert calls(message(), envelope(*many), site) < 11 * calls(message(), envelope(*few), site)


def test_many_lists_with_the_same_members_do_not_multiply():
    """A hundred lists of the same thousand members are not a hundred thousand steps of work in the plan."""
    people = users(1000)
    inner = DistributionList("l-in", "in", "in@vm1.example.com", members=tuple(p.id for p in people))
    outer = [DistributionList(f"l-{n}", f"o{n}", f"o{n}@vm1.example.com", members=("l-in",)) for n in range(100)]
    site = FakeBook(ROBIN, EVERYBODY, inner, *outer, *people)
    decision = decide(message(), envelope(*(o.address for o in outer)), SIGNED_IN, site, FakeUsage())
    assert len(decision.steps) == 1000
    assert sum(len(r.steps) for r in decision.recipients) == 1000
