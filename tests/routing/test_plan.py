"""From recipients to steps: whole step lists, kind of recipient by kind of message by rule of the site."""

from dataclasses import replace
from itertools import product

import pytest

from tests.fakes import CHRIS, ROBIN, TERRY, FakeUsage
from tests.routing.letters import (
    CHRIS_AT,
    EVERYBODY,
    INTERNAL,
    JO,
    LONDON,
    NODE_B,
    PAT,
    PEER,
    REMOTE,
    ROBIN_AT,
    SIGNED_IN,
    SITE,
    SMART,
    SMART_HOST,
    STRANGER,
    TEAM,
    TRUSTED,
    book,
    envelope,
    message,
    scope,
)
from unitymail.mail.envelope import Recipient
from unitymail.mail.message import Category, Sensitivity
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.people.user import Action, Actions, Quota
from unitymail.routing.decide import decide
from unitymail.routing.destination import FULL, NO_MAILBOX, NO_PEER, NO_SMART_HOST, UNKNOWN, VOICE_ONLY
from unitymail.routing.expand import NOT_FOREIGN, NOT_TO_LISTS
from unitymail.routing.plan import EMPTY_LIST, OUT_OF_SCOPE
from unitymail.routing.reporting import DELIVERED, EXPANDED
from unitymail.routing.steps import (
    BadMail,
    Convert,
    Deliver,
    Fate,
    HandOver,
    RelayToSmartHost,
    RelayToUser,
    Report,
)

OUT = "chris@phone.example.net"
ASKS = frozenset({"SUCCESS", "FAILURE"})
SUCCESS = frozenset({"SUCCESS"})
NEVER = frozenset({"NEVER"})
OUTSIDE = "someone@elsewhere.example"


def decided(letter, to, origin=SIGNED_IN, site=SITE, objects=(), usage=None):
    return decide(letter, to, origin, book(*objects, site=site), FakeUsage(usage or {}))


def steps(*args, **kwargs):
    return list(decided(*args, **kwargs).steps)


def failed(address, failure, sender=ROBIN_AT, orcpt=""):
    """The one report about one failure."""
    return Report(sender, (Fate(address, "failed", failure.status, failure.cause, orcpt=orcpt),))


def short(plan):
    """Steps with the report as (address, status) pairs, for tables."""
    return [tuple((f.address, f.status) for f in s.fates) if isinstance(s, Report) else s for s in plan]


MARKS = {"normal": (Sensitivity.NORMAL, False), "private": (Sensitivity.PRIVATE, False),
         "secure": (Sensitivity.NORMAL, True), "private and secure": (Sensitivity.PRIVATE, True)}
KEPT, SENT = Deliver("u-chris", CHRIS_AT), RelayToUser("u-chris", OUT, CHRIS_AT)


def local_oracle(category, action, mark, private_out, secure_out, reachable, host, full):
    """The decisions about a local user, as a table of the document rather than as the code has them."""
    if not reachable:
        return [((CHRIS_AT, "5.7.1"),)]
    shut = ("private" in mark and not private_out) or ("secure" in mark and not secure_out)
    barred = "5.7.1" if shut else "" if host else "5.3.5"
    no_room = full and category is not Category.RECEIPT
    kept = [((CHRIS_AT, "4.2.2"),)] if no_room else [KEPT]
    if action is Action.ACCEPT:
        return kept
    if action is Action.REJECT:
        return [] if category is Category.RECEIPT else [((CHRIS_AT, "5.6.1"),)]
    if action is Action.RELAY:
        return [((CHRIS_AT, barred),)] if barred else [SENT]
    if barred:
        return kept
    return [SENT, *kept] if no_room else [*kept, replace(SENT, kept=True)]


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("action", Action)
def test_every_combination_for_a_local_user(category, action):
    """Category × action × private/secure × gates × scope × smart host × quota: resolve, scope, gates, action, quota."""
    chris = replace(CHRIS, relay_address=OUT, actions=Actions(**{category.value: action}))
    for mark, private_out, secure_out, reachable, host, full in product(MARKS, *[(False, True)] * 5):
        site = replace(SITE, relay_allow_private=private_out, relay_allow_secure=secure_out,
                       smart_host_host="relay.example.net" if host else "")
        reach = EVERYBODY if reachable else scope("p-other")
        # Robin's own class adds nothing: its rule "private" would turn private into private and secure.
        letter = message(category, sensitivity=MARKS[mark][0], secure=MARKS[mark][1])
        plan = steps(letter, envelope(CHRIS_AT), site=site, objects=(chris, reach, replace(ROBIN, cos="")),
                     usage={"u-chris": chris.quota.receive} if full else {})
        expected = local_oracle(category, action, mark, private_out, secure_out, reachable, host, full)
        assert short(plan) == expected, (mark, private_out, secure_out, reachable, host, full)


