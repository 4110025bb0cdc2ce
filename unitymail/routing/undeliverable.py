"""Who keeps what can neither be delivered nor returned: the list Undeliverable Messages, else bad mail. Pure.

Refuses to know why a message came to this. Message actions and quotas of the keepers are not asked: it is their duty.
"""

from __future__ import annotations

from collections.abc import Iterable

from unitymail.interfaces.book import IBook
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.people.user import User
from unitymail.routing.expand import expand
from unitymail.routing.steps import BadMail, Deliver, HandOver, Step


def kept_by(book: IBook, reason: str) -> tuple[Step, ...]:
    """Deliveries to the members of the list; the bad-mail folder when it has none who has a mailbox."""
    keepers = book.find(f"{UNDELIVERABLE}@{book.domain}")
    if isinstance(keepers, DistributionList):
        users = [member for member in expand(keepers, book).members if isinstance(member, User)]
        steps: list[Step] = [_delivery(user, keepers.address) for user in users]
        if steps:
            return tuple(steps)
    return (BadMail(reason),)


def keeper_of(steps: Iterable[Step]) -> str:
    """The address of the list whose members get it by these steps; "" for bad mail."""
    for step in steps:
        if isinstance(step, Deliver | HandOver):
            return step.to if isinstance(step, Deliver) else step.original
    return ""


def _delivery(user: User, to: str) -> Step:
    return HandOver(user.home, user.address, to) if user.home else Deliver(user.id, to)
