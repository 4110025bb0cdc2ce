"""A transaction on the directory as keepers see it: the connection, who changes, when, and the change log.

Refuses to know any kind of object. Note *Flush*: lines of the change log get their numbers at once (the counter is
locked) and are written together by `flush`, which whoever opened the transaction calls before it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from unitymail.directory import changes
from unitymail.interfaces.directory import Change, Identity

T = TypeVar("T")


@dataclass
class Transaction:
    """`usn` is the newest number: of the last line logged, or of the directory before it."""

    connection: Connection
    identity: Identity
    who: str
    now: float
    usn: int = 0
    _lines: list[Change] = field(default_factory=list)
    _answers: dict[Hashable, Any] = field(default_factory=dict)

    def log(self, kind: str, id: str, what: str, detail: str = "") -> None:
        self.log_all([(kind, id, what, detail)])

    def log_all(self, lines: Iterable[tuple[str, str, str, str]]) -> None:
        for kind, id, what, detail in lines:
            self.usn += 1
            self._lines.append(Change(self.usn, kind, id, what, detail, self.who, self.now))

    def log_deleted(self, kind: str, id: str, name: str) -> None:
        self.log(kind, id, "deleted", name)
        changes.bury(self.connection, kind, id, name, usn=self.usn, now=self.now)

    def flush(self) -> None:
        """Write what was logged."""
        lines, self._lines = self._lines, []
        changes.write(self.connection, lines)

    def once(self, ask: Callable[..., T], *about: Hashable) -> T:
        """What `ask(connection, *about)` answers, asked once while no rule changes: thousands share a class."""
        key = (ask, about)
        if key not in self._answers:
            self._answers[key] = ask(self.connection, *about)
        answer: T = self._answers[key]
        return answer

    def forget(self) -> None:
        """A class, partition, scope, location or site setting changed: ask again."""
        self._answers.clear()

    def address_of(self, alias: str) -> str:
        return f"{alias}@{self.identity.domain}"
