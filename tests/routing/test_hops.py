"""Next hops: which system takes a step now."""

from dataclasses import replace

import pytest

from tests.fakes import FakeBook
from unitymail.interfaces.next_hop_rule import INextHopRule
from unitymail.people.location import Location, LocationKind
from unitymail.routing.hops import RULES, next_hop, waits_for
from unitymail.routing.next_hop import NextHop
from unitymail.routing.situation import Failure
from unitymail.routing.steps import BadMail, Convert, Deliver, HandOver, RelayToSmartHost, RelayToUser, Report
from unitymail.settings.site import SiteSettings

SITE = replace(SiteSettings(), smart_host_host="out.example", smart_host_port=2525, smart_host_tls="required",
               smart_host_ca_file="/ca.pem", smart_host_username="node", smart_host_password_file="/secret")
PEER = Location("l-peer", LocationKind.PEER, "vm2", "vm2.example.com", "192.0.2.2", 26, fingerprint="ab" * 32)
VPIM = Location("l-vpim", LocationKind.VPIM, "East", "east.example", "voice.east.example", 27)
NO_HOST = replace(VPIM, id="l-far", domain="far.example", host="")
BOOK = FakeBook(PEER, VPIM, NO_HOST, site=SITE)
SMART_HOST = NextHop("smart-host", "the smart host out.example", "out.example", 2525, tls="required",
                     ca_file="/ca.pem", username="node", password_file="/secret")


def test_what_is_found():
    """One rule a step class that leaves the node."""
    assert set(RULES) == {RelayToSmartHost, RelayToUser, HandOver, Convert}
    assert all(INextHopRule.providedBy(rule) for rule in RULES.values())


@pytest.mark.parametrize(("step", "hop"), [
    (RelayToSmartHost("a@x.example"), SMART_HOST),
    (RelayToUser("u-robin", "a@x.example", "robin@vm1.example.com"), SMART_HOST),
    (HandOver("l-peer", "a@vm2.example.com"),
     NextHop("peer l-peer", "the peer vm2", "192.0.2.2", 26, tls="pinned", fingerprint="ab" * 32)),
    (Convert("l-vpim", "", "9@east.example", "9@east.example"),
     NextHop("vpim l-vpim", "the voice-mail system East", "voice.east.example", 27)),
    (Convert("l-far", "", "9@far.example", "9@far.example"), SMART_HOST),
    (Deliver("u-robin", "robin@vm1.example.com"), None),
    (BadMail("x"), None),
])
def test_where_a_step_goes(step, hop):
    """The smart host, the peer, the VPIM location or the smart host for it; what stays here goes nowhere."""
    assert next_hop(step, BOOK) == hop


@pytest.mark.parametrize("step", [
    RelayToSmartHost("a@x.example"), HandOver("l-gone", "a@x"), HandOver("l-vpim", "a@x"),
    Convert("l-gone", "", "9@x", "9@x"), Convert("l-peer", "", "9@x", "9@x"), Convert("l-far", "", "9@x", "9@x"),
])
def test_nowhere_to_go(step):
    """Without smart host, peer or location the failure says that the way is not set up here."""
    found = next_hop(step, FakeBook(PEER, VPIM, NO_HOST))
    assert isinstance(found, Failure)
    assert found.status == "5.3.5"


def test_a_domain_whose_mail_exchangers_are_asked():
    """mx:DOMAIN names a domain, not a host."""
    hop = next_hop(RelayToSmartHost("a@x"), FakeBook(site=replace(SITE, smart_host_host="mx:example.org")))
    assert (hop.host, hop.mx) == ("example.org", True)


def test_only_a_peer_is_a_peer():
    """XUNITYMAIL is for hops whose key is pinned."""
    assert next_hop(HandOver("l-peer", "a@x"), BOOK).is_peer
    assert not next_hop(RelayToSmartHost("a@x"), BOOK).is_peer


def test_a_sender_who_requires_tls():
    """RFC 8689: where the site would take any TLS it is a hop of its own, verified; elsewhere nothing changes."""
    easy = FakeBook(PEER, site=replace(SITE, smart_host_tls="opportunistic"))
    hop = next_hop(RelayToSmartHost("a@x"), easy, require_tls=True)
    assert (hop.key, hop.tls) == ("smart-host with TLS", "required")
    assert next_hop(RelayToSmartHost("a@x"), BOOK, require_tls=True) == SMART_HOST
    assert next_hop(HandOver("l-peer", "a@x"), easy, require_tls=True).key == "peer l-peer"


@pytest.mark.parametrize("tls", ["none", "opportunistic", "required"])
def test_a_sender_who_requires_tls_where_mx_records_are_asked(tls):
    """RFC 8689 4.2.1: MX records that nobody has signed prove no name; nothing is said to whoever they name."""
    book = FakeBook(site=replace(SITE, smart_host_host="mx:example.org", smart_host_tls=tls))
    found = next_hop(RelayToSmartHost("a@x"), book, require_tls=True)
    assert isinstance(found, Failure) and found.status == "5.7.30"
    assert "the smart host mx:example.org is found by MX records" in found.cause
    assert next_hop(RelayToSmartHost("a@x"), book).host == "example.org"


@pytest.mark.parametrize(("steps", "key"), [
    ([RelayToSmartHost("a@x"), RelayToUser("u", "b@x", "c@x")], "smart-host"),
    ([HandOver("l-peer", "a@x")], "peer l-peer"), ([Convert("l-vpim", "", "9@x", "9@x")], "vpim l-vpim"),
    ([RelayToSmartHost("a@x"), HandOver("l-peer", "a@x")], ""), ([RelayToSmartHost("a@x"), Deliver("u", "b@x")], ""),
    ([Report("a@x", ())], ""), ([], ""),
])
def test_what_an_item_waits_for(steps, key):
    """One hop for all steps, or none that is known."""
    assert waits_for(steps) == key


def test_the_likely_key_is_the_key():
    """What the queue goes by without the book is what the book gives, but for a location without a host."""
    for step in (RelayToSmartHost("a@x"), HandOver("l-peer", "a@x"), Convert("l-vpim", "", "9@x", "9@x")):
        assert RULES[type(step)].key(step) == next_hop(step, BOOK).key