@pytest.mark.parametrize("category", Category)
def test_every_combination_for_the_other_kinds(category):
    """Remote users, VPIM contacts, blind addresses, contacts without location and unknown addresses."""
    for mark, private_out, secure_out, vpim_secure, reachable, host, rule in product(
        MARKS, *[(False, True)] * 5, ("ndr", "smart-host")
    ):
        site = replace(SITE, relay_allow_private=private_out, relay_allow_secure=secure_out,
                       smart_host_host="relay.example.net" if host else "", recipient_not_found=rule)
        objects = (replace(LONDON, allow_secure=vpim_secure), EVERYBODY if reachable else scope("p-other"),
                   replace(ROBIN, cos=""))
        letter = message(category, sensitivity=MARKS[mark][0], secure=MARKS[mark][1])
        shut = ("private" in mark and not private_out) or ("secure" in mark and not secure_out)
        unknown = "5.1.1" if rule == "ndr" else "5.3.5" if not host else "5.7.1" if shut else ""
        vpim = "" if vpim_secure or "secure" not in mark else "5.7.1"
        scoped = "" if reachable else "5.7.1"
        table = {
            "dana@vm1.example.com": (scoped, HandOver("n-b", "dana@vm1.example.com")),
            "jo@vm1.example.com": (
                scoped or vpim, Convert("v-london", "c-jo", "8882233@london.example.org", "jo@vm1.example.com")
            ),
            "720+4455@vm1.example.com": (
                scoped or vpim, Convert("v-london", "", "8884455@london.example.org", "720+4455@vm1.example.com")
            ),
            "pat@vm1.example.com": (scoped or unknown, RelayToSmartHost("pat@vm1.example.com")),
            OUTSIDE: (unknown, RelayToSmartHost(OUTSIDE)),
        }
        for address, (status, step) in table.items():
            plan = steps(letter, envelope(address), site=site, objects=objects)
            assert short(plan) == [((address, status),) if status else step], (address, mark, rule)


@pytest.mark.parametrize(
    ("origin", "rule", "host", "expected"),
    [
        (SIGNED_IN, "ndr", "relay", UNKNOWN),
        (SIGNED_IN, "smart-host", "relay", None),
        (SIGNED_IN, "smart-host", "", NO_SMART_HOST),
        (TRUSTED, "smart-host", "relay", None),
        (STRANGER, "smart-host", "relay", UNKNOWN),
        (SMART_HOST, "smart-host", "relay", UNKNOWN),
        (PEER, "smart-host", "relay", UNKNOWN),
        (INTERNAL, "ndr", "relay", UNKNOWN),
        (INTERNAL, "smart-host", "relay", None),
    ],
)
def test_unknown_recipients_by_who_brings_them(origin, rule, host, expected):
    """Strangers never reach the smart host, and what came from it or from a peer never goes there."""
    site = replace(SITE, recipient_not_found=rule, smart_host_host=host)
    plan = steps(message(), envelope(OUTSIDE), origin=origin, site=site)
    assert plan == ([RelayToSmartHost(OUTSIDE)] if expected is None else [failed(OUTSIDE, expected)])


@pytest.mark.parametrize("origin", [SIGNED_IN, TRUSTED, SMART_HOST, STRANGER])
@pytest.mark.parametrize("domain", ["vm1.example.com", "VM1.Example.com", "london.example.org", "paris.example.org"])
def test_callers_who_have_no_mailbox_cannot_be_answered(origin, domain):
    """RFC 3801 4.1.2: their address ends here, also where unknown recipients go to the smart host."""
    address = f"Non-Mail-User@{domain}"
    assert steps(message(), envelope(address), origin=origin, site=SMART) == [failed(address, NO_MAILBOX)]


def test_that_mailbox_at_another_system_or_given_to_somebody_is_an_address_like_any():
    """What it means elsewhere is not ours to know."""
    elsewhere = "non-mail-user@elsewhere.example"
    assert steps(message(), envelope(elsewhere), site=SMART) == [RelayToSmartHost(elsewhere)]
    ours = "non-mail-user@vm1.example.com"
    chris = replace(CHRIS, proxies=(ours,))
    assert steps(message(), envelope(ours), site=SMART, objects=(chris,)) == [Deliver("u-chris", ours)]


def test_our_own_reports_do_not_go_to_callers_without_a_mailbox():
    """Not even where all else of ours leaves by the smart host."""
    report = message(Category.RECEIPT, "postmaster@vm1.example.com")
    to = envelope("non-mail-user@london.example.org", sender="")
    assert steps(report, to, origin=INTERNAL, site=SMART) == []


def test_an_address_without_domain_is_never_relayed():
    """It is nobody's."""
    assert steps(message(), envelope("bob"), site=SMART) == [failed("bob", UNKNOWN)]


def test_who_is_out_of_scope_never_falls_through_to_the_smart_host():
    """Not even a contact that would otherwise count as unknown; and never 5.1.1."""
    plan = steps(message(), envelope("pat@vm1.example.com", CHRIS_AT), site=SMART, objects=(scope("p-other"),))
    assert short(plan) == [(("pat@vm1.example.com", "5.7.1"), (CHRIS_AT, "5.7.1"))]


