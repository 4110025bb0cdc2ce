"""Whose message it is, and who is told no."""

from dataclasses import replace

import pytest

from tests.fakes import CHRIS, ROBIN, FakeUsage
from tests.routing.letters import (
    CHRIS_AT,
    INTERNAL,
    LONDON,
    PEER,
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
from unitymail.policy.sender import find_sender, judge_envelope_sender
from unitymail.policy.verdict import ACCEPT, Reject
from unitymail.routing.decision import FromPeer, SenderFinding

REQUEUED = replace(INTERNAL, door="bad-mail")
BOSS = replace(CHRIS, delegates=("u-robin",))
OUTSIDE = "someone@elsewhere.example"


@pytest.mark.parametrize(
    ("address", "allowed"),
    [(ROBIN_AT, True), ("ROBIN@VM1.Example.COM", True), ("robin.smith@example.com", True), ("", True),
     ("robin+news@vm1.example.com", True), (CHRIS_AT, False), (OUTSIDE, False), ("team@vm1.example.com", False),
     ("jo@vm1.example.com", False), ("postmaster@vm1.example.com", False), ("robin", False)],
)
def test_a_signed_in_client_uses_its_own_addresses(address, allowed):
    """Primary and proxy addresses in any case, and the null sender; anything else is refused with its name."""
    verdict = judge_envelope_sender(address, SIGNED_IN, book())
    if allowed:
        assert verdict == ACCEPT
    else:
        assert (verdict.reply.code, verdict.reply.enhanced) == (550, "5.7.1")
        assert address in verdict.reply.text
        assert verdict.address == address


def test_a_delegate_may_send_as_the_one_who_made_them_one():
    """Not the other way round."""
    assert judge_envelope_sender(CHRIS_AT, SIGNED_IN, book(BOSS)) == ACCEPT
    as_chris = replace(SIGNED_IN, user="u-chris")
    assert isinstance(judge_envelope_sender(ROBIN_AT, as_chris, book(BOSS)), Reject)


def test_a_signed_in_client_hides_no_author_in_a_long_header():
    """Whose addresses are not all read may be anybody's message: 550 5.7.1, whatever the first address is."""
    refused = find_sender(message(authors_cut=True), envelope(CHRIS_AT), SIGNED_IN, book())
    assert (refused.reply.code, refused.reply.enhanced) == (550, "5.7.1")
    assert find_sender(message(authors_cut=True), envelope(CHRIS_AT), STRANGER, book()).kind == "user"


def test_the_send_quota_stops_mail_but_no_receipts():
    """552 5.2.2 at MAIL FROM at or above the Send quota; the null sender passes."""
    full = FakeUsage({"u-robin": ROBIN.quota.send})
    assert judge_envelope_sender(ROBIN_AT, SIGNED_IN, book(), full).reply.enhanced == "5.2.2"
    assert judge_envelope_sender("", SIGNED_IN, book(), full) == ACCEPT
    assert judge_envelope_sender(ROBIN_AT, SIGNED_IN, book(), FakeUsage()) == ACCEPT


def test_a_user_who_was_removed_while_signed_in_sends_nothing():
    """The refusal does not wait for the session's end."""
    gone = replace(SIGNED_IN, user="u-gone")
    assert judge_envelope_sender("", gone, book()).reply.code == 550
    assert isinstance(find_sender(message(), envelope(), gone, book()), Reject)


@pytest.mark.parametrize("origin", [TRUSTED, STRANGER, SMART_HOST, PEER, INTERNAL])
def test_others_are_judged_by_the_header_not_at_mail(origin):
    """An unauthenticated envelope sender is never refused."""
    assert judge_envelope_sender(OUTSIDE, origin, book()) == ACCEPT


@pytest.mark.parametrize(
    ("sender", "header", "also", "failed"),
    [
        (ROBIN_AT, ROBIN_AT, (), None),
        (ROBIN_AT, "robin.smith@example.com", (), None),
        (ROBIN_AT, None, (), None),
        ("", ROBIN_AT, (), None),
        ("", None, (), None),
        ("", OUTSIDE, (), OUTSIDE),
        (OUTSIDE, ROBIN_AT, (), OUTSIDE),
        (ROBIN_AT, OUTSIDE, (), OUTSIDE),
        (ROBIN_AT, CHRIS_AT, (), CHRIS_AT),
        (ROBIN_AT, ROBIN_AT, (CHRIS_AT,), CHRIS_AT),
        (ROBIN_AT, ROBIN_AT, ("robin.smith@example.com",), None),
        (ROBIN_AT, "", (), ""),
    ],
)
def test_a_signed_in_client_is_refused_by_the_address_that_fails(sender, header, also, failed):
    """Envelope, From and Sender must each be the user's; the message stays in the client's outbox."""
    found = find_sender(message(sender=header, header_sender=also), envelope(sender=sender), SIGNED_IN, book())
    if failed is None:
        assert found == SenderFinding(header or sender or ROBIN_AT, "user", "u-robin")
    else:
        assert (found.reply.code, found.reply.enhanced, found.address) == (550, "5.7.1", failed)
        assert failed in found.reply.text


def test_every_author_of_from_must_be_allowed():
    """A second author that is somebody else's is refused, however good the first."""
    both = message(header_from=(ROBIN_AT, OUTSIDE))
    assert find_sender(both, envelope(), SIGNED_IN, book()).address == OUTSIDE


def test_a_delegate_sends_on_behalf():
    """From is the boss's, Sender the delegate's: the message is the boss's."""
    letter = message(sender=CHRIS_AT, header_sender=(ROBIN_AT,))
    assert find_sender(letter, envelope(), SIGNED_IN, book(BOSS)) == SenderFinding(CHRIS_AT, "user", "u-chris")


USER = ("user", "u-robin", "accept")
VPIM = ("vpim", "v-london", "accept")
BAD = ("unknown", "", "bad-mail")
OUT = ("outside", "", "accept")


@pytest.mark.parametrize(
    ("origin", "header", "rule", "expected"),
    [
        (STRANGER, ROBIN_AT, "bad-mail", USER),
        (TRUSTED, ROBIN_AT, "bad-mail", USER),
        (SMART_HOST, ROBIN_AT, "accept", USER),
        (PEER, ROBIN_AT, "bad-mail", USER),
        (STRANGER, "8882233@london.example.org", "bad-mail", VPIM),
        (STRANGER, "8882233@LONDON.example.org", "bad-mail", VPIM),
        (STRANGER, "non-mail-user@london.example.org", "bad-mail", VPIM),
        (STRANGER, "9992233@london.example.org", "bad-mail", BAD),
        (STRANGER, "2233@paris.example.org", "bad-mail", ("vpim", "v-paris", "accept")),
        (STRANGER, "2233@sub.paris.example.org", "bad-mail", BAD),
        (STRANGER, "jo@vm1.example.com", "bad-mail", BAD),
        (STRANGER, OUTSIDE, "bad-mail", BAD),
        (TRUSTED, OUTSIDE, "bad-mail", BAD),
        (SMART_HOST, OUTSIDE, "bad-mail", BAD),
        (STRANGER, OUTSIDE, "accept-from-trusted", BAD),
        (TRUSTED, OUTSIDE, "accept-from-trusted", OUT),
        (SMART_HOST, OUTSIDE, "accept-from-trusted", OUT),
        (STRANGER, OUTSIDE, "accept", OUT),
        (PEER, OUTSIDE, "bad-mail", ("peer", "", "accept")),
        (INTERNAL, "postmaster@vm1.example.com", "bad-mail", OUT),
        (REQUEUED, ROBIN_AT, "bad-mail", USER),
        (REQUEUED, OUTSIDE, "bad-mail", ("unknown", "", "accept")),
        (REQUEUED, OUTSIDE, "accept", OUT),
    ],
)
def test_without_a_sign_in_the_header_from_decides(origin, header, rule, expected):
    """A user here, a VPIM location, or bad mail; `unknown_sender` opens it, for trusted addresses or for all."""
    site = replace(SITE, unknown_sender=rule)
    found = find_sender(message(sender=header), envelope(sender=OUTSIDE), origin, book(site=site))
    assert found == SenderFinding(header, *expected)


@pytest.mark.parametrize(
    ("number", "expected"), [("8882233", VPIM), ("9992233", ("vpim", "v-london2", "accept")), ("7772233", BAD)]
)
def test_one_system_that_is_entered_twice(number, expected):
    """The prefix tells from which of its two locations a message is."""
    again = replace(LONDON, id="v-london2", remote_prefix="999")
    address = number + "@london.example.org"
    found = find_sender(message(sender=address), envelope(sender=address), STRANGER, book(again))
    assert found == SenderFinding(address, *expected)


def test_without_from_the_envelope_sender_counts():
    """And with neither, the sender is nobody."""
    assert find_sender(message(sender=None), envelope(), STRANGER, book()) == SenderFinding(ROBIN_AT, *USER)
    assert find_sender(message(sender=None), envelope(sender=""), STRANGER, book()) == SenderFinding("", *BAD)


def test_any_author_who_is_a_user_counts():
    """From may hold several; a user among them is the sender."""
    letter = message(header_from=(OUTSIDE, ROBIN_AT))
    assert find_sender(letter, envelope(), STRANGER, book()) == SenderFinding(ROBIN_AT, *USER)


@pytest.mark.parametrize(
    ("origin", "category", "rule", "expected"),
    [
        (TRUSTED, Category.RECEIPT, "bad-mail", ("null", "", "accept")),
        (SMART_HOST, Category.RECEIPT, "bad-mail", ("null", "", "accept")),
        (PEER, Category.RECEIPT, "bad-mail", ("peer", "", "accept")),
        (INTERNAL, Category.RECEIPT, "bad-mail", ("null", "", "accept")),
        (TRUSTED, Category.EMAIL, "bad-mail", BAD),
        (TRUSTED, Category.EMAIL, "accept-from-trusted", ("null", "", "accept")),
        (STRANGER, Category.RECEIPT, "bad-mail", BAD),
        (STRANGER, Category.RECEIPT, "accept", ("null", "", "accept")),
    ],
)
def test_receipts_and_bounces_get_in_with_the_null_sender(origin, category, rule, expected):
    """From trusted addresses, peers and the smart host a report of somebody unknown is a receipt, not bad mail."""
    site = replace(SITE, unknown_sender=rule)
    found = find_sender(message(category, OUTSIDE), envelope(sender=""), origin, book(site=site))
    assert found == SenderFinding(OUTSIDE, *expected)


def test_the_null_sender_is_mapped_by_its_header_from():
    """A receipt that Robin's phone system sends is Robin's."""
    found = find_sender(message(Category.RECEIPT), envelope(sender=""), TRUSTED, book())
    assert found == SenderFinding(ROBIN_AT, *USER)


def test_no_address_can_break_the_refusal():
    """A forged address cannot smuggle a second reply."""
    evil = "a\r\n250 OK@x"
    assert judge_envelope_sender(evil, SIGNED_IN, book()).reply.octets().count(b"\r\n") == 1


@pytest.mark.parametrize(
    ("sender", "category", "found"),
    [
        ("", Category.RECEIPT, SenderFinding("postmaster@london.example.org", "vpim", "v-london")),
        ("", Category.VOICE, SenderFinding("postmaster@london.example.org", "unknown", verdict="bad-mail")),
        (
            "postmaster@london.example.org", Category.RECEIPT,
            SenderFinding("postmaster@london.example.org", "unknown", verdict="bad-mail"),
        ),
    ],
)
def test_a_report_comes_from_the_voice_mail_system_itself(sender, category, found):
    """Its postmaster has no prefix; without this our users would never hear what became of their messages there."""
    report = message(category, header_from=("postmaster@london.example.org",))
    assert find_sender(report, envelope(ROBIN_AT, sender=sender), STRANGER, book()) == found


def told(kind, sender=""):
    from_peer = FromPeer("n1.t1", "t1", sender, kind, Category.EMAIL, Sensitivity.NORMAL, secure=False)
    return replace(PEER, told=from_peer)


@pytest.mark.parametrize(
    ("kind", "sender", "found"),
    [
        ("user", CHRIS_AT, SenderFinding(CHRIS_AT, "user", CHRIS.id)),
        ("user", "Chris.Jones@Example.com", SenderFinding("Chris.Jones@Example.com", "user", CHRIS.id)),
        ("user", "kim@vm2.example.com", SenderFinding("kim@vm2.example.com", "peer")),
        ("user", "team@vm1.example.com", SenderFinding("team@vm1.example.com", "peer")),
        ("vpim", "8882233@london.example.org", SenderFinding("8882233@london.example.org", "vpim", "v-london")),
        ("vpim", "postmaster@london.example.org", SenderFinding("postmaster@london.example.org", "vpim", "v-london")),
        ("vpim", "2233@rome.example.org", SenderFinding("2233@rome.example.org", "peer")),
        ("outside", "", SenderFinding(ROBIN_AT, "outside")),
        ("null", "", SenderFinding(ROBIN_AT, "null")),
        ("peer", "", SenderFinding(ROBIN_AT, "peer")),
        ("unknown", "", SenderFinding(ROBIN_AT, "unknown")),
    ],
)
def test_what_a_peer_says_of_the_sender_is_believed(kind, sender, found):
    """Its header is not asked again: a From that shows Robin makes nobody Robin, and nothing is bad mail."""
    mail = message(header_from=(ROBIN_AT,))
    assert find_sender(mail, envelope(ROBIN_AT), told(kind, sender), book()) == found


def test_only_of_a_peer():
    """`told` without the trust of a peer says nothing."""
    forged = replace(STRANGER, told=told("user", CHRIS_AT).told)
    assert find_sender(message(header_from=(ROBIN_AT,)), envelope(ROBIN_AT), forged, book()).matched == ROBIN.id
