"""Who keeps what can neither be delivered nor returned: the list Undeliverable Messages, else bad mail. Pure.

Refuses to know why a message came to this. Message actions and quotas of the keepers are not asked: it is their duty.

Note *One copy*. A keeper who gets the message anyhow, as one of those it was sent to, does not get it again.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from unitymail.interfaces.book import IBook
from unitymail.mail.address import key_of
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.people.user import User
from unitymail.routing.expand import expand
from unitymail.routing.steps import BadMail, Deliver, HandOver, Step


def kept_by(book: IBook, reason: str, having: Iterable[Step] = (), *, as_bad_mail: bool = False) -> tuple[Step, ...]:
    """Deliveries to the members of the list; the bad-mail folder when it has none who has a mailbox.

    `having` are other steps of the same message: whom they bring it to is left out. `as_bad_mail`: the list is not
    asked, since its members' mail programs are spared what is malformed, or comes from nobody known.
    """
    having = tuple(having)
    keepers = None if as_bad_mail else book.find(f"{UNDELIVERABLE}@{book.domain}")
    if isinstance(keepers, DistributionList):
        users = [member for member in expand(keepers, book).members if isinstance(member, User)]
        if users:
            accounts = {step.account for step in having if isinstance(step, Deliver)}
            addresses = {key_of(step.to) for step in having if isinstance(step, HandOver)}
            return tuple(_delivery(one, keepers.address) for one in users if not _has(one, accounts, addresses))
    return () if any(isinstance(step, BadMail) for step in having) else (BadMail(reason),)


def _has(user: User, accounts: Container[str], addresses: Container[str]) -> bool:
    if not user.home:
        return user.id in accounts
    return any(key_of(address) in addresses for address in (user.address, *user.proxies))


def keeper_of(steps: Iterable[Step]) -> str:
    """The address of the list whose members get it by these steps; "" for bad mail."""
    for step in steps:
        if isinstance(step, Deliver | HandOver):
            return step.to if isinstance(step, Deliver) else step.original
    return ""


def _delivery(user: User, to: str) -> Step:
    return HandOver(user.home, user.address, to) if user.home else Deliver(user.id, to)