@pytest.mark.parametrize(
    ("origin", "letter", "reached"),
    [
        (SIGNED_IN, message(), False),
        (STRANGER, message(), False),
        (SMART_HOST, message(), False),
        (PEER, message(), True),
        (INTERNAL, message(), True),
        (STRANGER, message(sender=OUTSIDE), True),
    ],
)
def test_whose_scope_counts(origin, letter, reached):
    """The matched user's, however the mail came; peers have asked before; outside senders have none."""
    site = replace(SITE, unknown_sender="accept")
    plan = steps(letter, envelope("hidden@vm1.example.com"), origin=origin, site=site)
    there = Deliver("u-hidden", "hidden@vm1.example.com")
    assert plan == ([there] if reached else [failed("hidden@vm1.example.com", OUT_OF_SCOPE)])


def test_a_vpim_sender_has_its_locations_scope():
    """And a location without scope reaches everybody."""
    letter = message(sender="8882233@london.example.org")
    to = envelope("hidden@vm1.example.com", "7771042@vm1.example.com", sender="8882233@london.example.org")
    hidden, chris = Deliver("u-hidden", "hidden@vm1.example.com"), Deliver("u-chris", "7771042@vm1.example.com")
    refused = failed("hidden@vm1.example.com", OUT_OF_SCOPE, sender="8882233@london.example.org")
    assert steps(letter, to, origin=STRANGER) == [chris, refused]
    assert steps(letter, to, origin=STRANGER, objects=(replace(LONDON, scope=""),)) == [hidden, chris]


def test_a_scope_that_is_gone_reaches_nothing():
    """Rather than everything."""
    plan = steps(message(), envelope(CHRIS_AT), objects=(replace(ROBIN, scope="s-gone"),))
    assert plan == [failed(CHRIS_AT, OUT_OF_SCOPE)]


def test_an_object_in_no_partition_is_reached_by_all_and_no_scope_reaches_all():
    """Until an administrator draws borders there are none."""
    assert steps(message(), envelope(CHRIS_AT), objects=(replace(CHRIS, partition=""), scope("p-x"))) == [KEPT]
    to = envelope("hidden@vm1.example.com")
    assert steps(message(), to, objects=(replace(ROBIN, scope=""),)) == [Deliver("u-hidden", "hidden@vm1.example.com")]


def test_three_users_and_one_unknown_are_three_deliveries_and_one_report():
    """The story of the issue, as a plan."""
    to = envelope(ROBIN_AT, CHRIS_AT, "nobody@vm1.example.com", "terry@vm1.example.com")
    assert steps(message(), to) == [
        Deliver("u-robin", ROBIN_AT), Deliver("u-chris", CHRIS_AT), Deliver("u-terry", "terry@vm1.example.com"),
        failed("nobody@vm1.example.com", UNKNOWN),
    ]


def test_all_failures_are_in_one_report_in_order():
    """A fate per recipient, though the causes differ."""
    site = replace(SITE, smart_host_host="")
    chris = replace(CHRIS, actions=Actions(voice=Action.REJECT))
    terry = replace(TERRY, quota=Quota(receive=1))
    to = envelope("a@b.example", CHRIS_AT, "hidden@vm1.example.com", "terry@vm1.example.com")
    plan = steps(message(), to, site=site, objects=(chris, terry), usage={"u-terry": 1})
    assert short(plan) == [
        (("a@b.example", "5.1.1"), (CHRIS_AT, "5.6.1"), ("hidden@vm1.example.com", "5.7.1"),
         ("terry@vm1.example.com", "4.2.2"))
    ]


def test_a_mailbox_that_is_reached_twice_gets_one_copy():
    """By two addresses, in two cases, through a list and a list within a list; each decision still shows it."""
    outer = DistributionList("l-outer", "outer", "outer@vm1.example.com", partition="p-default",
                             members=("l-team", "u-chris", "u-dana"))
    to = envelope(
        "Chris.Jones@Example.com", CHRIS_AT, CHRIS_AT.upper(), "outer@vm1.example.com", "dana@vm1.example.com"
    )
    decision = decided(message(), to, objects=(outer,))
    assert list(decision.steps) == [
        Deliver("u-chris", "Chris.Jones@Example.com"),
        HandOver("n-b", "dana@vm1.example.com"),
        Deliver("u-robin", "outer@vm1.example.com"),
        Deliver("u-terry", "outer@vm1.example.com"),
    ]
    assert decision.recipients[1].steps == (Deliver("u-chris", CHRIS_AT),)
    assert decision.recipients[4].steps == (HandOver("n-b", "dana@vm1.example.com"),)


def test_a_voice_mail_box_in_two_spellings_is_one():
    """Domains have no case."""
    to = envelope("8884455@LONDON.example.org", "8884455@london.example.org")
    assert len(steps(message(), to)) == 1


def test_other_doubles_are_one_step_too():
    """Two spellings of an outside address, and a VPIM mailbox by three addresses."""
    to = envelope(
        OUTSIDE, OUTSIDE.upper(), "jo@vm1.example.com", "8882233@london.example.org", "720+2233@vm1.example.com"
    )
    assert steps(message(), to, site=SMART) == [
        RelayToSmartHost(OUTSIDE),
        Convert("v-london", "c-jo", "8882233@london.example.org", "jo@vm1.example.com"),
    ]


