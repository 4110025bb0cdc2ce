"""A transaction on the directory as keepers see it: the connection, who changes, when, and the change log.

Refuses to know any kind of object.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from unitymail.directory import changes
from unitymail.interfaces.directory import Identity


@dataclass
class Transaction:
    """`usn` is the newest number: of the last line logged, or of the directory before it."""

    connection: Connection
    identity: Identity
    who: str
    now: float
    usn: int = 0

    def log(self, kind: str, id: str, what: str, detail: str = "") -> None:
        self.log_all([(kind, id, what, detail)])

    def log_all(self, lines: list[tuple[str, str, str, str]]) -> None:
        self.usn = changes.record(self.connection, lines, who=self.who, now=self.now)

    def log_deleted(self, kind: str, id: str, name: str) -> None:
        self.log(kind, id, "deleted", name)
        changes.bury(self.connection, kind, id, name, usn=self.usn, now=self.now)

    def address_of(self, alias: str) -> str:
        return f"{alias}@{self.identity.domain}"
