"""The folder objects of an account in this process: one for each row of the index, the same for everyone.

Knows by which number and name each is found and how long it is kept; refuses to know directories, and the account.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from unitymail.interfaces.store import NoSuchFolder
from unitymail.store.index import Index
from unitymail.store.snapshots import FolderRow, pack, packed_modseq

if TYPE_CHECKING:
    from unitymail.store.folder import Folder


class LiveFolders:
    """Kept, with their snapshots, until `let_go`; then they live on with the sessions that have them, and no longer."""

    def __init__(self) -> None:
        self._by_number: WeakValueDictionary[int, Folder] = WeakValueDictionary()
        self._by_name: WeakValueDictionary[str, Folder] = WeakValueDictionary()
        self._kept: set[Folder] = set()

    def named(self, name: str) -> Folder | None:
        """The object, as long as its directory is where it was; an empty folder may be another one by now."""
        known = self._by_name.get(name)
        is_sure = known is not None and os.path.isdir(known.path) and not (known.loaded and not known.snapshot.uids)
        return known if is_sure else None

    def of_row(self, row: FolderRow, make: Callable[[FolderRow], Folder]) -> Folder:
        folder = self._by_number.get(row.id)
        if folder is None:
            folder = self._by_number[row.id] = make(row)
        self._by_name[row.name] = folder
        self._kept.add(folder)
        return folder

    def renamed(self, folder: Folder, old: str, new: str) -> None:
        if self._by_name.get(old) is folder:
            del self._by_name[old]
        self._by_name[new] = folder

    def forget(self, row: FolderRow) -> None:
        """The folder is no more."""
        folder = self._by_number.pop(row.id, None)
        self._by_name.pop(row.name, None)
        if folder is not None:
            folder.is_deleted = True
            self._kept.discard(folder)

    def begin_anew(self, new_row: Callable[[FolderRow], FolderRow]) -> None:
        """All rows were lost: those whose directories are there get new ones."""
        folders = list(self._by_number.values())
        self._by_number.clear()
        self._by_name.clear()
        for folder in folders:
            if os.path.isdir(folder.path):
                folder.begin_anew(new_row(folder.row))
                self._by_number[folder.row.id] = self._by_name[folder.row.name] = folder

    def catch_up(self, index: Index) -> None:
        """Let all that have a snapshot take in what the index holds now."""
        for folder in list(self._by_number.values()):
            if folder.loaded:
                with suppress(NoSuchFolder):
                    folder.catch_up(index)

    def pack(self, index: Index) -> None:
        """Leave the snapshots that changed in the index, for whoever loads them next."""
        grown = [
            folder
            for folder in list(self._by_number.values())
            if folder.loaded and packed_modseq(index, folder.row.id) != folder.snapshot.highest_modseq
        ]
        if grown:
            with index.changing():
                for folder in grown:
                    pack(index, folder.row, folder.snapshot)
                    folder.save_marks(index)

    def let_go(self) -> None:
        self._kept.clear()
