"""What was worked out about many messages of a folder, kept for the next time: an order of SORT, a forest of THREAD.

It is true for good: a message never changes, so neither does what follows from a set of UIDs of one UIDVALIDITY. Knows
how much is kept; refuses to know what it is.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar
from weakref import WeakKeyDictionary

from unitymail.interfaces.store import IFolder

WORTH_KEEPING = 200
"""Of fewer messages everything is worked out anew."""
OVERHEAD = 1_000
"""Octets that an entry takes besides its result."""
MOST_OCTETS = 16 * 1024 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """What was worked out about the messages `uids`, which ascend; `octets` is the size of both."""

    uids: Any
    result: T
    octets: int


class Remembered:
    """The last results of one store, by folder and question, the least recently used forgotten first. Any thread."""

    _of_stores: ClassVar[WeakKeyDictionary[Any, Remembered]] = WeakKeyDictionary()

    def __init__(self, most: int = MOST_OCTETS) -> None:
        self._most = most
        self._octets = 0
        self._kept: OrderedDict[Hashable, Known[Any]] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def of(cls, store: Any) -> Remembered:
        """Those that all sessions of a store share."""
        return cls._of_stores.setdefault(store, cls())

    def last(self, key: Hashable) -> Known[Any] | None:
        """The last answer to this question, whichever messages it was about."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def keep(self, key: Hashable, known: Known[Any]) -> None:
        """In place of the last one. What is larger than all that may be kept is not."""
        with self._lock:
            old = self._kept.pop(key, None)
            self._octets -= old.octets + OVERHEAD if old is not None else 0
            if len(known.uids) < WORTH_KEEPING or known.octets + OVERHEAD > self._most:
                return
            self._kept[key] = known
            self._octets += known.octets + OVERHEAD
            while self._octets > self._most:
                _, forgotten = self._kept.popitem(last=False)
                self._octets -= forgotten.octets + OVERHEAD

    @property
    def octets(self) -> int:
        """How much is kept."""
        return self._octets


def name_of(account: str, folder: IFolder, uidvalidity: int) -> tuple[Hashable, ...]:
    """What a key begins with."""
    return account, folder.id, uidvalidity
