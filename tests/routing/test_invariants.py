"""What holds of every decision, whatever the site, the message and who hands it in."""

from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import CHRIS, ROBIN, TERRY, FakeUsage
from tests.routing.letters import (
    CHRIS_AT,
    INTERNAL,
    JO,
    LONDON,
    PAT,
    PEER,
    REMOTE,
    ROBIN_AT,
    SIGNED_IN,
    SITE,
    SMART_HOST,
    STRANGER,
    TEAM,
    TRUSTED,
    book,
    message,
    scope,
)
from unitymail.admin.operations.explain import Question, ask
from unitymail.admin.operations.explained import as_facts
from unitymail.mail.address import key_of
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Category, Sensitivity
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.people.user import Action, Actions, User
from unitymail.policy.recipient import judge_recipient
from unitymail.policy.sender import judge_envelope_sender
from unitymail.policy.verdict import ACCEPT
from unitymail.routing.decide import decide
from unitymail.routing.steps import BadMail, Convert, Deliver, HandOver, RelayToSmartHost, RelayToUser, Report
from unitymail.smtp.transaction import judge

OUTSIDE, OUT = "someone@elsewhere.example", "chris@phone.example.net"
JO_AT = f"888{JO.mailbox_number}@london.example.org"
KEEPERS_AT = f"{UNDELIVERABLE}@vm1.example.com"
REQUEUED = replace(INTERNAL, door="bad-mail")
ADDRESSES = (
    ROBIN_AT, CHRIS_AT, "CHRIS@VM1.example.com", "chris+tag@vm1.example.com", "Chris.Jones@example.com",
    "terry@vm1.example.com", "dana@vm1.example.com", "Dana@vm1.example.com", "hidden@vm1.example.com",
    "jo@vm1.example.com", "jo+x@vm1.example.com", JO_AT, "720+2233@vm1.example.com",
    "720+9@vm1.example.com", "pat@vm1.example.com", "team@vm1.example.com", "inner@vm1.example.com", KEEPERS_AT,
    "postmaster", "postmaster@vm1.example.com", "7771042@vm1.example.com", "1042@vm1.example.com",
    "nobody@vm1.example.com", "non-mail-user@vm1.example.com", OUTSIDE, OUT, "x@vm2.example.com",
)  # fmt: skip
NOTIFY = (None, None, frozenset({"NEVER"}), frozenset({"SUCCESS"}), frozenset({"FAILURE", "SUCCESS"}))
QUIET = ("drop it silently", "dropped silently", "reached already")
"""Words of a reason that says why there is nothing to see of a recipient."""
UNHEARD = "no report, since"
"""So where its sender could be told but does not want to be; and of our own reports: their writers look after them."""

switch, action, address = st.booleans(), st.sampled_from(Action), st.sampled_from(ADDRESSES)
members = st.lists(st.sampled_from(["u-robin", "u-chris", "u-terry", "u-dana", "c-jo", "c-pat", "l-team", "l-inner"]))


@st.composite
def sites(draw):
    """One of everything, with other rules, actions, relay addresses, scopes and lists each time."""
    chris = replace(CHRIS, proxies=(*CHRIS.proxies, *["postmaster@vm1.example.com"] * draw(switch)))
    users = [
        replace(
            one, actions=draw(st.builds(Actions, action, action, action, action)), route_ndr=draw(switch),
            relay_address=draw(st.sampled_from(["", OUT, CHRIS_AT, "postmaster@vm1.example.com"])),
        )
        for one in (ROBIN, chris, TERRY, REMOTE)
    ]  # fmt: skip
    rules = replace(
        SITE, smart_host_host=draw(st.sampled_from(["", "relay.example.net"])),
        recipient_not_found=draw(st.sampled_from(["ndr", "smart-host"])), subaddressing=draw(switch),
        unknown_sender=draw(st.sampled_from(["bad-mail", "accept-from-trusted", "accept"])),
        relay_allow_private=draw(switch), relay_allow_secure=draw(switch),
    )  # fmt: skip
    lists = [
        replace(TEAM, members=tuple(draw(members)), allow_contacts=draw(switch), accept_foreign=draw(switch)),
        DistributionList("l-inner", "inner", "inner@vm1.example.com", partition="p-default",
                         members=tuple(draw(members)), accept_foreign=True),
    ]
    if draw(switch):
        keepers = ("u-chris", *draw(members))
        lists.append(DistributionList("l-keep", UNDELIVERABLE, KEEPERS_AT, members=keepers))
    london = replace(
        LONDON, home=draw(st.sampled_from(["", "n-b"])), allow_secure=draw(switch), voice_only=draw(switch),
        local_prefix=draw(st.sampled_from(["", "777"])),
    )  # fmt: skip
    reach = scope(*draw(st.sampled_from([("p-default", "p-hidden"), ("p-default",), ("p-none",)])))
    return book(*users, *lists, london, reach, JO, PAT, site=rules)


envelopes = st.builds(
    Envelope, st.sampled_from(["", ROBIN_AT, OUTSIDE, JO_AT]),
    st.lists(st.builds(Recipient, address, st.sampled_from(NOTIFY)), min_size=1, max_size=6).map(tuple),
)  # fmt: skip
letters = st.builds(
    message, st.sampled_from(Category), st.sampled_from([ROBIN_AT, ROBIN_AT, OUTSIDE, "8889@london.example.org"]),
    sensitivity=st.sampled_from(Sensitivity), secure=switch, malformed=switch,
)  # fmt: skip
ORIGINS = (SIGNED_IN, TRUSTED, STRANGER, SMART_HOST, PEER, INTERNAL, REQUEUED)
authors = st.sampled_from([ROBIN_AT, CHRIS_AT, OUTSIDE])
full = st.lists(st.sampled_from(["u-robin", "u-chris", "u-terry"]))
usages = full.map(lambda users: FakeUsage(dict.fromkeys(users, 10**9)))


