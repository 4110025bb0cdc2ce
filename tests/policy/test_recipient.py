"""What RCPT says."""

from dataclasses import replace

import pytest

from tests.fakes import CHRIS, FakeUsage
from tests.routing.letters import (
    INTERNAL,
    PAT,
    PEER,
    REMOTE,
    ROBIN_AT,
    SIGNED_IN,
    SITE,
    SMART,
    SMART_HOST,
    STRANGER,
    TRUSTED,
    book,
)
from unitymail.people.user import Action, Actions
from unitymail.policy.recipient import judge_recipient
from unitymail.policy.verdict import ACCEPT

FULL = FakeUsage({"u-chris": CHRIS.quota.receive})


def answer(address, origin=STRANGER, site=SITE, usage=None, sender="x@y.example", **more):
    verdict = judge_recipient(address, origin, book(site=site, **more), usage or FakeUsage(), sender)
    return "250" if verdict == ACCEPT else f"{verdict.reply.code} {verdict.reply.enhanced}"


@pytest.mark.parametrize("origin", [SIGNED_IN, TRUSTED, SMART_HOST, PEER, INTERNAL])
@pytest.mark.parametrize("site", [SITE, SMART])
@pytest.mark.parametrize("address", ["nobody@vm1.example.com", "a@elsewhere.example", "pat@vm1.example.com", ROBIN_AT])
def test_unknown_recipients_of_those_we_know_are_reported_later(origin, site, address):
    """One bad address does not hold up the rest."""
    assert answer(address, origin, site) == "250"


@pytest.mark.parametrize(
    ("address", "by_ndr", "by_smart_host"),
    [
        (ROBIN_AT, "250", "250"),
        ("Robin+Tag@VM1.example.com", "250", "250"),
        ("robin.smith@example.com", "250", "250"),
        ("dana@vm1.example.com", "250", "250"),
        ("jo@vm1.example.com", "250", "250"),
        ("8882233@london.example.org", "250", "250"),
        ("team@vm1.example.com", "250", "250"),
        ("postmaster", "250", "250"),
        ("PostMaster@VM1.example.com", "250", "250"),
        ("postmaster@elsewhere.example", "550 5.1.1", "550 5.7.1"),
        ("pat@vm1.example.com", "550 5.1.1", "550 5.7.1"),
        ("nobody@vm1.example.com", "550 5.1.1", "550 5.7.1"),
        ("a@elsewhere.example", "550 5.1.1", "550 5.7.1"),
        ("7202233@vm1.example.com", "550 5.1.1", "550 5.7.1"),
        ("720+2233@vm1.example.com", "550 5.1.1", "550 5.7.1"),
        ("8889999@london.example.org", "550 5.1.1", "550 5.7.1"),
        ("non-mail-user@london.example.org", "550 5.1.1", "550 5.7.1"),
        ("robin", "550 5.1.1", "550 5.7.1"),
        ("", "550 5.1.1", "550 5.7.1"),
    ],
)
def test_a_stranger_is_told_at_once_and_never_reaches_the_smart_host(address, by_ndr, by_smart_host):
    """No backscatter, no open relay; the postmaster is never refused."""
    assert answer(address) == by_ndr
    assert answer(address, site=SMART) == by_smart_host


def test_without_subaddressing_a_tag_is_another_address():
    """The site switch turns `user+tag` off."""
    assert answer("robin+tag@vm1.example.com", site=replace(SITE, subaddressing=False)) == "550 5.1.1"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [(STRANGER, "452 4.2.2"), (TRUSTED, "452 4.2.2"), (SMART_HOST, "452 4.2.2"), (SIGNED_IN, "250"), (PEER, "250"),
     (INTERNAL, "250")],
)
def test_a_full_mailbox(origin, expected):
    """Told at RCPT to who did not sign in; reported to the others; receipts (null sender) pass."""
    assert answer("chris@vm1.example.com", origin, usage=FULL) == expected
    assert answer("chris@vm1.example.com", origin, usage=FULL, sender="") == "250"
    assert answer(ROBIN_AT, origin, usage=FULL) == "250"


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (Actions(Action.RELAY, Action.RELAY, Action.REJECT), "250"),
        (Actions(Action.RELAY, Action.RELAY, Action.RELAY, Action.ACCEPT), "250"),
        (Actions(Action.RELAY, Action.ACCEPT, Action.RELAY), "452 4.2.2"),
        (Actions(Action.ACCEPT_AND_RELAY, Action.REJECT, Action.REJECT), "452 4.2.2"),
        (Actions(Action.REJECT, Action.REJECT, Action.ACCEPT), "452 4.2.2"),
    ],
)
def test_who_keeps_nothing_needs_no_room(actions, expected):
    """A full mailbox does not stop what is relayed or rejected in any case; what may have to be kept it does."""
    chris = replace(CHRIS, actions=actions)
    verdict = judge_recipient(CHRIS.address, TRUSTED, book(chris), FULL, "x@y.example")
    assert (verdict == ACCEPT) is (expected == "250")


def test_the_home_server_says_whether_a_remote_users_mailbox_is_full():
    """What lies here under the id, from before a move perhaps, says nothing."""
    assert answer(REMOTE.address, TRUSTED, usage=FakeUsage({REMOTE.id: 10**12})) == "250"


def test_a_full_postmaster_is_not_refused():
    """RFC 5321 4.5.1."""
    chris = replace(CHRIS, proxies=("postmaster@vm1.example.com",))
    verdict = judge_recipient("postmaster", STRANGER, book(chris), FULL, "x@y.example")
    assert verdict == ACCEPT


@pytest.mark.parametrize(
    ("sender", "address", "expected"),
    [
        ("8882233@london.example.org", "7771042@vm1.example.com", "250"),
        ("8882233@london.example.org", "1042@vm1.example.com", "550 5.1.1"),
        ("8882233@london.example.org", "7779999@vm1.example.com", "550 5.1.1"),
        ("8882233@london.example.org", "chris@vm1.example.com", "250"),
        ("2233@paris.example.org", "1042@vm1.example.com", "250"),
        ("", "7771042@vm1.example.com", "250"),
        ("", "1042@vm1.example.com", "250"),
        ("", "9999@vm1.example.com", "550 5.1.1"),
        ("x@y.example", "1042@vm1.example.com", "550 5.1.1"),
    ],
)
def test_a_vpim_peer_dials_a_number(sender, address, expected):
    """Our prefix and an extension at our domain, for senders at a VPIM location; nobody else may dial."""
    assert answer(address, sender=sender) == expected


def test_without_the_reverse_path_numbers_are_nobody():
    """Who asks without saying who sends gets the answer for anybody."""
    assert answer("1042@vm1.example.com", sender=None) == "550 5.1.1"
    assert answer("chris@vm1.example.com", sender=None) == "250"
    assert answer("chris@vm1.example.com", sender=None, usage=FULL) == "452 4.2.2"


def test_a_contact_without_location_is_nobody():
    """Even though it owns an address (Unity Connection's rule)."""
    assert PAT.proxies == ("pat@vm1.example.com",)
    assert answer("pat@vm1.example.com") == "550 5.1.1"


def test_no_address_can_break_the_refusal():
    """A forged address cannot smuggle a second reply."""
    verdict = judge_recipient("a\r\n250 OK@x", STRANGER, book(), FakeUsage(), "x@y")
    assert verdict.reply.octets().count(b"\r\n") == 1
