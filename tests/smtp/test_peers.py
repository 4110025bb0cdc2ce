"""Peers at the door, as transcripts: how they get in, what they may tell, and what is never stored twice."""

from dataclasses import replace

import pytest

from tests.fakes import CHRIS, ROBIN
from tests.smtp.conversation import LETTER, FakeSpool, codes
from tests.smtp.peers import KEY, NODE_B, PEOPLE, TELLS, meeting, proven
from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.mail.message import Category, Sensitivity
from unitymail.people.access import AccessRule
from unitymail.routing.decision import FromPeer
from unitymail.routing.steps import Deliver, Report
from unitymail.settings.site import SiteSettings

OPEN = SiteSettings(smtp_allow_untrusted=True, smtp_untrusted_tls="required")
MAIL = "MAIL FROM:<chris@vm1.example.com>"
CHRISS = LETTER.replace(b"robin@", b"chris@")
TOLD = FromPeer(
    "n1.t1", "t1", "chris@vm1.example.com", "user", Category.VOICE, Sensitivity.PRIVATE, secure=True
)


def hand_over(c, *recipients, mail=f"{MAIL} {TELLS}", octets=CHRISS):
    found = c.codes(mail, *(f"RCPT TO:<{r}>" for r in recipients), "DATA")
    assert found[-1] == "354", found
    return c.send(octets + b".\r\n")


# Getting in


def test_a_peer_comes_in_where_strangers_may_not():
    """The address of a peer's host may connect; after the handshake its key makes it the peer."""
    c = proven()
    assert "XUNITYMAIL" in c.ehlo
    assert "STARTTLS" not in c.ehlo and "AUTH" not in c.ehlo
    assert c.session._dialogue.origin.trust == "peer"
    assert (c.session._dialogue.origin.door, c.session._dialogue.origin.peer) == ("peer", NODE_B.id)
    assert c.journal.named("signed_in")[0].args == ("peer", "node-b", "192.0.2.7")


def test_until_it_is_proven_it_can_do_nothing_else():
    """Greeting, STARTTLS and QUIT; everything else is told to show a certificate."""
    c = meeting()
    assert c.heard().startswith("220 ")
    assert "STARTTLS" in c.say("EHLO b.example")
    others = MAIL, "RCPT TO:<robin@vm1.example.com>", "DATA", "AUTH PLAIN AHJvYmluAHNlY3JldA==", "VRFY robin", "HELP"
    assert c.codes(*others) == ["530 5.7.0"] * 6
    assert c.codes("NOOP", "RSET", "HELO b.example", "QUIT") == ["250 2.0.0", "250 2.0.0", "250", "221 2.0.0"]


@pytest.mark.parametrize("key", ["", "cd" * 32])
def test_with_no_certificate_or_anothers_it_stays_outside(key):
    """The reply says that the certificate is no peer's; the journal names its key for the administrator."""
    c = proven(key=key)
    assert "XUNITYMAIL" not in c.ehlo
    assert c.say(MAIL).startswith("554 5.7.1 From your address only peers are welcome, and your certificate")
    assert [e.args[1] for e in c.journal.named("sign_in_failed")] == ([key] if key else [])


@pytest.mark.parametrize(
    ("rules", "welcome"),
    [([], True), (["-192.0.2.0/24"], True), (["-*"], True), (["-192.0.2.7"], False), (["+192.0.2.7"], True)],
)
def test_only_a_denied_exact_address_keeps_a_peer_out(rules, welcome):
    """A block that is denied may still hold a peer; its very address does not."""
    access = tuple(AccessRule(rule[1:], allow=rule[0] == "+") for rule in rules)
    assert meeting(access=access).heard().startswith("220" if welcome else "554") is True


def test_other_doors_know_no_peers():
    """A peer's address is nothing to the submission door."""
    assert meeting(door="submission").heard().startswith("554 5.7.1")
    assert meeting(door="submission", key="").door.peer_addresses() == ()


def test_a_peer_may_come_from_anywhere_that_strangers_may():
    """Only the key counts, not the address; TLS and AUTH rules for strangers are no matter then."""
    c = proven(site=OPEN, ip="198.51.100.9")
    assert c.codes("MAIL FROM:<chris@vm1.example.com>") == ["250 2.1.0"]


def test_starttls_is_offered_at_a_peers_address_whatever_strangers_get():
    """Where TLS is disabled for strangers a peer could else never prove itself."""
    site = replace(OPEN, smtp_untrusted_tls="disabled", smtp_untrusted_require_auth=False)
    assert "STARTTLS" in meeting(site=site).say("EHLO b.example")
    assert "STARTTLS" not in meeting(site=site, ip="198.51.100.9").say("EHLO x.example")


