"""A ring says that something happened in a folder, or in the directory. It is a hint, never the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from zope.interface import Interface

# mypy: disable-error-code="misc,empty-body"


@dataclass(frozen=True, slots=True)
class Announced:
    """Who heard of a change: process ids that hold it now, and those that did not say so in time."""

    taken: tuple[int, ...] = ()
    late: tuple[int, ...] = ()


class NewItem(NamedTuple):
    """A message that waits in the spool since a moment ago: when it is due, its level there, and its likely hop."""

    trace: str
    when: float
    level: int
    hop: str


class IDoorbell(Interface):
    """Call in the reactor thread; callbacks run there too. A lost ring costs latency, not mail."""

    def ring(account: str, folder: str) -> None:
        """Something changed in the folder (its name, decoded, as IMAP shows it)."""

    def listen(account: str, heard: Callable[[str], None]) -> Callable[[], None]:
        """Call `heard(folder)` on each ring for the account, whichever process rang; returns what stops it."""
