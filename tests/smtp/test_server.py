"""Transcripts: what a client says and what it hears."""

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.mail import smtp

from tests.fakes import CHRIS, ROBIN, HeldThreads
from tests.smtp.conversation import LETTER, Conversation, FakeSpool, codes
from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.interfaces.login import Place, SignInRefused
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.people.access import AccessRule
from unitymail.people.distribution_list import DistributionList
from unitymail.policy.access import REFUSED_ADDRESS
from unitymail.routing.steps import Deliver
from unitymail.settings.site import SiteSettings
from unitymail.smtp.session import FAREWELL_S
from unitymail.smtp.wire import ip_of

PLAIN = "AUTH PLAIN AHJvYmluAHNlY3JldA=="
WRONG = "AUTH PLAIN AHJvYmluAHdyb25n"
OPEN = SiteSettings(
    smtp_allow_untrusted=True, smtp_untrusted_require_auth=False, smtp_untrusted_tls="optional",
    smtp_auth_without_tls=True,
)
TLS = object()


def test_a_letter():
    """From the banner to the mailbox."""
    c = Conversation()
    assert c.heard() == "220 vm1.example.com ESMTP unitymail\r\n"
    assert c.say("EHLO client.example") == (
        "250-vm1.example.com\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-8BITMIME\r\n250-CHUNKING\r\n"
        "250-BINARYMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250-MT-PRIORITY MIXER\r\n"
        "250-ENHANCEDSTATUSCODES\r\n250 LIMITS MAILMAX=100 RCPTMAX=15000\r\n"
    )
    assert c.say("MAIL FROM:<robin@vm1.example.com> SIZE=100 BODY=8BITMIME") == "250 2.1.0 Sender accepted\r\n"
    assert c.say("RCPT TO:<chris@vm1.example.com>") == "250 2.1.5 Recipient accepted\r\n"
    assert codes(c.say("DATA")) == ["354"]
    said = c.send(LETTER + b".\r\n")
    [kept] = c.spool.committed
    assert said == f"250 2.0.0 Accepted; trace {kept.trace}\r\n"
    assert kept.octets == LETTER
    assert kept.envelope == Envelope(
        "robin@vm1.example.com", (Recipient("chris@vm1.example.com"),), body="8bitmime", declared_size=100
    )
    assert kept.decision.steps == (Deliver(CHRIS.id, "chris@vm1.example.com"),)
    assert b"with ESMTP id " + kept.trace.encode() in kept.head
    assert c.say("QUIT") == "221 2.0.0 Goodbye\r\n"
    assert c.wire.disconnecting


def test_it_is_still_twisteds_class():
    """Whoever asks finds Twisted's ESMTP."""
    assert isinstance(Conversation().session, smtp.ESMTP)


def test_the_journal_tells_the_story():
    """Connection, message and end are in the journal with what a postmaster needs."""
    c = Conversation().greeted()
    c.letter("chris@vm1.example.com")
    c.hang_up()
    assert [e.event for e in c.journal.events] == ["connected", "received", "decided", "transaction", "disconnected"]
    received = c.journal.named("received")[0]
    assert (received.client, received.size, received.recipients) == ("192.0.2.7", len(LETTER), 1)
    assert c.journal.events[0].args[2] == c.journal.events[-1].args[2]
    assert c.journal.named("decided")[0].args == (received.args[0], c.spool.committed[0].decision)


def test_the_journal_keeps_no_passwords():
    """Who sends name and password behind a refused AUTH LOGIN leaves no trace of them."""
    c = Conversation().greeted()
    assert c.codes("AUTH LOGIN", "cm9iaW4=", "c2VjcmV0", "secret") == ["538 5.7.11"] + ["500 5.5.1"] * 3
    assert [e.args[3] for e in c.journal.named("refused")] == ["AUTH", "?", "?", "?"]


def test_other_commands():
    """NOOP and VRFY work as RFC 5321 requires, HELP names the limits, EXPN tells nothing."""
    c = Conversation().greeted()
    assert c.codes("NOOP", "NOOP anything", "RSET", "VRFY robin", "EXPN all") == [
        "250 2.0.0", "250 2.0.0", "250 2.0.0", "252 2.0.0", "502 5.5.1",
    ]
    assert "10000 KiB" in c.say("HELP")
    assert c.codes("HELO client.example") == ["250"]