def test_a_list_goes_to_its_members_each_by_their_own_rules():
    """Its members' scopes are not asked, their actions, gates and quotas are; contacts keep their way."""
    big = DistributionList("l-big", "big", "big@vm1.example.com", partition="p-default", allow_contacts=True,
                           members=("u-robin", "u-hidden", "u-chris", "u-terry", "u-dana", "c-jo", "c-pat"))
    chris = replace(CHRIS, actions=Actions(voice=Action.REJECT))
    terry = replace(TERRY, relay_address="t@x.example", actions=Actions(voice=Action.ACCEPT_AND_RELAY))
    at = "big@vm1.example.com"
    plan = steps(message(), envelope(at), site=SMART, objects=(big, chris, terry))
    assert plan[:-1] == [
        Deliver("u-robin", at), Deliver("u-hidden", at),
        Deliver("u-terry", at), RelayToUser("u-terry", "t@x.example", at, kept=True),
        HandOver("n-b", "dana@vm1.example.com", at), Convert("v-london", "c-jo", "8882233@london.example.org", at),
        RelayToSmartHost("pat@vm1.example.com", at),
    ]
    assert short(plan)[-1] == ((CHRIS_AT, "5.6.1"),)


def test_a_contact_on_a_list_is_written_to_by_its_first_address():
    """And by the alias where it has none: so a report names it."""
    pat = replace(PAT, proxies=("a@elsewhere.example", "b@elsewhere.example"))
    listed = replace(TEAM, members=("c-pat",), allow_contacts=True)
    at = "team@vm1.example.com"
    assert steps(message(), envelope(at), site=SMART, objects=(listed, pat)) == [
        RelayToSmartHost("a@elsewhere.example", at)
    ]
    plan = steps(message(), envelope(at), objects=(listed, replace(pat, proxies=())))
    assert plan == [failed("pat@vm1.example.com", UNKNOWN)]


def test_a_secure_message_to_a_list_skips_who_may_not_have_it():
    """Members outside are reported, the rest get it."""
    mixed = replace(TEAM, members=("u-robin", "c-jo"), allow_contacts=True)
    plan = steps(message(secure=True), envelope("team@vm1.example.com"), objects=(mixed,))
    assert plan[0] == Deliver("u-robin", "team@vm1.example.com")
    assert short(plan)[1] == (("8882233@london.example.org", "5.7.1"),)


@pytest.mark.parametrize(
    ("changed", "letter", "site", "failure"),
    [
        (replace(TEAM, members=()), message(), SITE, EMPTY_LIST),
        (replace(TEAM, members=("u-gone",)), message(), SITE, EMPTY_LIST),
        (replace(TEAM, members=("c-jo",)), message(), SITE, EMPTY_LIST),
        (TEAM, message(sender=OUTSIDE), replace(SITE, unknown_sender="accept"), NOT_FOREIGN),
        (replace(TEAM, partition="p-hidden"), message(), SITE, OUT_OF_SCOPE),
    ],
)
def test_a_list_that_cannot_be_used(changed, letter, site, failure):
    """Empty, closed to foreign senders, or out of scope: one fate, for the list."""
    plan = steps(letter, envelope("team@vm1.example.com"), origin=STRANGER, site=site, objects=(changed,))
    assert plan == [failed("team@vm1.example.com", failure)]


def test_a_list_nested_too_deep_is_said_to_be():
    """Who can be reached gets the message; the sender hears that others were not."""
    chain = [
        DistributionList(f"l-{n}", f"d{n}", f"d{n}@vm1.example.com", members=(f"l-{n + 1}", "u-chris"),
                         partition="p-default")
        for n in range(21)
    ]
    plan = steps(message(), envelope(Recipient("d0@vm1.example.com", ASKS)), objects=chain)
    assert plan[0] == Deliver("u-chris", "d0@vm1.example.com")
    assert [(f.address, f.action, f.status) for f in plan[1].fates] == [
        ("d0@vm1.example.com", "expanded", "2.0.0"), ("d0@vm1.example.com", "failed", "5.2.4")
    ]


def test_a_shorter_way_to_who_was_too_deep_is_taken():
    """A list within one that was nested too deep, written to as well, is opened from there: it reaches further."""
    last = DistributionList("l-20", "d20", "d20@vm1.example.com", members=("u-terry",), partition="p-default")
    chain = [
        DistributionList(f"l-{n}", f"d{n}", f"d{n}@vm1.example.com", members=(f"l-{n + 1}", "u-chris"),
                         partition="p-default")
        for n in range(20)
    ]
    plan = steps(message(), envelope("d0@vm1.example.com", "d5@vm1.example.com"), objects=[*chain, last])
    assert [step.account for step in plan if isinstance(step, Deliver)] == ["u-chris", "u-terry"]


def test_a_location_for_voice_only():
    """What is e-mail is returned, whatever it encloses; voice and fax go there."""
    only = replace(LONDON, voice_only=True)
    to = envelope("jo@vm1.example.com")
    assert steps(message(Category.EMAIL), to, objects=(only,)) == [failed("jo@vm1.example.com", VOICE_ONLY)]
    for category in (Category.VOICE, Category.FAX):
        assert [type(step) for step in steps(message(category), to, objects=(only,))] == [Convert]


def test_a_contact_without_a_number_is_unknown():
    """A location alone says not where to send."""
    plan = steps(message(), envelope("jo@vm1.example.com"), objects=(replace(JO, mailbox_number=""),))
    assert plan == [failed("jo@vm1.example.com", UNKNOWN)]


