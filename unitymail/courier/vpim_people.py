"""Who writes to whom in a message to a VPIM location: the addresses of RFC 3801 4.1 made from our directory.

Knows message-formats.md section 4, outbound; refuses to know the message's body.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from unitymail.interfaces.book import IBook
from unitymail.interfaces.spool import Item
from unitymail.mail.address import key_of, split
from unitymail.mail.headers import Mailbox, addresses, decode, first
from unitymail.mail.part import Octets, Part
from unitymail.mail.vpim.selection import Refused
from unitymail.mail.writing import one_line
from unitymail.people.location import Location
from unitymail.people.user import User
from unitymail.routing.resolve import NO_REPLY_MAILBOX
from unitymail.routing.steps import Convert

LONGEST_NAME = 60
NOT_ASCII = Refused(
    "5.6.7", "An address of the message has letters beyond ASCII, which the recipient's voice-mail system cannot take."
)
_NUMBER = re.compile(r"\+?[0-9]{1,32}")
_CALLER_FIELDS = (b"caller-name", b"x-voicemessagesendername")
_Named = tuple[str, str]


@dataclass(frozen=True, slots=True)
class People:
    """`reverse` is the envelope sender there, `user` the sender's id, "" for nobody of ours."""

    sender: _Named
    reverse: str
    to: tuple[_Named, ...]
    cc: tuple[_Named, ...]
    user: str = ""
    anonymous: bool = False


def people_of(
    item: Item, steps: Sequence[Convert], location: Location, buffer: Octets, root: Part, book: IBook
) -> People | Refused:
    """Everybody whom the header and the envelope name."""
    to, cc = _listed(steps, location, buffer, root, book)
    user = book.user(item.origin_user)
    author = next(iter(_mailboxes(buffer, root, b"from")), Mailbox("", ""))
    if user is not None:
        address = address_at(location, user, book)
        people = People((_shown(user.display_name or user.alias), address), address, to, cc, user.id)
        if not item.envelope.sender:
            people = People(people.sender, "", to, cc, user.id)
    elif item.envelope.sender:
        address = author.address if split(author.address)[1] else item.envelope.sender
        people = People((_shown(author.name), address), item.envelope.sender, to, cc)
    else:
        caller = _caller(buffer, root, author)
        people = People((_shown(caller), f"{NO_REPLY_MAILBOX}@{book.domain}"), "", to, cc, anonymous=True)
    written = (people.sender[1], people.reverse, *(step.to for step in steps))
    return people if all(address.isascii() for address in written) else NOT_ASCII


def address_at(location: Location, user: User, book: IBook) -> str:
    """Our prefix and the extension, at our domain, so that an answer finds the user; else the primary address."""
    number = f"{location.local_prefix}{user.extension}"
    return f"{number}@{book.domain}" if user.extension and _NUMBER.fullmatch(number) else user.address


def _caller(buffer: Octets, root: Part, author: Mailbox) -> str:
    """Name or number of a caller who has no mailbox: RFC 3939, Exchange, else as From has it."""
    for name in _CALLER_FIELDS:
        raw = first(buffer, root, name)
        if raw is not None and (found := one_line(decode(raw)).strip('"')):
            return found
    return author.name or split(author.address)[0]


def _listed(
    steps: Sequence[Convert], location: Location, buffer: Octets, root: Part, book: IBook
) -> tuple[tuple[_Named, ...], tuple[_Named, ...]]:
    """Those at the location whom the sender named, and no others: blind copies stay blind.

    A message for one alone names that one, whatever its own header says.
    """
    groups = [_NamedIn(buffer, root, name, book) for name in (b"to", b"cc")]
    to, cc = [], []
    for step in steps:
        here = (_shown(_name_of(step, book)), step.to)
        if groups[0].has(step):
            to.append(here)
        elif groups[1].has(step):
            cc.append(here)
    if not to and not cc and len(steps) == 1:
        to = [(_shown(_name_of(steps[0], book)), steps[0].to)]
    return tuple(to), tuple(cc)


class _NamedIn:
    """Whom one field of the header names, by address and as objects of the directory."""

    def __init__(self, buffer: Octets, root: Part, field: bytes, book: IBook) -> None:
        listed = [mailbox.address for mailbox in _mailboxes(buffer, root, field)]
        self._keys = {key_of(address) for address in listed}
        found = (book.find(address) for address in listed)
        self._objects = {entry.id for entry in found if entry is not None}

    def has(self, step: Convert) -> bool:
        return key_of(step.original) in self._keys or key_of(step.to) in self._keys or step.contact in self._objects


def _mailboxes(buffer: Octets, root: Part, field: bytes) -> list[Mailbox]:
    raw = first(buffer, root, field)
    return [] if raw is None else addresses(raw)


def _name_of(step: Convert, book: IBook) -> str:
    entry = book.entry(step.contact) if step.contact else None
    return entry.display_name or entry.alias if entry is not None else ""


def _shown(name: str) -> str:
    return one_line(name)[:LONGEST_NAME].strip()
