"""The Subject of a message that came without one: the site's formats, filled with who sent it to whom.

Knows Unity Connection's tokens (System Settings > Subject Line Formats); refuses to touch one that says something.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from unitymail.interfaces.book import IBook
from unitymail.mail.address import split
from unitymail.mail.envelope import Envelope
from unitymail.mail.message import Category, Importance, Sensitivity
from unitymail.people.contact import Contact
from unitymail.people.user import User
from unitymail.routing.decision import Decision
from unitymail.settings.site import SiteSettings

_TOKEN = re.compile("%([A-Z]+)%")
_BLANKS = re.compile(r"\s+")
_NOTHING_IN = re.compile(r"\[\s*\]|\(\s*\)")


def subject_for(decision: Decision, envelope: Envelope, book: IBook) -> str | None:
    """The Subject for our header block, None where the message has one. Receipts keep theirs, whatever it is."""
    message = decision.message
    if message.subject.strip() or message.category is Category.RECEIPT:
        return None
    return filled(_format(decision, book.site), _values(decision, envelope, book))


def _format(decision: Decision, site: SiteSettings) -> str:
    """A message between users has its own; of the others only what is spoken is called a voice message."""
    if decision.sender.kind == "user":
        return site.subject_user
    return site.subject_fax if decision.message.category is Category.FAX else (
        site.subject_outside if decision.message.category is Category.VOICE else site.subject_user
    )


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with each %TOKEN% replaced; empty brackets and doubled blanks that this leaves vanish."""
    text = _TOKEN.sub(lambda found: values.get(found[1], found[0]), text)
    return _BLANKS.sub(" ", _NOTHING_IN.sub("", text)).strip()


def _values(decision: Decision, envelope: Envelope, book: IBook) -> dict[str, str]:
    site, message = book.site, decision.message
    sender = _sender(decision, book)
    number = sender.extension if isinstance(sender, User) else _number(sender, decision)
    name = sender.display_name if sender is not None else message.display_from
    return {
        "CALLERID": number or name or site.subject_unknown_caller,
        "NAME": name or number or site.subject_unknown_name,
        "EXTENSION": number or site.subject_unknown_extension,
        "CALLEDID": _called(envelope, book) or site.subject_unknown_called,
        "U": site.subject_urgent if message.importance is Importance.HIGH else "",
        "P": site.subject_private if message.sensitivity is Sensitivity.PRIVATE else "",
        "S": site.subject_secure if decision.secure else "",
        "D": "",
    }


def _sender(decision: Decision, book: IBook) -> User | Contact | None:
    """Who is known here: the user, or the contact behind a VPIM number."""
    finding = decision.sender
    if finding.kind == "user":
        return book.user(finding.matched)
    found = book.find(finding.address) if finding.address else None
    if isinstance(found, User | Contact):
        return found
    location = book.location(finding.matched) if finding.kind == "vpim" else None
    if location is None:
        return None
    return book.contact_at(location.id, split(finding.address)[0].removeprefix(location.remote_prefix))


def _number(sender: Contact | None, decision: Decision) -> str:
    """The number somebody outside is called back at: a contact's, or the local part where that is one."""
    if sender is not None:
        return sender.extension or sender.mailbox_number
    local = split(decision.sender.address)[0] if decision.sender.address else ""
    return local if local.removeprefix("+").isdigit() else ""


def _called(envelope: Envelope, book: IBook) -> str:
    """The only recipient's number, else name, else address; "" for several."""
    if len(envelope.recipients) != 1:
        return ""
    address = envelope.recipients[0].address
    found = book.find(address)
    if found is None:
        return address
    number = "" if not isinstance(found, User | Contact) else found.extension
    return number or found.display_name or address