def test_a_class_without_lists():
    """`send_to_lists` off."""
    cos = replace(book().class_of_service("c-default"), send_to_lists=False)
    plan = steps(message(), envelope("team@vm1.example.com"), objects=(cos,))
    assert plan == [failed("team@vm1.example.com", NOT_TO_LISTS)]


def test_a_list_within_a_list_that_is_written_to_as_well_is_opened_once():
    """What one list reached needs no second look, and is said so."""
    outer = DistributionList("l-outer", "outer", "outer@vm1.example.com", members=("l-team",), partition="p-default")
    decision = decided(message(), envelope("outer@vm1.example.com", "team@vm1.example.com"), objects=(outer,))
    assert [step.account for step in decision.steps] == ["u-robin", "u-chris", "u-terry"]
    assert decision.recipients[1].steps == ()
    assert "reached already" in decision.recipients[1].reason


def test_a_second_list_with_another_notify_tells_its_own_failures():
    """NOTIFY=NEVER on one list does not silence the same members under another."""
    chris = replace(CHRIS, actions=Actions(voice=Action.REJECT))
    outer = DistributionList("l-outer", "outer", "outer@vm1.example.com", members=("l-team",), partition="p-default")
    to = envelope(Recipient("outer@vm1.example.com", NEVER), "team@vm1.example.com")
    assert short(steps(message(), to, objects=(outer, chris)))[-1] == ((CHRIS_AT, "5.6.1"),)


FAILURE = frozenset({"FAILURE"})
RELAYS = replace(CHRIS, relay_address=OUT, actions=Actions(voice=Action.RELAY))
CHRIS_TOO = "chris.jones@example.com"


@pytest.mark.parametrize(
    ("first", "second", "under"),
    [
        (None, None, 1), (None, FAILURE, 1), (NEVER, None, 2), (NEVER, FAILURE, 2), (FAILURE, NEVER, 1),
        (SUCCESS, FAILURE, 2), (FAILURE, ASKS, 2), (ASKS, FAILURE, 1), (None, ASKS, 2), (NEVER, SUCCESS, 2),
        (frozenset({"DELAY"}), None, 2), (NEVER, NEVER, 1),
    ],
)
def test_of_two_addresses_the_one_whose_fate_the_sender_wants_to_hear(first, second, under):
    """One copy leaves, for the address with NOTIFY that tells of failure, then of success; else for the first."""
    to = envelope(Recipient(CHRIS_AT, first), Recipient(CHRIS_TOO, second))
    assert steps(message(), to, objects=(RELAYS,), site=SMART) == [
        RelayToUser("u-chris", OUT, CHRIS_AT if under == 1 else CHRIS_TOO)
    ]


def test_of_two_lists_the_one_whose_members_fates_the_sender_wants_to_hear():
    """NOTIFY=NEVER on the list written first does not hide what a later one asks for; who is named stays so."""
    outer = DistributionList("l-outer", "outer", "outer@vm1.example.com", members=("u-chris",), partition="p-default")
    to = [Recipient("outer@vm1.example.com", NEVER), Recipient("team@vm1.example.com", FAILURE)]
    relayed = [s for s in steps(message(), envelope(*to), objects=(outer, RELAYS), site=SMART) if hasattr(s, "kept")]
    assert relayed == [RelayToUser("u-chris", OUT, "team@vm1.example.com")]
    named = envelope(*to, Recipient(CHRIS_AT, NEVER))
    relayed = [s for s in steps(message(), named, objects=(outer, RELAYS), site=SMART) if hasattr(s, "kept")]
    assert relayed == [RelayToUser("u-chris", OUT, CHRIS_AT)]


@pytest.mark.parametrize(
    ("notify", "told"),
    [(None, ["failed"]), (NEVER, []), (frozenset({"FAILURE"}), ["failed"]), (frozenset({"DELAY"}), []),
     (SUCCESS, ["delivered"]), (ASKS, ["delivered", "failed"])],
)
def test_notify_decides_what_is_told(notify, told):
    """RFC 3461 4.1: failures unless it says otherwise, success only where it says so."""
    to = envelope(Recipient(CHRIS_AT, notify), Recipient("nobody@vm1.example.com", notify))
    report = decided(message(), to).report
    assert ([fate.action for fate in report.fates] if report else []) == told


def test_success_of_a_local_delivery_is_reported_with_the_original_recipient():
    """The fate carries ORCPT as the client gave it."""
    to = envelope(Recipient(CHRIS_AT, SUCCESS, "rfc822;c@old.example"), Recipient("dana@vm1.example.com", SUCCESS))
    assert steps(message(), to) == [
        KEPT, HandOver("n-b", "dana@vm1.example.com"),
        Report(ROBIN_AT, (Fate(CHRIS_AT, "delivered", "2.0.0", DELIVERED, orcpt="rfc822;c@old.example"),)),
    ]


def test_what_has_to_be_converted_first_is_no_success_yet():
    """A message from VPIM is put into the mailbox by the courier, which tells what became of it."""
    to = envelope(Recipient(CHRIS_AT, SUCCESS))
    assert steps(message(rule="R3"), to) == [Deliver("u-chris", CHRIS_AT, from_vpim=True)]


