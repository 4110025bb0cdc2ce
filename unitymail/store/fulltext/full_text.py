"""The full-text index as an account has it: begun by the first search for words, asked by folders, filled behind.

Knows which contents a folder has, and when there is more to read; refuses to know the file (`catalogue`) and what is
read of a message (`filling`). Trouble with the file is no trouble for a search: what is not known is read.
"""

from __future__ import annotations

import sqlite3
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from unitymail.interfaces.disk import IDisk
from unitymail.store.fulltext.catalogue import Catalogue, Text, Unusable, can_find
from unitymail.store.index import Index
from unitymail.store.schema import UID_MASK
from unitymail.store.shredding import Shredder
from unitymail.store.withholding import InForce, in_force

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

NO, YES, UNKNOWN = 0, 1, 2
NEVER = (-1, -1)
_TROUBLE = (sqlite3.Error, OSError, Unusable)
_Key = tuple[InForce, int, int, int]


class FullText:
    """Of one account. `is_on` says whether the site wants full-text indexes at all."""

    def __init__(self, disk: IDisk, directory: str, is_on: Callable[[], bool], shredder: Shredder) -> None:
        self._catalogue = Catalogue(disk, directory, shredder.discard)
        self._is_on = is_on
        self._shredder = shredder
        self._contents: WeakKeyDictionary[Folder, tuple[_Key, array[int], array[int]]] = WeakKeyDictionary()
        self.asked = False
        """A search has asked for what is not held: it is worth filling."""
        self.filled_at = NEVER
        """Up to which content, and until when, everything is held."""

    @property
    def exists(self) -> bool:
        return self._catalogue.exists

    @property
    def changed_at(self) -> float:
        """When something was last put in or taken out, Unix seconds; 0 when there is none."""
        return self._catalogue.changed_at

    @property
    def is_kept(self) -> bool:
        """Whether it is to be filled: it is switched on, and somebody has searched."""
        return self._is_on() and (self.asked or self._catalogue.exists)

    def verdicts(
        self, folder: Folder, index: Index, uids: Sequence[int], needle: str, *, body_only: bool
    ) -> bytes | None:
        """For each of `uids` (ascending), whether its texts hold the folded needle: 0 no, 1 yes, 2 read it to know.

        None when nothing is known of any.
        """
        if not self._is_on() or not can_find(needle):
            return None
        self.asked = True
        if not self._catalogue.exists:
            return None
        contents = self._contents_of(folder, index, uids)
        try:
            held, matching = self._catalogue.matching(needle, body_only=body_only)
        except _TROUBLE:
            return None
        unsure = (set(contents) - set(held.contents)) | (held.partly - matching)
        return bytes([YES if one in matching else UNKNOWN if one in unsure else NO for one in contents])

    def _contents_of(self, folder: Folder, index: Index, uids: Sequence[int]) -> array[int]:
        """The content of each message, -1 for those that are gone; kept for as long as the folder has the same ones.

        A rule that another process put in force gives messages other contents before the snapshot tells of them.
        """
        snapshot = folder.snapshot
        key = (in_force(index), snapshot.uidvalidity, snapshot.uidnext, len(snapshot.uids))
        kept = self._contents.get(folder)
        if kept is None or kept[0] != key:
            rows = index.all(
                f"SELECT id & {UID_MASK}, content FROM messages CROSS JOIN facts USING (id)"
                " WHERE messages.id BETWEEN ? AND ? ORDER BY messages.id",
                *folder.ids(),
            )
            known, contents = zip(*rows, strict=True) if rows else ((), ())
            kept = self._contents[folder] = key, array("I", known), array("q", contents)
        _, known_uids, all_contents = kept
        begin = bisect_left(known_uids, uids[0]) if uids else 0
        if known_uids[begin : begin + len(uids)] == array("I", uids):
            return all_contents[begin : begin + len(uids)]
        of_uid = dict(zip(known_uids, all_contents, strict=True))
        return array("q", (of_uid.get(uid, -1) for uid in uids))

    def missing(self, contents: Iterable[int]) -> set[int]:
        """Those that it does not hold."""
        return set(contents).difference(self._catalogue.held().contents)

    def left_over(self, contents: Collection[int], newest: int = sys.maxsize) -> set[int]:
        """What it holds besides these, which were all there are up to the `newest`: others may know newer ones."""
        held = self._catalogue.held().contents
        return set(held[: bisect_right(held, newest)]).difference(contents)

    def add(self, texts: Iterable[Text]) -> None:
        self._catalogue.add(texts)

    def remove(self, contents: Collection[int]) -> None:
        """Nobody may find these any more."""
        if contents and self._catalogue.exists:
            self._catalogue.remove(contents, thoroughly=self._shredder.is_on)

    def forget(self) -> None:
        """Throw it away; the next search for words begins a new one."""
        self.asked, self.filled_at = False, NEVER
        self._catalogue.forget()

    def close(self) -> None:
        self._contents.clear()
        self._catalogue.close()
