"""What would become of a message: the doors' own questions and the decision itself, asked without keeping anything.

Knows the order in which a door asks (banner, MAIL, RCPT, the octets, the decision). Refuses to know how answers look
(`explained`) and which rules there are: those are policy's and routing's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from unitymail.interfaces.book import IBook
from unitymail.interfaces.quota import IUsage
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Message
from unitymail.mail.part import Octets, walk
from unitymail.mail.reply import Reply
from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.mail.structure import scan
from unitymail.people.user import User
from unitymail.policy.access import REFUSED_ADDRESS
from unitymail.policy.limits import judge_recipients, judge_size
from unitymail.policy.recipient import judge_recipient
from unitymail.policy.sender import judge_envelope_sender
from unitymail.policy.tls import judge_mail
from unitymail.policy.verdict import Reject, Verdict
from unitymail.routing import categorise
from unitymail.routing.decide import decide
from unitymail.routing.decision import Decision, Origin, SenderFinding, Trust
from unitymail.settings.site import SiteSettings

BARE = Reply(550, "5.6.0", "The message holds a carriage return or line feed that is not part of a line end")
NUL = Reply(554, "5.6.0", "The message holds a NUL octet")
NO_RECIPIENTS = Reply(554, "5.5.1", "No valid recipients: each of them was refused")
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class Question:
    """A message as a client would hand it in. `host` is this node's name."""

    octets: Octets
    envelope: Envelope
    origin: Origin
    host: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`turned_away` are recipients refused at RCPT, with the reply; the decision is about the others."""

    question: Question
    decision: Decision
    turned_away: tuple[tuple[str, Reply], ...] = ()


def assumed_origin(sender: str, book: IBook) -> Origin:
    """Who hands a message in when nobody says: a user of this node at submission, else a trusted phone system."""
    owner = book.find(sender)
    return signed_in(owner) if isinstance(owner, User) and not owner.home else of_trust("trusted")


def signed_in(user: User) -> Origin:
    """A mail program of this user."""
    return Origin("submission", "192.0.2.1", "client.invalid", user.id, "authenticated", "TLSv1.3")


def of_trust(trust: Trust, *, peer: str = "") -> Origin:
    """A client that did not sign in: trusted, stranger, smart-host, or the peer of this id."""
    return Origin("mta", "192.0.2.1", "client.invalid", trust=trust, tls="TLSv1.3", peer=peer)


def ask(question: Question, book: IBook, usage: IUsage) -> Answer:
    """What this node would do, with the directory and the mailboxes as they are."""
    site, envelope, origin = book.site, question.envelope, question.origin
    message = categorise.read(
        question.octets, parse_secure_headers(site.secure_headers), secure_confidential=site.secure_confidential,
        host=question.host,
    )
    if refusal := _refusal_of_client(origin, site):
        return Answer(question, _refused(refusal, message, envelope.sender))
    if refusal := _reply(judge_envelope_sender(envelope.sender, origin, book, usage)):
        return Answer(question, _refused(refusal, message, envelope.sender))
    accepted, turned_away = _recipients(envelope, origin, book, usage)
    if refusal := _refusal_of_octets(question, accepted, book):
        return Answer(question, _refused(refusal, message, envelope.sender), turned_away)
    decision = decide(message, replace(envelope, recipients=accepted), origin, book, usage)
    return Answer(question, decision, turned_away)


def _refusal_of_client(origin: Origin, site: SiteSettings) -> Reply | None:
    """A stranger is one whom no access rule names."""
    if origin.trust == "stranger" and not site.smtp_allow_untrusted:
        return REFUSED_ADDRESS
    return _reply(judge_mail(origin.door, origin.trust, bool(origin.tls), bool(origin.user), site))


def _recipients(
    envelope: Envelope, origin: Origin, book: IBook, usage: IUsage
) -> tuple[tuple[Recipient, ...], tuple[tuple[str, Reply], ...]]:
    """(accepted, refused with their replies), as RCPT would have it."""
    accepted: list[Recipient] = []
    turned_away: list[tuple[str, Reply]] = []
    for recipient in envelope.recipients:
        address = recipient.address
        refusal = _reply(judge_recipients(len(accepted), book.site)) or _reply(
            judge_recipient(address, origin, book, usage, sender=envelope.sender)
        )
        if refusal is None:
            accepted.append(recipient)
        else:
            turned_away.append((address, refusal))
    return tuple(accepted), tuple(turned_away)


def _refusal_of_octets(question: Question, accepted: tuple[Recipient, ...], book: IBook) -> Reply | None:
    if not accepted:
        return NO_RECIPIENTS
    if refusal := _reply(judge_size(len(question.octets), book.site)):
        return refusal
    if any(part.encoding == "binary" for part in walk(scan(question.octets).root)):
        return None
    if question.octets.find(b"\0") >= 0:
        return NUL
    bare = _BARE.search(question.octets)
    return BARE if bare is not None and not question.origin.legacy else None


def _refused(refusal: Reply, message: Message, sender: str) -> Decision:
    finding = SenderFinding(sender, "unknown", verdict="reject")
    return Decision(message, finding, (), (), message.secure, refusal)


def _reply(verdict: Verdict) -> Reply | None:
    return verdict.reply if isinstance(verdict, Reject) else None