def test_a_list_answers_for_its_members_success():
    """RFC 3461 5.2.7: one `expanded` for the list, failures of members still one by one."""
    chris = replace(CHRIS, actions=Actions(voice=Action.REJECT))
    report = decided(message(), envelope(Recipient("team@vm1.example.com", ASKS)), objects=(chris,)).report
    assert [(f.address, f.action, f.cause) for f in report.fates] == [
        ("team@vm1.example.com", "expanded", EXPANDED),
        (CHRIS_AT, "failed", "The recipient does not accept voice messages."),
    ]


def test_no_report_where_none_is_due():
    """The recipient's decision says why nobody is told."""
    decision = decided(message(), envelope("nobody@vm1.example.com"), objects=(replace(ROBIN, route_ndr=False),))
    assert decision.steps == ()
    assert decision.recipients[0].steps == ()
    assert "wants none" in decision.recipients[0].reason


KEEPERS = DistributionList("l-keep", UNDELIVERABLE, f"{UNDELIVERABLE}@vm1.example.com", members=("u-terry", "u-dana"))
KEPT_FOR_ALL = [Deliver("u-terry", KEEPERS.address), HandOver("n-b", "dana@vm1.example.com", KEEPERS.address)]


@pytest.mark.parametrize("origin", [SIGNED_IN, TRUSTED, SMART_HOST, PEER, STRANGER])
@pytest.mark.parametrize("category", [Category.RECEIPT, Category.VOICE])
def test_what_has_no_sender_to_tell_is_kept(origin, category):
    """An NDR for a user who left, say: once for the list Undeliverable Messages, however many it fails for."""
    to = envelope("gone@vm1.example.com", CHRIS_AT, "left@vm1.example.com", sender="")
    decision = decided(message(category), to, origin=origin, objects=(KEEPERS,))
    assert list(decision.steps) == [KEPT, *KEPT_FOR_ALL]
    assert [list(r.steps) for r in decision.recipients] == [KEPT_FOR_ALL, [KEPT], KEPT_FOR_ALL]
    assert decision.recipients[0].reason.endswith("no report, since it has the null sender; kept as undeliverable")


@pytest.mark.parametrize(("objects", "facts"), [((), {}), ((KEEPERS,), {"malformed": True})])
def test_without_keepers_or_malformed_it_is_bad_mail(objects, facts):
    """It says for whom it was and why it did not get there, of a list the member whom it did not reach."""
    rejecting = replace(CHRIS, actions=Actions(email=Action.REJECT))
    to = envelope("team@vm1.example.com", sender="")
    *_, kept = steps(message(Category.EMAIL, **facts), to, objects=(*objects, rejecting))
    assert kept == BadMail(
        f"{CHRIS_AT} cannot be reached, and its sender cannot be told: The recipient does not accept email messages."
    )


def test_what_a_user_rejects_silently_is_not_kept_and_our_own_reports_are_kept_by_their_writer():
    """A rejected receipt has not failed; and nothing is kept of what has a sender who merely wants no report."""
    rejects = replace(CHRIS, actions=Actions(receipt=Action.REJECT))
    receipt, to = message(Category.RECEIPT), envelope(CHRIS_AT, sender="")
    assert steps(receipt, to, objects=(rejects, KEEPERS)) == []
    assert steps(receipt, envelope("gone@vm1.example.com", sender=""), origin=INTERNAL, objects=(KEEPERS,)) == []
    silent = replace(ROBIN, route_ndr=False)
    assert steps(message(), envelope("gone@vm1.example.com"), objects=(silent, KEEPERS)) == []


def test_a_keeper_whom_it_was_for_gets_it_once():
    """Terry and Dana keep the undeliverable and are recipients; Terry also where only the postmaster's copy is kept."""
    to = envelope("gone@vm1.example.com", "terry@vm1.example.com", "Dana@vm1.example.com", sender="")
    assert steps(message(), to, origin=TRUSTED, objects=(KEEPERS,)) == [
        Deliver("u-terry", "terry@vm1.example.com"), HandOver("n-b", "Dana@vm1.example.com"),
    ]
    rejects = replace(TERRY, actions=Actions(voice=Action.REJECT))
    assert steps(message(), to, origin=TRUSTED, objects=(KEEPERS, rejects)) == [
        HandOver("n-b", "Dana@vm1.example.com"), KEPT_FOR_ALL[0],
    ]
    (once,) = steps(message(), envelope("postmaster", "gone@vm1.example.com", sender=""), origin=TRUSTED)
    assert isinstance(once, BadMail)


def test_a_list_says_how_many_members_drop_a_receipt():
    """It has failed for nobody, so nothing else would tell where it went."""
    rejecting = [replace(one, actions=Actions(receipt=Action.REJECT)) for one in (CHRIS, TERRY)]
    for objects, said in (rejecting, "; 2 of them drop it silently"), ((), ""):
        decision = decided(message(Category.RECEIPT), envelope("team@vm1.example.com"), objects=objects)
        assert decision.recipients[0].reason.endswith("3 members" + said)