def test_order_of_commands():
    """EHLO before MAIL, MAIL before RCPT, a recipient before DATA, one sender."""
    c = Conversation()
    c.heard()
    assert c.codes("MAIL FROM:<>") == ["503 5.5.1"]
    assert c.codes("RCPT TO:<chris@vm1.example.com>", "EHLO a.example") == ["503 5.5.1", "250"]
    assert c.codes("RCPT TO:<chris@vm1.example.com>", "DATA") == ["503 5.5.1", "503 5.5.1"]
    assert c.codes("MAIL FROM:<>", "DATA", "MAIL FROM:<>") == ["250 2.1.0", "554 5.5.1", "503 5.5.1"]
    assert c.codes("RSET", "RCPT TO:<chris@vm1.example.com>") == ["250 2.0.0", "503 5.5.1"]


def test_ehlo_ends_a_transaction():
    """A second EHLO forgets the envelope."""
    c = Conversation().greeted()
    assert c.codes("MAIL FROM:<>", "EHLO a.example", "DATA") == ["250 2.1.0", "250", "503 5.5.1"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("FOO", "500 5.5.1"), ("", "500 5.5.2"), ("MAIL TO:<a@b.example>", "501 5.5.4"), ("EHLO", "501 5.5.4"),
        ("MAIL FROM:<a@b@c>", "553 5.1.7"), ("MAIL FROM:<a@b.example> X=1", "555 5.5.4"), ("DATA x", "501 5.5.4"),
        ("MAIL FROM:<é@b.example>", "553 5.6.7"), ("MAIL FROM:<a@b.example> SIZE=99999999", "552 5.3.4"),
        ("STARTTLS", "502 5.5.1"), (b"\xff\xfe", "500 5.5.2"), ("NOOP " + "x" * 3_000, "500 5.5.2"),
        ("NOOP " + "x" * 20_000, "500 5.5.2"), ("AUTH", "538 5.7.11"),
        ("VRFY", "501 5.5.4"),
    ],
)
def test_refusals(line, code):
    """Each mistake has its own code, and the session goes on."""
    c = Conversation().greeted()
    assert c.codes(line, "NOOP") == [code, "250 2.0.0"]


def test_recipients():
    """Unknown recipients are refused to strangers, <postmaster> and SMTPUTF8 addresses are not."""
    c = Conversation(site=OPEN, access=()).greeted()
    assert c.codes("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<nobody@vm1.example.com>", "RCPT TO:<Postmaster>",
                   "RCPT TO:<é@vm1.example.com>", "RCPT TO:<>", "RCPT TO:<chris@vm1.example.com> X=1",
                   "RCPT TO: <chris@vm1.example.com>") == [
        "250 2.1.0", "550 5.1.1", "250 2.1.5", "553 5.6.7", "553 5.1.3", "555 5.5.4", "250 2.1.5",
    ]


def test_protocol_words():
    """Received tells how the message came: HELO, EHLO, with TLS, signed in, SMTPUTF8."""
    for steps, word in (
        (("HELO a.example",), b"with SMTP id"),
        (("EHLO a.example",), b"with ESMTP id"),
        (("EHLO a.example", PLAIN), b"with ESMTPA id"),
        (("EHLO a.example", "STARTTLS", "EHLO a.example"), b"with ESMTPS id"),
        (("EHLO a.example", "STARTTLS", "EHLO a.example", PLAIN), b"with ESMTPSA id"),
    ):
        c = Conversation(site=OPEN, tls=TLS)
        for step in steps:
            c.say(step)
        c.letter("chris@vm1.example.com")
        assert word in c.spool.committed[0].head, word
    c = Conversation().greeted()
    c.say("MAIL FROM:<robin@vm1.example.com> SMTPUTF8", "RCPT TO:<chris@vm1.example.com>", "DATA")
    c.send(LETTER + b".\r\n")
    assert b"with UTF8SMTP id" in c.spool.committed[0].head


# Pipelining and order


def test_a_pipelined_burst_is_one_write():
    """RFC 2920: the replies of a group come in order and in one segment."""
    c = Conversation().greeted()
    c.wire.writes = 0
    said = c.codes("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>", "DATA")
    assert (said, c.wire.writes) == (["250 2.1.0", "250 2.1.5", "354"], 1)