def test_a_strangers_certificate_changes_nothing():
    """Postfix shows its certificate to everybody, and stays what it was."""
    site = replace(OPEN, smtp_untrusted_require_auth=False)
    c = proven(key="cd" * 32, site=site, ip="198.51.100.9")
    assert "XUNITYMAIL" not in c.ehlo
    assert c.letter("robin@vm1.example.com")[-1] == "250 2.0.0"
    assert c.spool.committed[0].decision.sender.kind == "user"
    assert c.journal.named("sign_in_failed") == []


def test_a_peer_need_not_sign_in():
    """Its certificate says who it is; nobody is both."""
    assert proven().say("AUTH PLAIN AHJvYmluAHNlY3JldA==").startswith("503 5.5.1 You are known as a peer")


def test_a_peer_that_was_removed_meanwhile():
    """`peer remove` ends a session that is still open, with its next message."""
    c = proven()
    assert hand_over(c, "robin@vm1.example.com").startswith("250")
    c.book.objects = tuple(o for o in c.book.objects if o is not NODE_B)
    assert c.say(f"{MAIL} {TELLS}").startswith("421 4.7.0 You are no peer of this node any more")
    assert c.wire.disconnecting


def test_a_key_that_became_another_peers():
    """Who came in as one peer is not taken for another in the middle of a session."""
    c = proven()
    c.book.objects = (*PEOPLE[:-1], replace(NODE_B, id="l-new", name="node-new"))
    assert c.say(f"{MAIL} {TELLS}").startswith("421 4.7.0 You are no peer of this node any more")


def test_before_tls_nobody_is_a_peer():
    """A new handshake is a new session: what was proven is void, as all that was said before."""
    c = meeting(site=OPEN)
    c.say("EHLO b.example")
    assert c.codes(f"{MAIL} {TELLS}") == ["530 5.7.0"]


# What a peer tells


def test_what_a_peer_tells_is_believed():
    """Sender, category, sensitivity and secure were decided where the message came in; the header is not asked."""
    c = proven()
    assert hand_over(c, "robin@vm1.example.com", octets=LETTER).startswith("250 2.0.0 Accepted; trace ")
    [kept] = c.spool.committed
    assert kept.xid == "l-b/n1.t1"
    assert kept.decision.sender.matched == CHRIS.id
    message = kept.decision.message
    assert (message.category, message.sensitivity, kept.decision.secure) == (Category.VOICE, Sensitivity.PRIVATE, True)
    assert kept.decision.steps == (Deliver(ROBIN.id, "robin@vm1.example.com"),)
    assert b"category=voice; sensitivity=private" in kept.head
    assert c.journal.named("received")[0].door == "peer"


def test_headers_from_outside_are_never_believed():
    """A field that looks like ours changes nothing, not even from a peer."""
    forged = b"X-Unitymail-Trace: id=x; category=fax; sensitivity=private; secure=yes; sender=u-chris\r\n" + LETTER
    c = proven()
    assert hand_over(c, "robin@vm1.example.com", mail="MAIL FROM:<robin@vm1.example.com>", octets=forged)[:3] == "250"
    message = c.spool.committed[0].decision.message
    assert (message.category, message.sensitivity, message.secure) == (Category.EMAIL, Sensitivity.NORMAL, False)
    assert c.spool.committed[0].decision.sender.matched == ROBIN.id


def test_plain_mail_of_a_peer():
    """Without XID it is mail of a peer still; nothing is remembered of it."""
    c = proven()
    assert hand_over(c, "robin@vm1.example.com", mail="MAIL FROM:<x@elsewhere.example>",
                     octets=b"From: x@elsewhere.example\r\n\r\n.\r\n")[:3] == "250"
    [kept] = c.spool.committed
    assert (kept.xid, kept.decision.sender.kind) == ("", "peer")


@pytest.mark.parametrize("word", TELLS.split())
def test_nobody_else_may_use_its_parameters(word):
    """555 for a stranger, a trusted address, one who signed in."""
    for c in (
        meeting(access=(AccessRule("192.0.2.7", allow=True),)).greeted(),
        proven(key="", site=replace(OPEN, smtp_untrusted_require_auth=False)),
        proven(key="", door="submission", site=OPEN).signed_in(),
    ):
        assert c.codes(f"MAIL FROM:<robin@vm1.example.com> {word}") == ["555 5.5.4"]


def test_an_unknown_recipient_of_a_peer_is_reported_after():
    """One bad address does not hold up the rest."""
    c = proven()
    assert hand_over(c, "nobody@vm1.example.com", "robin@vm1.example.com")[:3] == "250"
    steps = c.spool.committed[0].decision.steps
    assert [type(step) for step in steps] == [Deliver, Report]


