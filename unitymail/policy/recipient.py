"""Whether RCPT is accepted. Knows who may be told at once and who gets a report later.

Refuses to know what happens to the message: that is planned when it is whole.
"""

from __future__ import annotations

from unitymail.interfaces.book import IBook
from unitymail.interfaces.quota import IUsage
from unitymail.mail.envelope import NULL_SENDER
from unitymail.mail.message import Category
from unitymail.mail.reply import printable
from unitymail.people.user import Action, User
from unitymail.policy.limits import may_receive
from unitymail.policy.sender import vpim_sender
from unitymail.policy.verdict import ACCEPT, Reject, Verdict, reject
from unitymail.routing.decision import Origin
from unitymail.routing.resolve import Found, is_postmaster, resolve, resolve_returned

_KEPT = (Action.ACCEPT, Action.ACCEPT_AND_RELAY)
FULL = reject(452, "4.2.2", "The mailbox is full; please try again later")


def judge_recipient(
    address: str, origin: Origin, book: IBook, usage: IUsage, sender: str | None = None
) -> Verdict:
    """One forward-path. `sender` is the reverse-path ("" for null): receipts pass full mailboxes, VPIM peers dial.

    A client we know gets its unknown recipients reported after the message, so that one bad address does not hold up
    the rest; a stranger is told at once (no backscatter) and never reaches the smart host (no open relay).
    """
    if is_postmaster(address, book):
        return ACCEPT
    if origin.user or origin.trust in ("peer", "internal"):
        return ACCEPT
    found = _found(address, sender, book)
    if origin.trust == "stranger" and not _is_here(found):
        return _not_here(address, book)
    return FULL if sender != NULL_SENDER and _is_full(found, usage) else ACCEPT


def _is_full(found: Found, usage: IUsage) -> bool:
    """Whether there is no room in the mailbox; a user who keeps nothing, whatever it is, needs none."""
    user = found.entry
    if found.kind != "user" or not isinstance(user, User) or may_receive(user, usage):
        return False
    return any(user.actions.of(category) in _KEPT for category in Category if category is not Category.RECEIPT)


def _found(address: str, sender: str | None, book: IBook) -> Found:
    if sender is None:
        return resolve(address, book)
    if sender != NULL_SENDER:
        return resolve(address, book, vpim_sender(sender, book))
    # A caller without a mailbox, or a report: which location it comes from shows in the header only.
    return resolve_returned(address, book)


def _is_here(found: Found) -> bool:
    """A local or remote user, a contact or a list; a blind VPIM address is nobody yet."""
    return found.kind != "unknown" and found.entry is not None


def _not_here(address: str, book: IBook) -> Reject:
    shown = printable(address[:200])
    if book.site.recipient_not_found == "smart-host":
        return reject(550, "5.7.1", f"Relaying to {shown} is not allowed", address)
    return reject(550, "5.1.1", f"{shown} is unknown here", address)
