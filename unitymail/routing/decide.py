"""The decision about one message: is it refused, is it bad mail, and if neither, what happens for each recipient.

Pure, so it may run in a thread: the same message, envelope, origin and book always give the same decision. This is the
one way in for the doors, the courier's own reports and `unitymail explain`.

Note *Rules of the moment*. What becomes of a message follows the directory and the site's rules as they are when it is
whole (`book.site`), not the snapshot that a door's session began with: that one holds what the client was told, which
is limits, TLS and sign-in.
"""

from __future__ import annotations

from dataclasses import replace

from unitymail.interfaces.book import IBook
from unitymail.interfaces.quota import IUsage
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Category, Message
from unitymail.mail.reply import Reply
from unitymail.mail.trace import looping
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.location import Location
from unitymail.people.scope import SearchScope
from unitymail.policy.limits import SEND_QUOTA, may_send
from unitymail.policy.secure import is_secure
from unitymail.policy.sender import find_sender
from unitymail.policy.verdict import Reject
from unitymail.routing.decision import Decision, Origin, RecipientDecision, SenderFinding
from unitymail.routing.plan import plan
from unitymail.routing.resolve import Found, resolve
from unitymail.routing.situation import Situation
from unitymail.routing.steps import BadMail, LearnContact, Report, Step

LOOP = Reply(554, "5.4.6", "The message is going in circles: it has passed too many servers, or this one too often")
FORWARDS_PRIVATE = Reply(550, "5.7.1", "The message forwards a private one, which its sender did not allow")


def decide(message: Message, envelope: Envelope, origin: Origin, book: IBook, usage: IUsage) -> Decision:
    """What is to happen to the message. A `refusal` means that the door must refuse it and nothing else happens."""
    message = _as_told(message, origin)
    finding = find_sender(message, envelope, origin, book)
    if isinstance(finding, Reject):
        return Decision(message, _failed(finding, message, envelope), (), (), message.secure, finding.reply)
    refusal = _refusal(message, finding, origin, book, usage)
    if refusal is not None:
        return Decision(message, finding, (), (), message.secure, refusal)
    secure = message.secure if _is_decided(message, origin) else is_secure(message, _class_of_sender(finding, book))
    if finding.verdict == "bad-mail":
        return _bad_mail(message, finding, envelope, secure, book)
    scope = _scope_of_sender(finding, origin, book)
    situation = Situation(message, origin, finding, secure, book, usage, book.site, scope)
    recipients, steps = plan(envelope, situation)
    return Decision(message, finding, recipients, _with_lesson(steps, situation), secure)


def _is_decided(message: Message, origin: Origin) -> bool:
    """Whether a class of service has nothing to add: a peer has asked it already, and receipts we write are our own."""
    return origin.told is not None or (origin.trust == "internal" and _is_report(message))


def _as_told(message: Message, origin: Origin) -> Message:
    """What was decided where the message came into this site is not decided again."""
    told = origin.told
    if told is None:
        return message
    return replace(message, category=told.category, sensitivity=told.sensitivity, secure=told.secure)


def _with_lesson(steps: tuple[Step, ...], situation: Situation) -> tuple[Step, ...]:
    """What a message from a VPIM location may teach about its sender, before the report, which comes last."""
    location = situation.book.location(situation.sender.matched) if situation.sender.kind == "vpim" else None
    if location is None or location.home or not _teaches(situation.message, location):
        return steps
    lesson = (LearnContact(location.id),)
    if steps and isinstance(steps[-1], Report):
        return (*steps[:-1], *lesson, steps[-1])
    return steps + lesson


def _teaches(message: Message, location: Location) -> bool:
    """Its voice messages make and change contacts; a returned message may be the end of one (UC, Contact Creation)."""
    if message.category is Category.RECEIPT:
        return location.delete_contacts
    return message.vpim and (location.create_contacts or location.modify_contacts != "never")


def _failed(rejection: Reject, message: Message, envelope: Envelope) -> SenderFinding:
    shown = rejection.address or (message.header_from[0] if message.header_from else envelope.sender)
    return SenderFinding(shown, "unknown", verdict="reject")


def _refusal(
    message: Message, sender: SenderFinding, origin: Origin, book: IBook, usage: IUsage
) -> Reply | None:
    """Why the whole message is refused after the final dot: loop, a private message forwarded, Send quota."""
    if looping(message):
        return LOOP
    if sender.kind != "user" or origin.trust in ("peer", "internal", "smart-host") or _is_report(message):
        return None
    if message.encloses_private:
        return FORWARDS_PRIVATE
    user = book.user(sender.matched)
    return None if user is None or may_send(user, usage) else SEND_QUOTA.reply


def _is_report(message: Message) -> bool:
    return message.category is Category.RECEIPT


def _class_of_sender(sender: SenderFinding, book: IBook) -> ClassOfService | None:
    user = book.user(sender.matched) if sender.kind == "user" else None
    return book.class_of_service(user.cos) if user is not None else None


NOBODY = SearchScope("", "a scope that is gone")
"""The scope of who has one that no longer exists: it reaches nothing, rather than everything."""


def _scope_of_sender(sender: SenderFinding, origin: Origin, book: IBook) -> SearchScope | None:
    """The matched user's or VPIM location's; None for outside senders, and for peers, who asked before they sent."""
    if origin.trust in ("peer", "internal"):
        return None
    if sender.kind == "user":
        user = book.user(sender.matched)
        id = user.scope if user is not None else ""
    else:
        location = book.location(sender.matched) if sender.kind == "vpim" else None
        id = location.scope if location is not None else ""
    return (book.scope(id) or NOBODY) if id else None


def _bad_mail(message: Message, finding: SenderFinding, envelope: Envelope, secure: bool, book: IBook) -> Decision:
    """Mail of a sender nobody knows: kept for an administrator, whoever it is for; nobody is told (no backscatter)."""
    reason = f"the sender {finding.address or '(none given)'} is neither a user here nor at a VPIM location"
    step = BadMail(reason)
    recipients = tuple(_kept(recipient, step, resolve(recipient.address, book)) for recipient in envelope.recipients)
    return Decision(message, finding, recipients, (step,), secure)


def _kept(recipient: Recipient, step: BadMail, found: Found) -> RecipientDecision:
    kind = "unknown" if found.kind == "postmaster" else found.kind
    matched = found.entry.id if found.entry is not None else ""
    return RecipientDecision(recipient.address, kind, matched, (step,), f"kept as bad mail: {step.reason}")