def test_replies_wait_for_the_commit():
    """250 only once the message is durable; what is pipelined behind it waits, QUIT too."""
    c = Conversation().greeted()
    c.spool.hold = True
    c.say("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>", "DATA")
    assert c.send(LETTER + b".\r\nNOOP\r\nMAIL FROM:<>\r\nQUIT\r\n") == ""
    assert not c.wire.disconnecting
    c.wire.writes = 0
    c.spool.release()
    assert codes(c.heard()) == ["250 2.0.0", "250 2.0.0", "250 2.1.0", "221 2.0.0"]
    assert c.wire.disconnecting and c.wire.writes == 1


def test_nothing_is_read_while_an_answer_is_pending():
    """A client that goes on sending is held up after one read: memory is bounded."""
    c = Conversation().greeted()
    c.spool.hold = True
    c.say("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>", "DATA")
    c.send(LETTER + b".\r\n")
    assert c.wire.reading
    c.send(b"NOOP\r\n")
    assert not c.wire.reading
    c.spool.release()
    assert codes(c.heard()) == ["250 2.0.0", "250 2.0.0"]
    assert c.wire.reading


def test_messages_pipelined_behind_each_other():
    """Three whole messages in one segment: three verdicts in order, each its own."""
    c = Conversation().greeted()
    c.spool.hold = True
    group = b"MAIL FROM:<robin@vm1.example.com>\r\nRCPT TO:<chris@vm1.example.com>\r\nDATA\r\n" + LETTER + b".\r\n"
    assert codes(c.send(group * 3)) == ["250 2.1.0", "250 2.1.5", "354"]
    c.spool.release()
    assert codes(c.heard()) == ["250 2.0.0", "250 2.1.0", "250 2.1.5", "354"]
    c.spool.release(TryAgain(DISK_FULL))
    assert codes(c.heard()) == ["452 4.3.1", "250 2.1.0", "250 2.1.5", "354"]
    c.spool.release()
    assert codes(c.heard()) == ["250 2.0.0"]
    assert len(c.spool.committed) == 2


def test_a_client_that_does_not_read_is_not_served():
    """Replies do not pile up: while the transport is full no command is handled."""
    c = Conversation().greeted()
    c.session.pauseProducing()
    assert c.wire.reading, "a TLS handshake must go on"
    assert c.say("NOOP") == ""
    assert not c.wire.reading
    c.session.resumeProducing()
    assert codes(c.heard()) == ["250 2.0.0"]
    assert c.wire.reading


class TickingClock(Clock):
    """Every look at it takes a tenth of a millisecond."""

    def seconds(self):
        self.rightNow += 0.0001
        return self.rightNow


def test_a_long_burst_takes_several_turns():
    """15,000 pipelined recipients: others get their turn about every 5 ms, the order stays."""
    c = Conversation(clock=TickingClock(), site=SiteSettings(smtp_max_recipients=14_990)).greeted()
    burst = ["MAIL FROM:<robin@vm1.example.com>"] + ["RCPT TO:<chris@vm1.example.com>"] * 15_000 + ["NOOP"]
    c.wire.writes = 0
    said = c.say(*burst)
    assert len(said.splitlines()) < 100
    c.send(b"QUIT\r\n")
    assert not c.wire.reading
    while not c.wire.disconnecting:
        c.clock.advance(0)
    said += c.heard()
    assert codes(said) == ["250 2.1.0"] + ["250 2.1.5"] * 14_990 + ["452 4.5.3"] * 10 + ["250 2.0.0", "221 2.0.0"]
    assert c.wire.writes > 200


def test_octet_by_octet():
    """A slow client is understood."""
    c = Conversation().greeted()
    envelope = b"MAIL FROM:<robin@vm1.example.com>\r\nRCPT TO:<chris@vm1.example.com>\r\nDATA\r\n"
    wire = envelope + LETTER + b".\r\nQUIT\r\n"
    said = "".join(c.send(wire[i : i + 1]) for i in range(len(wire)))
    assert codes(said) == ["250 2.1.0", "250 2.1.5", "354", "250 2.0.0", "221 2.0.0"]
    assert c.spool.committed[0].octets == LETTER


# Signing in


def login_site(**more):
    return SiteSettings(smtp_allow_untrusted=True, smtp_untrusted_tls="optional", smtp_auth_without_tls=True, **more)