def test_a_number_that_is_a_contact_s_address_is_nobody_else_s():
    """What returns to it is not for the user with that extension, though the contact cannot be reached."""
    pat = replace(PAT, proxies=("1042@vm1.example.com",))
    (step,) = steps(message(Category.RECEIPT), envelope("1042@vm1.example.com", sender=""), objects=(pat,))
    assert isinstance(step, BadMail)
    assert steps(message(Category.RECEIPT), envelope("7771042@vm1.example.com", sender=""), objects=(pat,)) == [
        Deliver("u-chris", "7771042@vm1.example.com")
    ]


@pytest.mark.parametrize(("number", "account"), [("7771042", "u-chris"), ("1041", "u-robin"), ("7779999", "")])
@pytest.mark.parametrize("origin", [TRUSTED, SMART_HOST])
def test_a_report_on_a_voice_message_comes_back_by_any_machine(origin, number, account):
    """VPIM leaves from the number by which the location knows the user; the smart host writes its report to that."""
    at = f"{number}@vm1.example.com"
    letter = message(Category.RECEIPT, "MAILER-DAEMON@relay.example.net")
    (step,) = steps(letter, envelope(at, sender=""), origin=origin)
    assert step == Deliver(account, at) if account else isinstance(step, BadMail)
    site = replace(SITE, unknown_sender="accept")
    named = envelope(at, sender="x@relay.example.net")
    assert short(steps(message(sender="x@relay.example.net"), named, origin=origin, site=site)) == [((at, "5.1.1"),)]


def test_a_failure_that_nobody_asked_to_hear_of_is_said_to_be_kept_silent():
    """The recipient's decision says so: for NOTIFY=NEVER, and for a report of ours that reaches nobody."""
    to = envelope(Recipient("nobody@vm1.example.com", NEVER))
    assert decided(message(), to).recipients[0].reason.endswith("no report, since the sender asked for none")
    report = message(Category.RECEIPT, "postmaster@vm1.example.com")
    to = envelope(Recipient("gone@elsewhere.example", NEVER), sender="")
    decision = decided(report, to, origin=INTERNAL)
    assert decision.steps == ()
    assert decision.recipients[0].reason.endswith("no report, since it has the null sender")
    assert "no report" not in decided(message(), envelope(Recipient(CHRIS_AT, NEVER))).recipients[0].reason


def test_receipts_ignore_quota_and_search_for_nobody():
    """A full mailbox still takes a receipt; a rejected receipt vanishes without a word."""
    full = {"u-chris": CHRIS.quota.receive}
    receipt = message(Category.RECEIPT)
    assert steps(receipt, envelope(CHRIS_AT, sender=""), usage=full) == [KEPT]
    rejects = replace(CHRIS, actions=Actions(receipt=Action.REJECT))
    assert steps(receipt, envelope(CHRIS_AT), objects=(rejects,)) == []


def test_the_message_that_crosses_the_quota_is_delivered():
    """One octet of room is enough; at the limit it is not."""
    assert steps(message(), envelope(CHRIS_AT), usage={"u-chris": CHRIS.quota.receive - 1}) == [KEPT]
    assert steps(message(), envelope(CHRIS_AT), usage={"u-chris": CHRIS.quota.receive}) == [failed(CHRIS_AT, FULL)]


def test_the_postmaster_always_gets_mail():
    """Out of scope, over quota, as a closed list, or as nobody at all: never refused."""
    stranger = message(sender=OUTSIDE)
    site = replace(SITE, unknown_sender="accept")
    address = "postmaster@vm1.example.com"
    chris = replace(CHRIS, proxies=(address,), partition="p-hidden")
    assert steps(message(), envelope("Postmaster"), objects=(chris,), usage={"u-chris": 10**9}) == [
        Deliver("u-chris", "Postmaster")
    ]
    closed = replace(TEAM, proxies=(address,), members=("u-terry",))
    plan = steps(stranger, envelope(address), origin=STRANGER, site=site, objects=(closed,))
    assert plan == [Deliver("u-terry", address)]
    (nobody,) = steps(stranger, envelope(address), origin=STRANGER, site=site)
    assert isinstance(nobody, BadMail)
    assert "postmaster" in nobody.reason


@pytest.mark.parametrize("order", [1, -1])
def test_the_postmasters_mail_is_not_lost_beside_the_same_full_mailbox(order):
    """Written to by both addresses, it takes the copy that is for the postmaster and reports the other."""
    chris = replace(CHRIS, proxies=("postmaster@vm1.example.com",))
    plan = steps(message(), envelope(*[CHRIS_AT, "postmaster"][::order]), objects=(chris,), usage={"u-chris": 10**9})
    assert plan == [Deliver("u-chris", "postmaster"), failed(CHRIS_AT, FULL)]
    both = replace(chris, actions=Actions(voice=Action.ACCEPT_AND_RELAY), relay_address=OUT)
    to = envelope(*[CHRIS_AT, "postmaster"][::order])
    assert steps(message(), to, site=SMART, objects=(both,), usage={"u-chris": 10**9}) == [
        Deliver("u-chris", "postmaster"), RelayToUser("u-chris", OUT, "postmaster", kept=True), failed(CHRIS_AT, FULL)
    ]


