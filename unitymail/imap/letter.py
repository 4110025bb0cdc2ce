"""One message as FETCH and SEARCH look at it: its octets, and its MIME structure when somebody needs it.

Structures are remembered for a few hundred messages, because clients ask for the parts of one message one after the
other. Refuses to open anything: whoever opened the content closes it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar
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


class Structures:
    """The structures of the messages looked at last; any thread may ask."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, Structure] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: Hashable, buffer: Any) -> Structure:
        """The structure of `buffer`, which `key` names for good among all messages of the store."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        structure = scan(buffer)
        if _parts_within(structure, MOST_PARTS):
            with self._lock:
                self._kept[key] = structure
                if len(self._kept) > self._limit:
                    self._kept.popitem(last=False)
        return structure


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