def test_submission_wants_a_sign_in():
    """On a submission door nobody sends without a password, trusted address or not."""
    c = Conversation(door="submission", site=login_site()).greeted()
    assert c.codes("MAIL FROM:<robin@vm1.example.com>") == ["530 5.7.0"]
    assert c.codes(PLAIN, "MAIL FROM:<robin@vm1.example.com>") == ["235 2.7.0", "250 2.1.0"]
    assert c.login.asked == [(b"robin", b"secret", Place("smtp", "submission", "192.0.2.7", False))]


@pytest.mark.parametrize(
    "exchange",
    [
        [(PLAIN, "235 2.7.0")],
        [("AUTH PLAIN", "334"), ("AHJvYmluAHNlY3JldA==", "235 2.7.0")],
        [("auth plain", "334"), ("cm9iaW4Acm9iaW4Ac2VjcmV0", "235 2.7.0")],
        [("AUTH LOGIN", "334"), ("cm9iaW4=", "334"), ("c2VjcmV0", "235 2.7.0")],
        [("AUTH LOGIN cm9iaW4=", "334"), ("c2VjcmV0", "235 2.7.0")],
        [("AUTH PLAIN", "334"), ("*", "501 5.7.0"), (PLAIN, "235 2.7.0")],
        [("AUTH LOGIN", "334"), ("cm9iaW4=", "334"), ("*", "501 5.7.0")],
        [("AUTH PLAIN", "334"), ("not base64!", "501 5.5.2"), ("NOOP", "250 2.0.0")],
        [("AUTH PLAIN cm9iaW4=", "501 5.5.2"), ("NOOP", "250 2.0.0")],
        [("AUTH PLAIN =", "501 5.5.2")],
        [("AUTH CRAM-MD5", "504 5.5.4")],
        [("AUTH", "501 5.5.4")],
        [("AUTH PLAIN", "334"), ("A" * 13_000, "500 5.5.6"), ("NOOP", "250 2.0.0")],
        [("AUTH PLAIN " + "A" * 8_000, "501 5.5.2"), ("NOOP", "250 2.0.0")],
        [(PLAIN, "235 2.7.0"), (PLAIN, "503 5.5.1")],
        [("MAIL FROM:<>", "530 5.7.0"), (WRONG, "535 5.7.8"), (PLAIN, "235 2.7.0")],
        [("AUTH PLAIN Y2hyaXMAcm9iaW4Ac2VjcmV0", "535 5.7.8")],
    ],
)
def test_sign_in(exchange):
    """Every way that clients sign in, cancel and fail."""
    c = Conversation(door="submission", site=login_site()).greeted()
    for line, code in exchange:
        assert c.codes(line) == [code], line


def test_sign_in_prompts():
    """Outlook wants exactly these."""
    c = Conversation(site=login_site()).greeted()
    assert c.say("AUTH LOGIN") == "334 VXNlcm5hbWU6\r\n"
    assert c.say("cm9iaW4=") == "334 UGFzc3dvcmQ6\r\n"


def test_auth_is_offered_where_it_may_be_used():
    """In the clear only from this machine, else under TLS; not twice."""
    c = Conversation(tls=TLS)
    assert "AUTH" not in c.say("EHLO a.example")
    assert c.codes(PLAIN) == ["538 5.7.11"]
    assert "250-AUTH PLAIN LOGIN" in Conversation(ip="127.0.0.1", access=(AccessRule("*", True),), tls=TLS).say(
        "EHLO a.example"
    ).replace("250 AUTH", "250-AUTH")
    c.say("STARTTLS")
    assert "AUTH PLAIN LOGIN" in c.say("EHLO a.example")
    c.say(PLAIN)
    assert "AUTH" not in c.say("EHLO a.example")


def test_no_sign_in_during_a_transaction():
    """RFC 4954 4."""
    c = Conversation(site=login_site()).greeted()
    assert c.codes("MAIL FROM:<>", PLAIN) == ["250 2.1.0", "503 5.5.1"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (SignInRefused("bad-credentials", "locked"), "535 5.7.8 Name or password is wrong"),
        (SignInRefused("expired", ""), "535 5.7.8 The password has expired; set a new one"),
        (SignInRefused("not-allowed", ""), "535 5.7.8 This account may not send mail here"),
        (SignInRefused("busy", ""), "454 4.7.0 Too many sign-ins at once; please try again soon"),
        (TryAgain(), "454 4.7.0 Something went wrong here; please try again later"),
        (KeyError("boom"), "451 4.3.0 Something went wrong here; please try again later"),
    ],
)
def test_refused_sign_ins(answer, said):
    """A client is told what it may know."""
    c = Conversation(site=login_site()).greeted()
    c.login.answer = answer
    assert c.say(PLAIN) == said + "\r\n"
    assert bool(c.journal.named("trouble")) == isinstance(answer, KeyError)


