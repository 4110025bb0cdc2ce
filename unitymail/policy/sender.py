"""Whose message is it, and may they send it? Knows primary and proxy addresses, delegates, VPIM domains and trust.

Refuses to know recipients. Unity Connection's rule: a client that signed in uses its own addresses or is refused;
one that did not is taken for the user whose address the header From shows, and nobody's mail is bad mail. What a peer
says of the sender was found out where the message came in, and is believed; its header is not asked again.
"""

from __future__ import annotations

from unitymail.interfaces.book import IBook
from unitymail.interfaces.quota import IUsage
from unitymail.mail.address import key_of, split
from unitymail.mail.envelope import NULL_SENDER, Envelope
from unitymail.mail.message import Category, Message
from unitymail.mail.reply import printable
from unitymail.people.location import Location
from unitymail.people.rights import may_send_as
from unitymail.people.user import User
from unitymail.policy.limits import SEND_QUOTA, may_send
from unitymail.policy.verdict import ACCEPT, Reject, Verdict, reject
from unitymail.routing.decision import FromPeer, Origin, SenderFinding
from unitymail.routing.resolve import NO_REPLY_MAILBOX

GONE = reject(550, "5.7.1", "The account you signed in with is no longer there")
TOO_LONG_TO_TELL = reject(550, "5.7.1", "The header, or its From or Sender, is too long to tell whose message it is")


def judge_envelope_sender(address: str, origin: Origin, book: IBook, usage: IUsage | None = None) -> Verdict:
    """At MAIL FROM: who signed in uses an own or delegated address, and (with `usage`) is below the Send quota.

    The null sender is always allowed here: receipts must get out, even of a full mailbox.
    """
    if not origin.user:
        return ACCEPT
    user = book.user(origin.user)
    if user is None:
        return GONE
    if address == NULL_SENDER:
        return ACCEPT
    if owner_for(user, address, book) is None:
        return not_yours(address)
    return ACCEPT if usage is None or may_send(user, usage) else SEND_QUOTA


def owner_for(user: User, address: str, book: IBook) -> User | None:
    """The user whose address it is, when `user` may send as that one."""
    owner = book.find(address)
    return owner if isinstance(owner, User) and may_send_as(user, owner) else None


def not_yours(address: str) -> Reject:
    shown = printable(address[:200]) or "An empty address"
    return reject(550, "5.7.1", f"{shown} is neither an address of yours nor of one who made you a delegate", address)


def find_sender(message: Message, envelope: Envelope, origin: Origin, book: IBook) -> SenderFinding | Reject:
    """After the final dot: the sender as the header shows it, or the refusal that names the address that failed."""
    if origin.user:
        return _signed_in(message, envelope, origin, book)
    if origin.told is not None and origin.trust == "peer":
        return _as_told(origin.told, message, envelope, book)
    return _from_header(message, envelope, origin, book)


def _signed_in(message: Message, envelope: Envelope, origin: Origin, book: IBook) -> SenderFinding | Reject:
    user = book.user(origin.user)
    if user is None:
        return GONE
    if message.authors_cut:
        return TOO_LONG_TO_TELL
    shown = message.header_from[0] if message.header_from else envelope.sender or user.address
    claimed = (*message.header_from, *message.header_sender)
    for address in claimed if envelope.sender == NULL_SENDER else (envelope.sender, *claimed):
        if owner_for(user, address, book) is None:
            return not_yours(address)
    owner = owner_for(user, shown, book) or user
    return SenderFinding(shown, "user", owner.id)


def _as_told(told: FromPeer, message: Message, envelope: Envelope, book: IBook) -> SenderFinding:
    """The object of this node that the peer's sender is, where it is in our directory too; else somebody there.

    Mail of nobody known would be bad mail, but that was for the other node to say, and it handed the message on; whom
    it comes from is not known for that, so nobody is told what becomes of it.
    """
    shown = told.sender or (message.header_from[0] if message.header_from else envelope.sender)
    if told.kind == "user":
        owner = book.find(told.sender)
        return SenderFinding(shown, "user", owner.id) if isinstance(owner, User) else SenderFinding(shown, "peer")
    if told.kind == "vpim":
        location = vpim_sender(told.sender, book, report=True)
        return SenderFinding(shown, "peer") if location is None else SenderFinding(shown, "vpim", location.id)
    return SenderFinding(shown, told.kind)


def _from_header(message: Message, envelope: Envelope, origin: Origin, book: IBook) -> SenderFinding:
    """Users first, then VPIM locations, among all addresses of From (the envelope sender when there is none)."""
    candidates = message.header_from or ((envelope.sender,) if envelope.sender else ())
    for address in candidates:
        owner = book.find(address)
        if isinstance(owner, User):
            return SenderFinding(address, "user", owner.id)
    report = envelope.sender == NULL_SENDER and message.category is Category.RECEIPT
    for address in candidates:
        location = vpim_sender(address, book, report=report)
        if location is not None:
            return SenderFinding(address, "vpim", location.id)
    return _nobody_here(candidates[0] if candidates else "", message, envelope, origin, book)


def vpim_sender(address: str, book: IBook, *, report: bool = False) -> Location | None:
    """The VPIM location that may send from this address: its domain, and its prefix where it has one.

    A `report` comes from the machine, as its postmaster, not from a mailbox that has a number.
    """
    local, domain = split(address)
    location = book.vpim_location_of(domain, local) if domain else None
    if location is None or not location.remote_prefix or report:
        return location
    fits = local.startswith(location.remote_prefix) or key_of(local) == NO_REPLY_MAILBOX
    return location if fits else None


def _nobody_here(
    address: str, message: Message, envelope: Envelope, origin: Origin, book: IBook
) -> SenderFinding:
    if origin.trust == "peer":
        return SenderFinding(address, "peer")
    null = envelope.sender == NULL_SENDER
    if origin.trust == "internal" and (null or origin.door == "internal"):
        return SenderFinding(address, "null" if null else "outside")
    known = origin.trust in ("trusted", "smart-host")
    if null and known and message.category is Category.RECEIPT:
        return SenderFinding(address, "null")
    rule = book.site.unknown_sender
    if rule == "accept" or (rule == "accept-from-trusted" and known):
        return SenderFinding(address, "null" if null else "outside")
    # An administrator's word brings it past this, but does not make its sender somebody who may be told of it.
    return SenderFinding(address, "unknown", verdict="accept" if origin.door == "bad-mail" else "bad-mail")