def whom(step, here):
    """One and the same for two steps that bring a message to the same mailbox, person or folder."""
    if isinstance(step, Deliver):
        return step.account
    if isinstance(step, RelayToUser):
        return "relayed", step.account
    if isinstance(step, BadMail):
        return "bad mail"
    if step.to == JO_AT:
        return JO.id
    found = here.find(step.to)
    return found.id if found is not None else key_of(step.to)


def ways(decision, kind):
    return [step for step in decision.steps if isinstance(step, kind)]


@settings(max_examples=300, deadline=None)
@given(sites(), letters, envelopes, usages)
def test_every_recipient_comes_to_an_end_and_nobody_gets_it_twice(here, letter, envelope, usage):
    """Each has a way in the plan, a failure in the report, is kept, or its reason says why there is nothing."""
    for origin in ORIGINS:
        decision = decide(letter, envelope, origin, here, usage)
        assert decide(letter, envelope, origin, here, usage) == decision
        ours = origin is INTERNAL and letter.category is Category.RECEIPT
        ends_well(decision, envelope, here, ours)


def ends_well(decision, envelope, here, ours):
    if decision.refusal is not None:
        assert (decision.steps, decision.recipients) == ((), ())
        return
    onwards = ways(decision, Deliver | RelayToUser | BadMail | HandOver | Convert | RelayToSmartHost)
    reached = [whom(step, here) for step in onwards]
    assert len(set(reached)) == len(reached)
    assert [one.address for one in decision.recipients] == [one.address for one in envelope.recipients]
    may_be_told = envelope.sender != "" and decision.sender.kind != "unknown"
    quiet = (*QUIET, UNHEARD) if may_be_told or ours else QUIET
    told = {(fate.address, fate.action) for report in ways(decision, Report) for fate in report.fates}
    for one in decision.recipients:
        own = [step for step in one.steps if not isinstance(step, Report)]
        fates = [fate for step in one.steps if isinstance(step, Report) for fate in step.fates]
        assert {whom(step, here) for step in own} <= set(reached)
        assert {(fate.address, fate.action) for fate in fates} <= told
        failed = any(fate.action == "failed" for fate in fates)
        assert own or failed or any(words in one.reason for words in quiet), one


@settings(max_examples=300, deadline=None)
@given(sites(), letters, envelopes, usages)
def test_nothing_takes_a_way_that_is_closed_to_it(here, letter, envelope, usage):
    """Gates for private and secure, no way through for strangers, and a report only to who may have one."""
    for origin in ORIGINS:
        keeps_to_its_ways(decide(letter, envelope, origin, here, usage), envelope, origin, here)


def keeps_to_its_ways(decision, envelope, origin, here):
    site, leaving = here.site, ways(decision, RelayToUser | RelayToSmartHost)
    if leaving:
        assert site.smart_host_host
        assert site.relay_allow_secure or not decision.secure
        assert site.relay_allow_private or decision.message.sensitivity is not Sensitivity.PRIVATE
    assert not ways(decision, RelayToSmartHost) or origin.trust not in ("stranger", "smart-host", "peer")
    assert all(here.find(step.to) is None for step in ways(decision, RelayToUser))
    for step in ways(decision, Convert):
        location = here.location(step.location)
        assert not location.home and (location.allow_secure or not decision.secure)
        assert not location.voice_only or decision.message.category is not Category.EMAIL
    for report in ways(decision, Report):
        owner = here.find(envelope.sender)
        assert decision.steps[-1] is report and report.to == envelope.sender != "" and report.fates
        assert decision.sender.kind != "unknown" and not (isinstance(owner, User) and not owner.route_ndr)


@settings(max_examples=200, deadline=None)
@given(sites(), envelopes, st.sampled_from(ORIGINS), usages, authors, switch, switch)
def test_explain_says_what_the_door_does(here, envelope, origin, usage, author, private, automatic):
    """The same refusal at MAIL, the same recipients turned away, and the same decision about the others."""
    here.site = replace(here.site, smtp_allow_untrusted=True, smtp_untrusted_require_auth=False)
    marks = "Sensitivity: Private\r\n" * private + "Auto-Submitted: auto-generated\r\n" * automatic
    octets = f"From: {author}\r\n{marks}\r\nHello.\r\n".encode()
    answer = ask(Question(octets, envelope, origin, "vm1.example.com"), here, usage)
    as_facts(answer, here)
    at_mail = judge_envelope_sender(envelope.sender, origin, here, usage)
    if at_mail != ACCEPT:
        assert answer.decision.refusal == at_mail.reply
        return
    accepted = tuple(
        one for one in envelope.recipients
        if judge_recipient(one.address, origin, here, usage, sender=envelope.sender) == ACCEPT
    )
    assert [one for one, _ in answer.turned_away] == [
        one.address for one in envelope.recipients if one not in accepted
    ]
    if not accepted:
        assert answer.decision.refusal is not None
        return

    @contextmanager
    def content():
        yield octets

    house = SimpleNamespace(book=here, usage=usage, host="vm1.example.com", now=lambda: 0.0)
    reception = SimpleNamespace(trace="t1", incoming=SimpleNamespace(content=content))
    judged = judge(house, here.site, origin, replace(envelope, recipients=accepted), reception)
    assert (judged if answer.decision.refusal else judged[0]) == (answer.decision.refusal or answer.decision)
