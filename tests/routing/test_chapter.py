"""The chapter "Configuring IMAP Settings" of Unity Connection's guide: what it says becomes of a message, in its order.

From the octets that a client sends to the steps; the site is the chapter's ExampleCo. What a door says, how VPIM is
written and what an operator types is tested where these are.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import CHRIS, DEFAULT_COS, ROBIN, FakeUsage
from tests.routing.letters import JO, LONDON, NODE_B, REMOTE, SIGNED_IN, SITE, TRUSTED, book, envelope, scope
from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.people.class_of_service import RequireSecure
from unitymail.people.user import Action, Actions
from unitymail.policy.recipient import judge_recipient
from unitymail.policy.sender import judge_envelope_sender
from unitymail.policy.verdict import ACCEPT
from unitymail.routing.categorise import read
from unitymail.routing.decide import decide
from unitymail.routing.steps import BadMail, Convert, Deliver, HandOver, RelayToSmartHost, RelayToUser
from unitymail.settings.site import SiteSettings

VECTORS = Path(__file__).parent.parent / "vectors"
ROBIN_AT, CHRIS_AT = "robin.smith@example.com", "chris.jones@example.com"
"""Corporate addresses, which are SMTP proxy addresses here."""
UNKNOWN_AT, OUT = "nobody@example.com", "chris@phone.example.net"
KINDS = {"voice": "viewmail_voice", "email": "email_plain", "fax": "fax_t37_single", "receipt": "mdn_read"}
CAN_RELAY = replace(SITE, smart_host_host="relay.example.net")


def octets_of(name, author=ROBIN_AT, *fields):
    """A vector as its author would send it, with more header fields."""
    header, blank, body = (VECTORS / f"{name}.eml").read_bytes().partition(b"\r\n\r\n")
    ours = (b"from:", b"sender:")
    lines = [line for line in header.split(b"\r\n") if not line.lower().startswith(ours)]
    return b"\r\n".join([f"From: <{author}>".encode(), *(f.encode() for f in fields), *lines]) + blank + body


def sent(octets, *to, origin=SIGNED_IN, site=SITE, objects=(), sender=ROBIN_AT):
    """The decision about what a client sends."""
    letter = read(octets, parse_secure_headers(site.secure_headers))
    return decide(letter, envelope(*to, sender=sender), origin, book(*objects, site=site), FakeUsage())


def statuses(decision):
    return [fate.status for fate in decision.report.fates] if decision.report else []


@pytest.mark.parametrize(("category", "vector"), KINDS.items())
@pytest.mark.parametrize("action", Action)
def test_for_each_type_of_message_the_user_has_an_action(category, vector, action):
    """Categorised as voice, email, fax or receipt, it is accepted, relayed, both, or rejected with a report."""
    chris = replace(CHRIS, relay_address=OUT, actions=Actions(**{category: action}))
    decision = sent(octets_of(vector), CHRIS_AT, site=CAN_RELAY, objects=(chris,))
    assert decision.message.category.value == category
    kept, relayed = Deliver("u-chris", CHRIS_AT), RelayToUser("u-chris", OUT, CHRIS_AT)
    if action is Action.REJECT:
        assert statuses(decision) == ([] if category == "receipt" else ["5.6.1"])
        return
    assert list(decision.steps) == {
        Action.ACCEPT: [kept], Action.RELAY: [relayed], Action.ACCEPT_AND_RELAY: [kept, replace(relayed, kept=True)],
    }[action]


@pytest.mark.parametrize("origin", [SIGNED_IN, TRUSTED])
def test_each_recipient_by_its_type(origin):
    """One message: to a VPIM contact converted here or passed to the node that homes the location, to a local user by
    the action, to a remote user by the home server, to nobody a report; signed in or from a listed address."""
    away = replace(LONDON, id="v-away", domain="away.example.org", dial_id="730", home="n-b")
    ann = replace(JO, id="c-ann", alias="ann", location="v-away", proxies=("ann@example.com",))
    jo = replace(JO, proxies=("jo.poole@example.com",))
    dana = replace(REMOTE, proxies=("dana.reed@example.com",))
    to = ("jo.poole@example.com", "ann@example.com", CHRIS_AT, "dana.reed@example.com", UNKNOWN_AT)
    decision = sent(octets_of("viewmail_voice"), *to, origin=origin, objects=(away, ann, jo, dana, NODE_B))
    assert list(decision.steps[:-1]) == [
        Convert("v-london", "c-jo", "8882233@london.example.org", "jo.poole@example.com"),
        HandOver("n-b", "ann@example.com"), Deliver("u-chris", CHRIS_AT), HandOver("n-b", "dana.reed@example.com"),
    ]
    assert [(fate.address, fate.status) for fate in decision.report.fates] == [(UNKNOWN_AT, "5.1.1")]


def test_the_home_server_alone_performs_the_actions_of_a_remote_user():
    """Whatever an administrator left in the copy of the user that this node has."""
    dana = replace(REMOTE, actions=Actions(voice=Action.REJECT))
    decision = sent(octets_of("viewmail_voice"), dana.address, objects=(dana,))
    assert list(decision.steps) == [HandOver("n-b", dana.address)]


def test_when_a_recipient_cannot_be_found():
    """By default a report, by setting the smart host."""
    smart = replace(CAN_RELAY, recipient_not_found="smart-host")
    octets = octets_of("viewmail_voice")
    assert SiteSettings().recipient_not_found == "ndr"
    assert statuses(sent(octets, UNKNOWN_AT, site=CAN_RELAY)) == ["5.1.1"]
    assert list(sent(octets, UNKNOWN_AT, site=smart).steps) == [RelayToSmartHost(UNKNOWN_AT)]


@pytest.mark.parametrize("address", [ROBIN_AT, ROBIN.address, ROBIN_AT.upper()])
def test_a_sender_is_known_by_primary_and_proxy_addresses(address):
    """In the envelope and in the header."""
    assert judge_envelope_sender(address, SIGNED_IN, book()) == ACCEPT
    for origin in (SIGNED_IN, TRUSTED):
        decision = sent(octets_of("viewmail_voice", address), CHRIS_AT, origin=origin, sender=address)
        assert (decision.sender.kind, decision.sender.matched) == ("user", "u-robin")


def test_a_sender_who_signed_in_as_another_stays_in_the_outbox():
    """An SMTP error, though the address is that of a user, and no report besides."""
    decision = sent(octets_of("viewmail_voice", CHRIS_AT), UNKNOWN_AT)
    assert (decision.refusal.code, decision.steps) == (550, ())


def test_mail_of_nobody_known_is_bad_mail():
    """Where no sign-in is asked: taken, kept for an administrator, told to nobody."""
    decision = sent(octets_of("viewmail_voice", "x@elsewhere.example"), CHRIS_AT, UNKNOWN_AT, origin=TRUSTED)
    assert SiteSettings().unknown_sender == "bad-mail"
    assert decision.refusal is None
    assert [type(step) for step in decision.steps] == [BadMail]


@pytest.mark.parametrize("rule", RequireSecure)
@pytest.mark.parametrize(("fields", "header"), [((), False), (("X-Unity-Secure: true",), True)])
def test_secure_by_its_header_or_by_the_senders_class_of_service(rule, fields, header):
    """The class that always sends secure messages makes any message one, the header does in any class."""
    cos = replace(DEFAULT_COS, secure=rule)
    decision = sent(octets_of("viewmail_voice", ROBIN_AT, *fields), CHRIS_AT, objects=(cos,))
    assert decision.secure is (header or rule is RequireSecure.ALWAYS)


@pytest.mark.parametrize(
    ("field", "setting"), [("Sensitivity: Private", "relay_allow_private"), ("X-Unity-Secure: 1", "relay_allow_secure")]
)
def test_private_and_secure_messages_are_relayed_by_setting(field, setting):
    """Private ones by default, secure ones not; what may not be relayed is reported to the sender."""
    asks = replace(DEFAULT_COS, secure=RequireSecure.ASK)
    chris = replace(CHRIS, relay_address=OUT, actions=Actions(voice=Action.RELAY))
    assert getattr(SiteSettings(), setting) is (setting == "relay_allow_private")
    for allowed in (False, True):
        site = replace(CAN_RELAY, **{setting: allowed})
        decision = sent(octets_of("viewmail_voice", ROBIN_AT, field), CHRIS_AT, site=site, objects=(asks, chris))
        relayed = [RelayToUser("u-chris", OUT, CHRIS_AT)]
        assert (list(decision.steps) == relayed) if allowed else (statuses(decision) == ["5.7.1"])


def test_to_relay_any_type_a_smart_host_is_needed():
    """Without one nothing leaves, and the sender is told."""
    for category, vector in KINDS.items():
        chris = replace(CHRIS, relay_address=OUT, actions=Actions(**{category: Action.RELAY}))
        decision = sent(octets_of(vector), CHRIS_AT, objects=(chris,))
        assert decision.steps == (decision.report,), category
        assert statuses(decision) == ["5.3.5"]


def test_whom_the_search_space_does_not_hold():
    """Taken at RCPT, so that the others get the message; one report, and the smart host is not asked."""
    smart = replace(CAN_RELAY, recipient_not_found="smart-host")
    hidden = "hidden@vm1.example.com"
    assert judge_recipient(hidden, SIGNED_IN, book(), FakeUsage(), ROBIN_AT) == ACCEPT
    decision = sent(octets_of("viewmail_voice"), CHRIS_AT, hidden, site=smart, objects=(scope("p-default"),))
    assert decision.steps[0] == Deliver("u-chris", CHRIS_AT)
    assert statuses(decision) == ["5.7.1"]