def test_three_failures_end_the_connection():
    """Guessing passwords is slow."""
    c = Conversation(site=login_site()).greeted()
    assert c.codes(WRONG) == ["535 5.7.8"]
    assert c.codes(WRONG) == ["535 5.7.8"]
    assert c.codes(WRONG, "NOOP") == ["535 5.7.8", "421 4.7.0"]
    assert c.wire.disconnecting


def test_commands_wait_for_the_password_check():
    """What is pipelined behind AUTH is judged after it."""
    c = Conversation(door="submission", site=login_site()).greeted()
    c.login.answer = Deferred()
    assert c.say(PLAIN, "MAIL FROM:<robin@vm1.example.com>") == ""
    c.login.answer.callback(ROBIN)
    assert codes(c.heard()) == ["235 2.7.0", "250 2.1.0"]


def test_a_signed_in_client_sends_as_itself():
    """Somebody else's address is refused at MAIL, and in the header after the dot: the client keeps its letter."""
    c = Conversation(door="submission", site=login_site()).signed_in()
    assert c.codes("MAIL FROM:<chris@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>", "DATA") == [
        "550 5.7.1", "503 5.5.1", "503 5.5.1",
    ]
    forged = LETTER.replace(b"From: robin", b"From: terry")
    assert c.letter("chris@vm1.example.com", octets=forged)[-1] == "550 5.7.1"
    assert not c.spool.committed and not c.spool.held


# TLS


def test_starttls_forgets_everything():
    """State, envelope and every octet sent before the handshake are void after it."""
    c = Conversation(tls=TLS, site=login_site()).greeted()
    c.say(PLAIN)
    said = c.send(b"MAIL FROM:<robin@vm1.example.com>\r\nSTARTTLS\r\nRCPT TO:<chris@vm1.example.com>\r\nNOOP\r\nQU")
    assert codes(said) == ["250 2.1.0", "220 2.0.0"]
    assert c.wire.tls is TLS
    assert c.codes("RCPT TO:<chris@vm1.example.com>") == ["503 5.5.1"]
    assert c.codes("MAIL FROM:<>") == ["503 5.5.1"]
    hello = c.say("EHLO a.example")
    assert "STARTTLS" not in hello and "AUTH" in hello
    assert c.codes("STARTTLS") == ["503 5.5.1"]


def test_no_starttls_on_implicit_tls():
    """Port 465 is TLS from the first octet."""
    c = Conversation(door="submissions", tls=TLS, implicit_tls=True)
    hello = c.say("EHLO a.example")
    assert "STARTTLS" not in hello and "AUTH PLAIN LOGIN" in hello
    assert c.codes("STARTTLS") == ["503 5.5.1"]


def test_tls_before_anything_where_it_is_required():
    """A stranger who must use TLS cannot send, nor sign in, without."""
    site = SiteSettings(smtp_allow_untrusted=True, smtp_untrusted_tls="required", smtp_auth_without_tls=True)
    c = Conversation(access=(), site=site, tls=TLS).greeted()
    assert c.codes("MAIL FROM:<>", PLAIN) == ["530 5.7.0", "538 5.7.11"]


# Limits


def test_refused_addresses():
    """An address that is not welcome gets 554 for a banner and nothing else."""
    c = Conversation(access=())
    assert c.heard() == REFUSED_ADDRESS.octets().decode()
    assert c.wire.disconnecting
    assert c.say("EHLO a.example") == ""
    assert [e.event for e in c.journal.events] == ["turned_away"]
    c.hang_up()
    assert c.connections() == 0


def test_connection_caps_are_shared_by_the_doors():
    """In total and per address, over all doors, and given back."""
    site = SiteSettings(smtp_max_connections=3, smtp_max_connections_per_address=2)
    one = Conversation(site=site)
    two = Conversation(site=site, ledger=one.ledger, door="submission")
    assert two.heard().startswith("220 ")
    two.connect()
    assert codes(two.heard()) == ["421 4.3.2"] and two.wire.disconnecting
    two.connect("192.0.2.8")
    assert two.heard().startswith("220 ")
    two.connect("192.0.2.9")
    assert codes(two.heard()) == ["421 4.3.2"]
    one.hang_up()
    two.connect("192.0.2.9")
    assert two.heard().startswith("220 ")