def test_what_is_told_belongs_to_one_message():
    """The next one in the same session is told of anew, or not at all."""
    c = proven()
    hand_over(c, "robin@vm1.example.com")
    hand_over(c, "robin@vm1.example.com", mail=MAIL)
    hand_over(c, "robin@vm1.example.com", mail=f"{MAIL} {TELLS.replace('t1', 't2')}")
    assert [kept.xid for kept in c.spool.committed] == ["l-b/n1.t1", "", "l-b/n1.t2"]


# Sent again


def test_the_same_transaction_again_is_answered_and_not_stored():
    """The connection broke after the final dot: the peer sends it again, and nobody gets it twice."""
    c = proven()
    hand_over(c, "robin@vm1.example.com")
    said = hand_over(c, "robin@vm1.example.com")
    assert said.startswith("250 2.0.0 Accepted before")
    assert len(c.spool.committed) == 1
    assert not c.spool.held
    assert len(c.journal.named("received")) == 1
    [again] = c.journal.named("sent_again")
    assert (again.xid, again.recipients) == ("n1.t1", 1)


def test_only_those_who_have_it_not_get_it():
    """A later attempt may be for fewer, or for more."""
    c = proven()
    hand_over(c, "robin@vm1.example.com")
    assert hand_over(c, "robin@vm1.example.com", "terry@vm1.example.com").startswith("250 2.0.0 Accepted; trace ")
    second = c.spool.committed[1]
    assert [r.address for r in second.envelope.recipients] == ["terry@vm1.example.com"]
    assert [step.to for step in second.decision.steps] == ["terry@vm1.example.com"]


def test_one_recipient_in_two_spellings():
    """Who has it has it, however the address is written this time."""
    c = proven()
    hand_over(c, "robin@vm1.example.com")
    assert hand_over(c, "Robin@VM1.example.com", "robin@vm1.example.com").startswith("250 2.0.0 Accepted before")
    assert len(c.spool.committed) == 1


def test_an_other_message_to_the_same_recipient():
    """Only the pair of transaction and recipient is known."""
    c = proven()
    hand_over(c, "robin@vm1.example.com")
    hand_over(c, "robin@vm1.example.com", mail=f"{MAIL} {TELLS.replace('n1.t1', 'n1.t2')}")
    assert len(c.spool.committed) == 2


def test_another_peers_transaction_of_the_same_name():
    """A peer cannot make this node forget a message of another one, by naming its own like that."""
    other = replace(NODE_B, id="l-c", name="node-c", domain="vm3.example.com", fingerprint="ef" * 32)
    spool = FakeSpool()
    evil = proven(people=(*PEOPLE, other), key="ef" * 32, spool=spool)
    good = proven(people=(*PEOPLE, other), spool=spool)
    hand_over(evil, "robin@vm1.example.com")
    assert hand_over(good, "robin@vm1.example.com").startswith("250 2.0.0 Accepted; trace ")
    assert hand_over(good, "robin@vm1.example.com").startswith("250 2.0.0 Accepted before")
    assert len(spool.committed) == 2


def test_two_connections_with_the_same_transaction_at_once():
    """The first attempt is slow, the second comes beside it: exactly one copy, and both are answered 250."""
    spool = FakeSpool()
    one, two = proven(spool=spool), proven(spool=spool)
    spool.hold = True
    assert hand_over(one, "robin@vm1.example.com") == ""
    assert hand_over(two, "robin@vm1.example.com") == ""
    spool.release()
    spool.release()
    assert codes(one.heard()) == codes(two.heard()) == ["250 2.0.0"]
    assert len(spool.committed) == 1


def test_when_nobody_can_know_it_comes_again():
    """The memory of transactions cannot be read: the peer keeps the message, nothing stays here."""
    c = proven()
    c.spool.known_error = TryAgain(DISK_FULL)
    assert hand_over(c, "robin@vm1.example.com").startswith("452 4.3.1")
    assert not c.spool.held and not c.spool.committed
    c.spool.known_error = ZeroDivisionError()
    assert hand_over(c, "robin@vm1.example.com").startswith("451 4.3.0")
    assert not c.spool.held


def test_nobody_elses_mail_is_asked_about():
    """What does not come from a peer costs no look at the memory of transactions."""
    c = meeting(access=(AccessRule("192.0.2.7", allow=True),), key="").greeted()
    c.spool.known_error = ZeroDivisionError()
    assert c.letter("robin@vm1.example.com")[-1] == "250 2.0.0"


def test_two_keys_two_peers():
    """Each key is its own peer's."""
    other = replace(NODE_B, id="l-c", name="node-c", domain="vm3.example.com", fingerprint="ef" * 32)
    c = proven(people=(*PEOPLE, other), key="ef" * 32)
    assert c.session._dialogue.origin.peer == "l-c"
    assert proven(people=(*PEOPLE, other), key=KEY).session._dialogue.origin.peer == "l-b"
