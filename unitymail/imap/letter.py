"""One message as FETCH and SEARCH look at it: its octets, and its MIME structure when somebody needs it.

Structures are remembered for a few hundred messages, because clients ask for the parts of one message one after the
other. Refuses to open anything: whoever opened the content closes it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from weakref import WeakKeyDictionary

from unitymail.interfaces.store import IContent, IFolder
from unitymail.mail.structure import Structure, scan

REMEMBERED = 256
MOST_PARTS = 200


@dataclass(frozen=True, slots=True)
class Extent:
    """A stretch of a message that is sent from the file instead of being copied."""

    content: IContent
    start: int
    length: int


T = TypeVar("T")


class Structures:
    """What was found out about the messages looked at last; any thread may ask.

    A key names a message for good among all of the store, or something about it.
    """

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: Hashable, buffer: Any) -> Structure:
        """The structure of `buffer`."""
        return self.found(key, lambda: scan(buffer), lambda structure: _parts_within(structure, MOST_PARTS))

    def found(self, key: Hashable, make: Callable[[], T], is_small: Callable[[T], bool] = lambda value: True) -> T:
        """What is remembered under `key`, else what `make` gives, which is remembered when it is small enough."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                known: T = self._kept[key]
                return known
        made = make()
        if is_small(made):
            with self._lock:
                self._kept[key] = made
                if len(self._kept) > self._limit:
                    self._kept.popitem(last=False)
        return made


def _parts_within(structure: Structure, limit: int) -> bool:
    """Whether it is small enough to keep: what peers send may have thousands of parts."""
    waiting, count = [structure.root], 0
    while waiting and count <= limit:
        part = waiting.pop()
        count += 1
        waiting += part.children
    return count <= limit


class Letters:
    """Makes letters of a folder's messages: names them for the structures that all sessions of a store share.

    Not `remembering` is for who looks at very many messages once.
    """

    _of_stores: ClassVar[WeakKeyDictionary[Any, Structures]] = WeakKeyDictionary()

    def __init__(self, store: Any, account: str, folder: IFolder, *, remembering: bool = True) -> None:
        self._structures = self._of_stores.setdefault(store, Structures()) if remembering else None
        self._name = (account, folder.id, folder.snapshot.uidvalidity)

    def letter(self, uid: int, content: IContent) -> Letter:
        return Letter(content, (*self._name, uid), self._structures)


class Letter:
    """A message's content with what has been found out about it so far."""

    __slots__ = ("_key", "_structure", "_structures", "buffer", "content")

    def __init__(self, content: IContent, key: Hashable, structures: Structures | None) -> None:
        self.content, self.buffer = content, content.buffer
        self._key, self._structures = key, structures
        self._structure: Structure | None = None

    def structure(self) -> Structure:
        if self._structure is None:
            known = self._structures
            self._structure = scan(self.buffer) if known is None else known.of(self._key, self.buffer)
        return self._structure

    def found(self, what: Hashable, make: Callable[[], T]) -> T:
        """Something else about the message (`what`), remembered as its structure is; it must be small."""
        return make() if self._structures is None else self._structures.found((self._key, what), make)
