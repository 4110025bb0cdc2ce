"""Stages for transcripts: who the client is, what the door lets it do, and what may happen meanwhile."""

from dataclasses import replace

from twisted.internet.defer import fail

from tests.fakes import CHRIS, ROBIN, TERRY
from tests.smtp.conversation import Conversation
from tests.smtp.peers import meeting, proven
from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.interfaces.login import SignInRefused
from unitymail.ledger.local import LocalLedger
from unitymail.people.access import AccessRule
from unitymail.people.user import Quota
from unitymail.settings.site import SiteSettings

OPEN = SiteSettings(
    smtp_allow_untrusted=True, smtp_untrusted_require_auth=False, smtp_untrusted_tls="optional",
    smtp_auth_without_tls=True,
)
STRICT = SiteSettings(smtp_allow_untrusted=True, smtp_untrusted_tls="required", smtp_auth_without_tls=True)
CHAPTER = SiteSettings(smtp_allow_untrusted=True, smtp_untrusted_require_auth=True, smtp_untrusted_tls="optional")
TLS = object()
PLAIN = "AUTH PLAIN AHJvYmluAHNlY3JldA=="


def arriving(**options):
    """Somebody at a trusted address, who waits for the banner."""
    return Conversation(**options)


def trusted(**options):
    """The same, greeted."""
    return Conversation(**options).greeted()


def limited(**limits):
    """The same, where these site settings hold."""
    return lambda: trusted(site=replace(SiteSettings(), **limits))


def stranger(**options):
    """Somebody whom the access list does not name, at a door open to all."""
    return Conversation(site=options.pop("site", OPEN), access=(), **options).greeted()


def person(**options):
    """Somebody at the submission door, who may sign in in the clear."""
    return Conversation(door="submission", site=OPEN, **options).greeted()


def robin(**options):
    """Robin, signed in there."""
    return Conversation(door="submission", site=OPEN, **options).signed_in()


def under_tls(**options):
    """Somebody at a trusted address who has begun TLS."""
    c = Conversation(tls=TLS, **options).greeted()
    c.say("STARTTLS")
    c.say("EHLO client.example")
    return c


def enveloped(*more, stage=trusted, sender="MAIL FROM:<robin@vm1.example.com>"):
    """Somebody whose envelope for Chris is taken."""

    def set_up():
        c = stage()
        c.say(sender, "RCPT TO:<chris@vm1.example.com>", *more)
        return c

    return set_up


def legacy():
    return trusted(access=(AccessRule("192.0.2.7", allow=True, legacy=True),))


def full_mailboxes(door=stranger):
    """Robin and Chris are over their quotas."""
    full = Quota(warning=1, send=1, receive=1)
    c = door(people=(replace(ROBIN, quota=full), replace(CHRIS, quota=full), TERRY))
    c.usage.update({ROBIN.id: 9, CHRIS.id: 9})
    return c


def banned():
    return Conversation(access=())


def in_a_crowd():
    """The door has as many waiting outside as it bears."""
    c = Conversation(connect=False)
    c.door.outside = 5_000
    return c.arrive()


class DeafLedger(LocalLedger):
    """Cannot be reached."""

    def take(self, counts, note=""):
        return fail(TryAgain())


def uncounted():
    return Conversation(ledger=DeafLedger())


def unwelcome_but_at_a_peers_host():
    c = meeting(key="", access=())
    c.heard()
    return c


def peer():
    return proven()


def peer_that_sent_before():
    c = proven()
    c.spool.known["l-b/n1.t1"] = {"chris@vm1.example.com"}
    return c


# What happens besides


def after(seconds):
    """The client is silent for so long."""

    def wait(c):
        for _ in range(seconds):
            c.clock.advance(1)

    return wait


def disk_full(when):
    return lambda c: setattr(c.spool, when, TryAgain(DISK_FULL))


def surprise(when):
    return lambda c: setattr(c.spool, when, ZeroDivisionError("boom"))


def sign_ins(kind):
    return lambda c: setattr(c.login, "answer", SignInRefused(kind, "why"))


def shut_down(c):
    c.door.drain()


def gone(c):
    """Robin is deleted."""
    c.book.by_id.pop(ROBIN.id)


def password_changed(c):
    """Robin's, by somebody else."""
    c.book.usn += 1
    c.book.passwords[ROBIN.id] = c.book.usn


def no_peer_any_more(c):
    c.book.peer_with = lambda key: None
