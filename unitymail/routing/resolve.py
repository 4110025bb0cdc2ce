"""Who has this address? Knows users, contacts, lists, VPIM numbers and blind addresses; refuses to know what follows.

Order (decisions.md): list, VPIM contact, local user, remote user, contact without location (unknown), blind address,
unknown. An address belongs to one object, so the first four are one look-up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from unitymail.interfaces.book import Entry, IBook
from unitymail.mail.address import key_of, split
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.location import Location
from unitymail.people.user import User


@dataclass(frozen=True, slots=True)
class Found:
    """`location` and `to` (the address there) belong to vpim-contact; `entry` is None for a blind address.

    `postmaster` is the address that must work although nobody has it.
    """

    kind: Literal["user", "remote-user", "vpim-contact", "list", "postmaster", "unknown"]
    reason: str
    entry: Entry | None = None
    location: Location | None = None
    to: str = ""

    @property
    def partition(self) -> str:
        """Where a search scope must reach; a blind address counts as its location's."""
        if self.entry is not None:
            return self.entry.partition
        return self.location.partition if self.location is not None else ""


POSTMASTER = "postmaster"
NO_REPLY_MAILBOX = "non-mail-user"
"""RFC 3801 4.1.2: the mailbox of callers who have none; nothing can be sent to it."""
_NUMBER = re.compile(r"\+?[0-9]{1,32}(\+[0-9]{1,15})?")
"""RFC 3801 4.1.1: a mailbox number, or +E.164, either with an extension."""


def resolve(address: str, book: IBook, vpim: Location | None = None, *, report: bool = False) -> Found:
    """The object behind `address`. `vpim` is the location the sender writes from: its numbers are tried first.

    With `report` (our own) any number at a VPIM location is good: it goes back where the message came from.
    """
    if vpim is not None and (dialled := _dialled(address, vpim, book)) is not None:
        return of_entry(dialled, address, book)
    entry = book.find(address)
    if entry is not None:
        return of_entry(entry, address, book)
    if is_postmaster(address, book):
        return _postmaster(address, book)
    return _at_a_location(address, book, report) or Found("unknown", f"nobody here has the address {address}")


def resolve_returned(address: str, book: IBook, vpim: Location | None = None, *, report: bool = False) -> Found:
    """The same for the null sender: what is returned comes by any machine, so the numbers of every location are tried.

    What VPIM made of our users' messages left from the number by which the location dials them. An address that is a
    contact's stays the contact's, though nothing can be sent there.
    """
    found = resolve(address, book, vpim, report=report)
    if found.kind != "unknown" or found.entry is not None:
        return found
    for location in book.vpim_locations():
        dialled = _dialled(address, location, book)
        if dialled is not None:
            return of_entry(dialled, address, book)
    return found


def is_postmaster(address: str, book: IBook) -> bool:
    """RFC 5321 4.5.1: `postmaster` alone, or at our domain, in any case."""
    if address[:10].lower() != POSTMASTER:
        return False
    local, domain = split(address)
    return local.lower() == POSTMASTER and (not domain or key_of(domain) == key_of(book.domain))


def takes_no_mail(address: str, book: IBook) -> bool:
    """Whether it is the mailbox of callers who have none, at our domain or at a VPIM location's."""
    if address[: len(NO_REPLY_MAILBOX)].lower() != NO_REPLY_MAILBOX:
        return False
    local, domain = split(address)
    ours = key_of(domain) == key_of(book.domain)
    return key_of(local) == NO_REPLY_MAILBOX and (ours or book.vpim_location_of(domain) is not None)


def _postmaster(address: str, book: IBook) -> Found:
    entry = book.find(f"{POSTMASTER}@{book.domain}")
    if entry is not None:
        found = of_entry(entry, address, book)
        if found.kind != "unknown":
            return found
    return Found("postmaster", "mail for the postmaster, and no user or list has that address")


def of_entry(entry: Entry, address: str, book: IBook) -> Found:
    """An object of the directory as a recipient; `address` is how it was reached."""
    if isinstance(entry, User):
        if entry.home:
            home = _home(entry, book)
            return Found("remote-user", f"{address} is {_named(entry)}, whose home server is {home}", entry)
        return Found("user", f"{address} is {_named(entry)}", entry)
    if isinstance(entry, DistributionList):
        return Found("list", f"{address} is the list {_named(entry)}", entry)
    return _contact(entry, address, book)


def _named(entry: Entry) -> str:
    return entry.display_name or entry.alias


def _home(user: User, book: IBook) -> str:
    peer = book.location(user.home)
    return user.home if peer is None else peer.name


def _contact(contact: Contact, address: str, book: IBook) -> Found:
    location = book.location(contact.location) if contact.location else None
    if location is None or not contact.mailbox_number:
        return Found("unknown", f"{address} is the contact {_named(contact)}, who has no VPIM location", contact)
    to = f"{location.remote_prefix}{contact.mailbox_number}@{location.domain}"
    reason = f"{address} is the contact {_named(contact)} at {location.name}"
    return Found("vpim-contact", reason, contact, location, to)


def _dialled(address: str, vpim: Location, book: IBook) -> User | None:
    """What a VPIM peer dials: our prefix and an extension, at our domain, among users its search scope reaches."""
    local, domain = split(address)
    if key_of(domain) != key_of(book.domain) or not local.startswith(vpim.local_prefix):
        return None
    dialled = local[len(vpim.local_prefix):]
    number = dialled[:1] + dialled[1:].partition("+")[0]
    scope = book.scope(vpim.scope) if vpim.scope else None
    partitions = None if scope is None else scope.partitions
    if not _NUMBER.fullmatch(number):
        return None
    return book.user_at(number, partitions) or (
        book.user_at(number[1:], partitions) if number.startswith("+") else None
    )


def _at_a_location(address: str, book: IBook, report: bool) -> Found | None:
    """An address at a VPIM location's domain, or a blind one (`DialID+mailbox` at ours), where that is allowed."""
    local, domain = split(address)
    if key_of(domain) == key_of(book.domain):
        return _blind(address, local, book) if "+" in local else None
    location = book.vpim_location_of(domain, local) if domain else None
    return None if location is None else _remote_mailbox(address, local, location, book, report)


def _remote_mailbox(address: str, local: str, location: Location, book: IBook, report: bool) -> Found | None:
    if key_of(local) == NO_REPLY_MAILBOX:
        return None
    if local.startswith(location.remote_prefix):
        contact = book.contact_at(location.id, local[len(location.remote_prefix):])
        if contact is not None:
            return _contact(contact, address, book)
    if report or (location.blind_addressing and _NUMBER.fullmatch(local)):
        return Found("vpim-contact", f"{address} is a mailbox at {location.name}", None, location, address)
    return None


def _blind(address: str, local: str, book: IBook) -> Found | None:
    dial_id, _, mailbox = local.partition("+")
    for location in book.vpim_locations():
        if location.blind_addressing and location.dial_id == dial_id and dial_id and _NUMBER.fullmatch(mailbox):
            to = f"{location.remote_prefix}{mailbox}@{location.domain}"
            return Found("vpim-contact", f"{address} dials {mailbox} at {location.name}", None, location, to)
    return None
