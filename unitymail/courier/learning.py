"""What VPIM messages teach about the people at a location: contacts made, changed and removed.

Knows the switches of Unity Connection's Contact Creation page and how a change gets into the directory; refuses to
know where in a message the facts stand. A change that the directory refuses is a line in the journal, never a failure
of the message.

Note *Whose words*. Names and numbers here were chosen by another system. An alias therefore ends in the number: nobody
outside can take a short alias away from the people of this node.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from unitymail.interfaces.directory import IDirectory, NotFound, Refused
from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.threads import IThreads
from unitymail.mail.address import key_of, split
from unitymail.mail.marks import parted
from unitymail.mail.writing import one_line
from unitymail.people.contact import Contact
from unitymail.people.location import Location

MOST_CONTACTS = 100_000
"""Unity Connection's limit; learning stops there, administrators may go on."""
COUNT_EVERY = 1_000
"""Refusals after which a full directory is counted again."""
LONGEST_NAME = 64
LONGEST_ALIAS = 64
_NUMBER = re.compile(r"(\+?[0-9]{1,32})(?:\+[0-9]{1,15})?")
_NOT_IN_AN_ALIAS = re.compile(r"[^0-9a-z]+")

Change = Literal["create", "change", "remove"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a VPIM message comes from. `number` is the mailbox there; `spoken` is 32KADPCM, b"" for no recorded name."""

    number: str
    name: str
    spoken: bytes = b""


@dataclass(frozen=True, slots=True)
class Learned:
    """What became of a lesson: `what` for the journal, `contact` the alias it is about."""

    what: str
    contact: str


def number_at(location: Location, address: str) -> str:
    """The mailbox number behind an address of the location, its prefix off (RFC 3801 4.1.1); "" when it is none."""
    local, domain = split(address)
    if key_of(domain) != key_of(location.domain) or not local.startswith(location.remote_prefix):
        return ""
    found = _NUMBER.fullmatch(local[len(location.remote_prefix):])
    return found[1] if found else ""


def name_of(text: str) -> str:
    """A text name as the directory may keep it."""
    return one_line(text)[:LONGEST_NAME].strip()


def lesson(location: Location, contact: Contact | None, caller: Caller) -> Change | None:
    """What a voice message of this caller means for the contact (None: there is none yet)."""
    nameless = not caller.spoken and not location.create_without_name
    if contact is None:
        return "create" if location.create_contacts and caller.name and not nameless else None
    if not _is_due(location, contact, caller):
        return None
    # UC: with recorded names required, a contact whose caller has none any more goes.
    return "remove" if nameless else "change"


def _is_due(location: Location, contact: Contact, caller: Caller) -> bool:
    if location.modify_contacts == "always":
        return True
    return location.modify_contacts == "name" and bool(caller.name) and caller.name != contact.display_name


def alias_for(caller: Caller, taken: Callable[[str], bool]) -> str:
    """`pat.lee.14085550177`: a free alias of the caller's name and number."""
    number = caller.number.removeprefix("+")
    plain = "".join(c for c in unicodedata.normalize("NFKD", parted(caller.name)) if not unicodedata.combining(c))
    name = _NOT_IN_AN_ALIAS.sub(".", plain.casefold()).strip(".")
    stem = f"{name[: LONGEST_ALIAS - len(number) - 5].strip('.')}.{number}".strip(".")
    alias, count = stem, 1
    while taken(alias):
        count += 1
        alias = f"{stem}.{count}"
    return alias


class Teaching:
    """Puts lessons into the directory; blocking, so in a thread. Counts contacts seldom, for that reads them all."""

    def __init__(self, directory: IDirectory, *, most_contacts: int = MOST_CONTACTS) -> None:
        self._directory = directory
        self._most = most_contacts
        self._room = 0
        self._asked_in_vain = 0

    def apply(self, what: Change, location: Location, contact: Contact | None, caller: Caller) -> Learned:
        """Raises Refused."""
        if what == "remove":
            assert contact is not None
            return remove(self._directory, location, contact.id)
        if contact is None:
            return self._create(location, caller)
        return self._change(location, contact, caller)

    def _create(self, location: Location, caller: Caller) -> Learned:
        if not self._has_room():
            raise Refused(f"There are {self._most} contacts already; {caller.name} is not kept as one more.")
        with self._directory.change(who(location)) as change:
            alias = alias_for(caller, lambda name: change.entry_named(name) is not None)
            made = change.add(Contact(
                "", alias, caller.name, location=location.id, mailbox_number=caller.number,
                partition=location.partition,
            ))
            change.set_spoken_name(made.id, caller.spoken)
        self._room -= 1
        return Learned("created", alias)

    def _has_room(self) -> bool:
        if self._room <= 0 and self._asked_in_vain % COUNT_EVERY == 0:
            with self._directory.read() as view:
                self._room = self._most - len(view.all(Contact))
        self._asked_in_vain = 0 if self._room > 0 else self._asked_in_vain + 1
        return self._room > 0

    def _change(self, location: Location, contact: Contact, caller: Caller) -> Learned:
        name = caller.name or contact.display_name
        with self._directory.read() as view:
            if contact.display_name == name and view.spoken_name(contact.id) == caller.spoken:
                return Learned("", contact.alias)
        with self._directory.change(who(location)) as change:
            kept = change.get(Contact, contact.id)
            if kept is None:
                raise NotFound(f"The contact {contact.alias} was deleted meanwhile.")
            change.replace(replace(kept, display_name=name))
            change.set_spoken_name(contact.id, caller.spoken)
        return Learned("changed", contact.alias)


def who(location: Location) -> str:
    """Who made a change, as the change log shows it."""
    return f"vpim {location.name}"


def remove(directory: IDirectory, location: Location, contact: str) -> Learned:
    """Take the contact (its id) out of the directory. Blocking; raises Refused."""
    with directory.change(who(location)) as change:
        kept = change.get(Contact, contact)
        if kept is None or kept.location != location.id:
            return Learned("", "")
        change.delete(Contact, contact)
        return Learned("removed", kept.alias)


async def gone_there(
    trace: str, location: Location, contact: str, *, directory: IDirectory, threads: IThreads, journal: IJournal
) -> None:
    """The location says 5.1.1 of a contact (its id, "" for a blind address): it goes, where the switch says so.

    Never raises: what goes wrong is in the journal.
    """
    if not contact or not location.delete_contacts:
        return
    await noted(trace, location, contact, threads.run(remove, directory, location, contact), journal)


async def noted(trace: str, location: Location, about: str, doing: object, journal: IJournal) -> None:
    """Await a change and tell the journal what came of it; what was refused is told, too."""
    try:
        learned: Learned = await doing  # type: ignore[misc]
    except Refused as refusal:
        journal.contact_learned(trace, location.name, f"refused: {refusal}", about)
    except (Trouble, OSError) as trouble:
        journal.trouble(f"learning about {about} at {location.name} from {trace}", trouble)
    else:
        if learned.what:
            journal.contact_learned(trace, location.name, learned.what, learned.contact)
