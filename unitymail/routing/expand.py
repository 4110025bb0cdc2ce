"""The members of a list, and who may send to it. Knows nesting; refuses to know what becomes of a member.

Note *Level by level*. Lists are opened breadth first, so each is met at its least depth: what is left closed at level
20 has no shorter way. A list is opened once, so lists that hold each other end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from dataclasses import dataclass

from unitymail.interfaces.book import IBook
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.user import User
from unitymail.routing.situation import Failure, Situation

MAX_LEVELS = 20
NOT_FOREIGN = Failure("5.7.2", "The list does not take messages from senders outside this system.")
NOT_TO_LISTS = Failure("5.7.2", "You are not allowed to send to lists.")


@dataclass(frozen=True, slots=True)
class Expansion:
    """`members` in the order met, each once; `opened` are ids of lists; the rest counts what was left out.

    `already` lists were open before, so their members are reached; those of `too_deep` lists are not.
    """

    members: tuple[User | Contact, ...]
    opened: frozenset[str]
    contacts_barred: int = 0
    already: int = 0
    too_deep: int = 0

    @property
    def note(self) -> str:
        notes = [f"{len(self.members)} members"]
        if self.contacts_barred:
            notes.append(f"{self.contacts_barred} contacts left out: a list of theirs does not allow contacts")
        if self.already:
            notes.append(f"{self.already} lists reached already through another recipient")
        if self.too_deep:
            notes.append(f"{self.too_deep} lists left closed below level {MAX_LEVELS}")
        return "; ".join(notes)


def expand(top: DistributionList, book: IBook, already_open: Container[str] = ()) -> Expansion:
    """Everybody on the list and on lists within it, but for lists that are open already."""
    members: dict[str, User | Contact] = {}
    barred: set[str] = set()
    already: set[str] = set()
    deep: set[str] = set()
    opened = {top.id}
    waiting = deque([(top, 1)])
    while waiting:
        current, level = waiting.popleft()
        for id in current.members:
            entry = book.entry(id)
            if isinstance(entry, DistributionList):
                if id in already_open:
                    already.add(id)
                elif id not in opened and level == MAX_LEVELS:
                    deep.add(id)
                elif id not in opened:
                    opened.add(id)
                    waiting.append((entry, level + 1))
            elif isinstance(entry, Contact) and not current.allow_contacts:
                barred.add(id)
            elif entry is not None:
                members[id] = entry
    return Expansion(
        tuple(members.values()), frozenset(opened), len(barred - members.keys()), len(already), len(deep)
    )


def judge_list(addressed: DistributionList, situation: Situation) -> Failure | None:
    """Whether this sender may use the list; lists within it are not asked again. Peers asked before they sent."""
    sender = situation.sender
    if situation.origin.trust in ("internal", "peer"):
        return None
    if sender.kind != "user":
        return None if addressed.accept_foreign else NOT_FOREIGN
    user = situation.book.user(sender.matched)
    cos = situation.book.class_of_service(user.cos) if user is not None else None
    return None if cos is None or cos.send_to_lists else NOT_TO_LISTS