def test_messages_of_a_connection():
    """Past the limit the client is asked to connect again."""
    c = Conversation(site=SiteSettings(smtp_max_messages_per_connection=2)).greeted()
    assert c.letter("chris@vm1.example.com")[-1] == "250 2.0.0"
    assert c.letter("chris@vm1.example.com")[-1] == "250 2.0.0"
    assert c.codes("MAIL FROM:<>", "NOOP") == ["421 4.7.0"]
    assert c.wire.disconnecting


def test_ten_wrong_commands():
    """Who does not speak SMTP is sent away."""
    c = Conversation().greeted()
    assert c.codes(*["FOO"] * 12) == ["500 5.5.1"] * 10 + ["421 4.7.0"]
    assert c.wire.disconnecting


def test_a_refused_sender_does_not_make_the_rest_wrong():
    """A pipelined group of a thousand recipients behind a refused MAIL is answered to its end."""
    c = Conversation(door="submission", site=login_site()).signed_in()
    said = c.codes("MAIL FROM:<chris@vm1.example.com>", *["RCPT TO:<chris@vm1.example.com>"] * 1_000, "DATA", "NOOP")
    assert said == ["550 5.7.1"] + ["503 5.5.1"] * 1_001 + ["250 2.0.0"]


def test_starttls_forgets_a_refused_sender():
    """After the handshake a RCPT without MAIL is a mistake again."""
    c = Conversation(tls=TLS, site=login_site()).greeted()
    c.say(PLAIN)
    assert c.codes("MAIL FROM:<chris@vm1.example.com>", "STARTTLS") == ["550 5.7.1", "220 2.0.0"]
    assert c.codes(*["RCPT TO:<chris@vm1.example.com>"] * 10)[-1] == "421 4.7.0"


def test_idle_clients_are_told_and_closed():
    """After five minutes of silence, measured from the last octets."""
    c = Conversation().greeted()
    c.clock.advance(299)
    c.say("NOOP")
    for _ in range(299):
        c.clock.advance(1)
    assert c.heard() == ""
    c.clock.advance(1)
    assert codes(c.heard()) == ["421 4.4.2"] and c.wire.disconnecting
    c.clock.advance(30)
    assert c.wire.aborted


def test_idle_in_data():
    """A message that stops coming is given up after three minutes, and nothing stays."""
    c = Conversation().greeted()
    c.clock.advance(250)
    c.say("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>", "DATA")
    c.send(LETTER)
    for _ in range(179):
        c.clock.advance(1)
    assert c.heard() == ""
    c.clock.advance(1)
    assert codes(c.heard()) == ["421 4.4.2"]
    assert not c.spool.held


def test_a_slow_commit_is_not_idleness():
    """A client that waits for our answer is not timed out."""
    c = Conversation().greeted()
    c.spool.hold = True
    c.letter("chris@vm1.example.com")
    for _ in range(10):
        c.clock.advance(100)
    c.spool.release()
    assert codes(c.heard()) == ["250 2.0.0"]


def test_an_endless_line():
    """100 MB without a line end: one 500, then goodbye; memory is bounded."""
    c = Conversation().greeted()
    said = "".join(c.send(b"x" * 65_536) for _ in range(1_600))
    assert codes(said) == ["500 5.5.2", "421 4.5.2"]
    assert c.wire.disconnecting
    assert len(c.session._order.framer) <= 131_072


# Messages


def test_a_megabyte_line_is_stored_as_it_is():
    """Lines of a message may have any length."""
    c = Conversation().greeted()
    long = LETTER + b"x" * 1_000_000 + b"\r\n"
    assert c.letter("chris@vm1.example.com", octets=long)[-1] == "250 2.0.0"
    assert c.spool.committed[0].octets == long