def test_a_home_server_nobody_knows():
    """5.3.5: set up wrongly, not the sender's fault."""
    lost = replace(REMOTE, home="n-gone")
    assert steps(message(), envelope(REMOTE.address), objects=(lost,)) == [failed(REMOTE.address, NO_PEER)]


def test_a_vpim_location_homed_elsewhere():
    """Its mail is handed to that node, addresses unchanged; secure mail is stopped here already."""
    away = replace(LONDON, home="n-b")
    assert steps(message(), envelope("jo@vm1.example.com"), objects=(away, NODE_B)) == [
        HandOver("n-b", "jo@vm1.example.com")
    ]
    listed = replace(TEAM, members=("c-jo",), allow_contacts=True)
    assert steps(message(), envelope("team@vm1.example.com"), objects=(away, listed)) == [
        HandOver("n-b", "8882233@london.example.org", "team@vm1.example.com")
    ]
    plan = steps(message(secure=True), envelope("jo@vm1.example.com"), objects=(away,))
    assert short(plan) == [(("jo@vm1.example.com", "5.7.1"),)]


def test_our_own_reports_find_their_way_back():
    """To a VPIM mailbox without contact, and to an outside sender through the smart host, whatever the rule."""
    report = message(Category.RECEIPT, "postmaster@vm1.example.com")
    to = envelope("2233@paris.example.org", OUTSIDE, CHRIS_AT, sender="")
    site = replace(SITE, smart_host_host="relay")
    assert steps(report, to, origin=INTERNAL, site=site, usage={"u-chris": 10**9}) == [
        Convert("v-paris", "", "2233@paris.example.org", "2233@paris.example.org"), RelayToSmartHost(OUTSIDE), KEPT
    ]


def test_our_own_reports_go_back_to_the_peer():
    """To whoever sent from its domain, known here or not; other mail for unknown people there is reported."""
    report = message(Category.RECEIPT, "postmaster@vm1.example.com")
    to = envelope("unheard-of@VM2.example.com", sender="")
    assert steps(report, to, origin=INTERNAL) == [HandOver("n-b", "unheard-of@VM2.example.com")]
    assert short(steps(message(), envelope("unheard-of@vm2.example.com"))) == [
        (("unheard-of@vm2.example.com", "5.1.1"),)
    ]


def test_our_own_reports_to_nobody_here_stay():
    """The smart host could only bring them back, unless the site sends it whom it does not know."""
    report = message(Category.RECEIPT, "postmaster@vm1.example.com")
    to = envelope("gone@vm1.example.com", sender="")
    assert steps(report, to, origin=INTERNAL, site=replace(SITE, smart_host_host="relay")) == []
    assert steps(report, to, origin=INTERNAL, site=SMART) == [RelayToSmartHost("gone@vm1.example.com")]


def test_bad_mail_sent_on_by_an_administrator_is_no_way_out():
    """It is internal but no report: unknown recipients follow the site's rule."""
    site = replace(SITE, smart_host_host="relay")
    to = envelope("2233@paris.example.org", OUTSIDE, CHRIS_AT, sender=OUTSIDE)
    plan = steps(message(sender=OUTSIDE), to, origin=INTERNAL, site=site)
    assert plan[0] == KEPT
    assert [fate.status for fate in plan[1].fates] == ["5.1.1", "5.1.1"]


def test_every_recipient_has_a_kind_a_match_and_a_reason():
    """What `explain --json` shows."""
    to = envelope(CHRIS_AT, "dana@vm1.example.com", "jo@vm1.example.com", "720+4455@vm1.example.com",
                  "team@vm1.example.com", OUTSIDE, "hidden@vm1.example.com", "postmaster")
    decision = decided(message(), to, site=SMART)
    assert [(r.kind, r.matched) for r in decision.recipients] == [
        ("user", "u-chris"), ("remote-user", "u-dana"), ("vpim-contact", "c-jo"), ("vpim-contact", "v-london"),
        ("list", "l-team"), ("unknown", ""), ("out-of-scope", "u-hidden"), ("unknown", ""),
    ]
    assert [r.reason for r in decision.recipients] == [
        "chris@vm1.example.com is Chris Jones; accepts voice messages",
        "dana@vm1.example.com is Dana Reed, whose home server is Node B; handed over to Node B",
        "jo@vm1.example.com is the contact Jo Poole at London; converted for London",
        "720+4455@vm1.example.com dials 4455 at London; converted for London",
        "team@vm1.example.com is the list Team; 3 members",
        f"nobody here has the address {OUTSIDE}; unknown recipients go to the smart host",
        "hidden@vm1.example.com is Hidden; the sender's search scope does not reach it",
        "mail for the postmaster, and no user or list has that address; kept as bad mail",
    ]


def test_who_is_named_beside_a_list():
    """A member whom the sender names too is reached once, under the own address, whichever comes first."""
    team = replace(TEAM, members=("u-dana", "u-terry"))
    for names in (("team@vm1.example.com", "dana@vm1.example.com"), ("dana@vm1.example.com", "team@vm1.example.com")):
        planned = steps(message(), envelope(*names), objects=(team,))
        assert [step for step in planned if isinstance(step, HandOver)] == [HandOver("n-b", "dana@vm1.example.com")]
        assert len(planned) == 2
