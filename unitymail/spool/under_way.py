"""What is under way into the commit journal: messages, and new states of items. Refuses to know how it gets there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred

from unitymail.interfaces.spool import Item
from unitymail.routing.steps import Deliver
from unitymail.spool.intake import Incoming
from unitymail.spool.journal_file import Committed, Noted


@dataclass(slots=True, eq=False)
class Finishing:
    """A message between its last octet and its answers. `describe` gives the item once the file is written.

    With an `xid`, `recipients` are the keys of those who are remembered; `known`: they all have it already, `held`:
    they are held for this message meanwhile.
    """

    incoming: Incoming
    head: bytes
    describe: Callable[[], Item]
    xid: str = ""
    recipients: frozenset[str] = frozenset()
    answers: list[Deferred[None]] = field(default_factory=list)
    settled: bool = False
    failure: Exception | None = None
    committed: Committed | None = None
    delivered: list[Deliver] = field(default_factory=list)
    fresh: Item | None = None
    known: bool = False
    held: bool = False

    def is_wanted(self) -> bool:
        return self.failure is None and not self.known

    def answer(self) -> Deferred[None]:
        """Fires when the message is durable and visible, or fails when nothing of it was kept."""
        answer: Deferred[None] = Deferred()
        self.answers.append(answer)
        return answer


@dataclass(slots=True, eq=False)
class Noting:
    """A new state of an item that this process has claimed, on its way into the commit journal."""

    item: Item
    finished: bool
    answer: Deferred[None] = field(default_factory=Deferred)
    failure: Exception | None = None
    noted: Noted | None = None