def test_dots():
    """Transparency dots are removed, other dots kept."""
    c = Conversation().greeted()
    assert c.letter("chris@vm1.example.com", octets=LETTER + b"..\r\n...x\r\n.y\r\nz.\r\n")[-1] == "250 2.0.0"
    assert c.spool.committed[0].octets == LETTER + b".\r\n..x\r\ny\r\nz.\r\n"


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"bare \n line feed\r\n", "550 5.6.0"), (b"bare \r return\r\n", "550 5.6.0"), (b"a\0b\r\n", "554 5.6.0"),
        (b"x" * 2_000 + b"\r\n", "552 5.3.4"),
    ],
)
def test_refused_messages_leave_nothing(octets, code):
    """Malformed or too large: refused after the dot, nothing kept, the session goes on."""
    c = Conversation(site=SiteSettings(smtp_max_message_kib=1)).greeted()
    c.say("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>", "DATA")
    c.send(LETTER + octets)
    assert not c.spool.held
    assert c.codes("more", ".") == [code]
    assert c.codes("NOOP") == ["250 2.0.0"]
    assert c.journal.named("refused")[-1].args[3] == "DATA"
    assert c.letter("chris@vm1.example.com")[-1] == "250 2.0.0"


def test_legacy_senders_are_forgiven():
    """An old sender's bare line ends become CRLF, and the journal says so; NUL stays refused."""
    c = Conversation(access=(AccessRule("192.0.2.7", allow=True, legacy=True),)).greeted()
    assert c.letter("chris@vm1.example.com", octets=LETTER + b"a\nb\rc\r\n.d\n.e\r\n")[-1] == "250 2.0.0"
    assert c.spool.committed[0].octets == LETTER + b"a\r\nb\r\nc\r\nd\r\n.e\r\n"
    assert c.journal.named("mended")[0].args == (c.spool.committed[0].trace,)
    assert c.letter("chris@vm1.example.com", octets=LETTER + b"\0\r\n")[-1] == "554 5.6.0"


def test_trouble_has_its_own_reply():
    """A full disk, at whatever moment, is a clear temporary reply and leaves nothing."""
    for when in ("receive_error", "write_error", "commit_error"):
        c = Conversation().greeted()
        setattr(c.spool, when, TryAgain(DISK_FULL))
        assert c.letter("chris@vm1.example.com")[-1] == "452 4.3.1", when
        assert not c.spool.held and not c.spool.committed
        setattr(c.spool, when, None)
        assert c.codes("RSET") == ["250 2.0.0"]
        assert c.letter("chris@vm1.example.com")[-1] == "250 2.0.0"


def test_surprises_are_451():
    """What nobody expected goes to the journal with its traceback; the client hears 451 and the session goes on."""
    for when in ("receive_error", "write_error", "commit_error"):
        c = Conversation().greeted()
        setattr(c.spool, when, ZeroDivisionError("boom"))
        assert c.letter("chris@vm1.example.com")[-1] == "451 4.3.0", when
        assert isinstance(c.journal.named("trouble")[0].args[1], ZeroDivisionError)
        assert not c.spool.held
        setattr(c.spool, when, None)
        c.say("RSET")
        assert c.letter("chris@vm1.example.com")[-1] == "250 2.0.0"


def test_a_surprise_in_deciding_is_451():
    """So does an error while a message is judged: it is not lost silently, nor half kept."""
    c = Conversation().greeted()
    c.book.entry = c.book.user = c.book.find = None
    assert "451 4.3.0" in c.letter("chris@vm1.example.com")
    assert not c.spool.held


def test_trouble_while_deciding():
    """A message that cannot be read back is answered with the spool's own words, and forgotten."""
    c = Conversation(threads=FailingThreads(), spool=FakeSpool(memory_limit=0)).greeted()
    assert c.letter("chris@vm1.example.com")[-1] == "452 4.3.1"
    assert not c.spool.held and c.journal.named("trouble")


def test_a_connection_lost_midway():
    """Half a message is forgotten."""
    c = Conversation().greeted()
    c.say("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>", "DATA")
    c.send(LETTER)
    [incoming] = c.spool.held
    c.hang_up()
    assert incoming.abandoned == 1 and not c.spool.held
    assert c.connections() == 0 and not c.door.sessions


def test_a_connection_lost_after_the_dot():
    """A whole message is kept, whether or not the client waits for the answer (RFC 1047)."""
    c = Conversation().greeted()
    c.spool.hold = True
    c.letter("chris@vm1.example.com")
    c.hang_up()
    c.spool.release()
    assert len(c.spool.committed) == 1


class FailingThreads:
    def run(self, function, *args, **kwargs):
        return fail(TryAgain(DISK_FULL))


