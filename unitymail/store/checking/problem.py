"""What a check finds, and how it is mended. Refuses to know who looks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unitymail.store.index import Index

if TYPE_CHECKING:
    from unitymail.store.account import Account
    from unitymail.store.folder import Folder


@dataclass(frozen=True, slots=True)
class Problem:
    """`folder`: its name, "" for the account. `what` is a sentence without its end; `mend` is None when only a person
    can put it right, and then `what` says how."""

    kind: str
    folder: str
    what: str
    mend: Callable[[], object] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem as it is told: found, and perhaps mended."""

    kind: str
    folder: str
    what: str
    mended: bool


@dataclass(frozen=True, slots=True)
class Case:
    """The account that is looked at, under its write lock."""

    account: Account
    index: Index


OfAccount = Callable[[Case], Iterator[Problem]]
OfFolder = Callable[[Case, "Folder"], Iterator[Problem]]


def some(count: int, one: str, many: str = "") -> str:
    """`1 row`, `3 rows`."""
    return f"{count} {one if count == 1 else many or one + 's'}"
