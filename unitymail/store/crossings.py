"""Who was told that the mailbox is filling up, on disk, so that nobody is told twice of one crossing.

Knows which level each user was told of, and whether that mail is on its way; refuses to know what it says. One process
of a node looks, at all mailboxes in turn; whatever changed a mailbox, or a limit, is seen.

*Note: once.* A crossing is written down before anybody is told of it, with its moment, by which the mail is named: a
process that is killed in between finds it again and sends the same mail, which nobody gets twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from unitymail.interfaces.disk import IDisk
from unitymail.people.user import Quota
from unitymail.policy.fullness import Crossed, Level, level_known, level_of
from unitymail.store.keeping import replace_file

FILE = "warned"
AT_ONCE = 2_000
"""Mailboxes that are looked at in one go."""


@dataclass(frozen=True, slots=True)
class _Told:
    level: Level
    at: int
    sent: bool


class Octets(Protocol):
    def accounts(self) -> list[str]: ...
    def used(self, account: str) -> int: ...


class Crossings:
    """`quota` gives the limits of a user, None for whose mailbox is not here."""

    def __init__(
        self, path: str, *, disk: IDisk, usage: Octets, quota: Callable[[str], Quota | None], now: Callable[[], float]
    ) -> None:
        self._path = path
        self._disk = disk
        self._usage = usage
        self._quota = quota
        self._now = now
        self._told = dict(_read(path))
        self._in_hand: set[str] = set()
        self._round: Iterator[str] = iter(())

    def review(self, most: int = AT_ONCE) -> list[Crossed]:
        """Go on with so many mailboxes; who is to be told. Blocking, by one thread at a time.

        Each is given once, until `done` is called for it.
        """
        some = list(islice(self._round, most))
        if not some:
            self._round = iter(dict.fromkeys([*self._usage.accounts(), *self._told]))
            some = list(islice(self._round, most))
        before = dict(self._told)
        due = [crossed for account in some if (crossed := self._looked_at(account)) is not None]
        if before != self._told:
            self._write()
        self._in_hand.update(crossed.account for crossed in due)
        return due

    def done(self, crossed: Crossed, *, sent: bool) -> None:
        """The user's mail is on its way; or it is not, and is to be given again. Blocking."""
        self._in_hand.discard(crossed.account)
        told = self._told.get(crossed.account)
        if sent and told is not None and told.at == crossed.at:
            self._told[crossed.account] = replace(told, sent=True)
            self._write()

    def _looked_at(self, account: str) -> Crossed | None:
        if account in self._in_hand:
            return None
        octets = self._usage.used(account)
        quota, told = self._quota(account), self._told.get(account, _Told(Level.ROOM, 0, True))
        if quota is None:
            self._told.pop(account, None)
            return None
        level, known = level_of(octets, quota), level_known(told.level, octets, quota)
        if level > known:
            told = _Told(level, int(self._now()), False)
        elif known < told.level:
            told = _Told(known, told.at, True)
        if told.level:
            self._told[account] = told
        else:
            self._told.pop(account, None)
        return None if told.sent else Crossed(account, told.level, octets, quota, told.at)

    def _write(self) -> None:
        lines = [f"{told.level:d} {told.at} {told.sent:d} {account}\n" for account, told in sorted(self._told.items())]
        temporary = f"{self._path}.{os.getpid()}"
        if os.path.exists(temporary):
            self._disk.unlink(temporary)
        replace_file(self._disk, self._path, "".join(lines).encode("utf-8", "surrogateescape"), temporary)


def _read(path: str) -> Iterator[tuple[str, _Told]]:
    """Lines that cannot be read are left out: somebody is told once more."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                level, at, sent, account = [*line.rstrip("\n").split(" ", 3), "", "", ""][:4]
                if account and level in ("1", "2", "3") and at.isdigit() and sent in ("0", "1"):
                    yield account, _Told(Level(int(level)), int(at), sent == "1")
    except FileNotFoundError:
        return