TEAM = DistributionList("l-team", "team", "team@vm1.example.com", "Team", members=("u-chris",))
HEAVY = {
    "on disk": (LETTER, ["chris@vm1.example.com"]),
    "long": (LETTER + b"Hi.\r\n" * 8_000, ["chris@vm1.example.com"]),
    "long header": (b"To: " + b"a," * 3_000 + b"\r\n" + LETTER, ["chris@vm1.example.com"]),
    "many recipients": (LETTER, ["chris@vm1.example.com"] * 101),
    "a list": (LETTER, ["team@vm1.example.com"]),
}


@pytest.mark.parametrize("what", HEAVY)
def test_heavy_messages_are_judged_in_a_thread(what):
    """What may take long to read or to decide does not hold up the reactor."""
    octets, recipients = HEAVY[what]
    threads = HeldThreads()
    c = Conversation(threads=threads, spool=FakeSpool(memory_limit=0) if what == "on disk" else None)
    c.book.by_key["team@vm1.example.com"] = TEAM
    assert c.greeted().letter(*recipients, octets=octets)[-1] == "354"
    assert len(threads.waiting) == 1
    threads.step()
    assert codes(c.heard()) == ["250 2.0.0"]


def test_small_messages_need_no_thread():
    """The usual message is judged at once."""
    c = Conversation(threads=HeldThreads()).greeted()
    assert c.letter("chris@vm1.example.com")[-1] == "250 2.0.0"


# The end


def test_draining():
    """A node that stops lets messages in flight finish and tells everybody else."""
    c = Conversation().greeted()
    idle = (c.session, c.wire)
    c.connect().greeted()
    c.spool.hold = True
    c.letter("chris@vm1.example.com")
    gone = c.door.drain()
    assert codes(idle[1].value().decode()) == ["421 4.3.2"] and idle[1].disconnecting
    assert c.heard() == "" and not gone.called
    c.spool.release()
    assert codes(c.heard()) == ["250 2.0.0", "421 4.3.2"] and c.wire.disconnecting
    c.hang_up()
    c.session = idle[0]
    c.hang_up()
    assert gone.called
    c.connect()
    assert codes(c.heard()) == ["421 4.3.2"]


def test_draining_a_message_that_is_coming_in():
    """A message half received is taken to its end."""
    c = Conversation().greeted()
    c.say("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>", "DATA")
    c.send(LETTER)
    c.door.drain()
    assert codes(c.send(b".\r\nMAIL FROM:<>\r\n")) == ["250 2.0.0", "421 4.3.2"]
    assert len(c.spool.committed) == 1


def test_draining_does_not_wait_for_who_was_told_all():
    """Under TLS a client that sleeps never closes its end: 421 is its last word, and some seconds later it is cut."""
    c = Conversation().greeted()
    c.door.drain(patience_s=20)
    assert codes(c.heard()) == ["421 4.3.2"]
    c.clock.advance(FAREWELL_S)
    assert c.wire.aborted


@pytest.mark.parametrize("how", [{"door": "submissions", "implicit_tls": True}, {}], ids=["implicit", "STARTTLS"])
def test_draining_does_not_wait_for_handshakes(how):
    """Whoever connects to a TLS port and says nothing holds up no restart; after its handshake a client hears 421."""
    for done in (False, True):
        c = Conversation(tls=object(), **how)
        if not how:
            c.greeted().say("STARTTLS")
        if done:
            c.say("EHLO a.example")
        c.heard()
        c.door.drain()
        assert c.wire.aborted is not done
        assert codes(c.heard()) == (["421 4.3.2"] if done else [])


def test_draining_has_an_end():
    """A client that stalls does not keep the node from stopping."""
    c = Conversation().greeted()
    c.say("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>", "DATA")
    gone = c.door.drain(patience_s=20)
    c.clock.advance(20)
    assert c.wire.aborted
    c.hang_up()
    assert gone.called and not c.spool.held


def test_the_site_of_the_connection():
    """A change of the rules holds from the next connection on."""
    c = Conversation().greeted()
    c.book.site = SiteSettings(smtp_max_message_kib=1)
    assert c.codes("MAIL FROM:<> SIZE=2000", "QUIT") == ["250 2.1.0", "221 2.0.0"]
    assert c.connect().greeted().codes("MAIL FROM:<> SIZE=2000") == ["552 5.3.4"]


def test_other_kinds_of_addresses():
    """A client on a UNIX socket is on this machine; an IPv4 address mapped into IPv6 is IPv4."""
    assert ip_of(object()) == "127.0.0.1"
    assert Conversation(ip="::ffff:192.0.2.7").heard().startswith("220 ")
