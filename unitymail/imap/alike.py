"""What is told to many sessions that saw the same of a folder: found and worded once.

Of each folder the newest step is kept, from the snapshot that those sessions have to the one that they are about to
see. Refuses to know sessions: what makes two of them alike is the caller's key.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from weakref import WeakKeyDictionary

from unitymail.imap.difference import Difference
from unitymail.interfaces.store import IFolder

MOST = 32
"""Manners and steps of one folder."""
Told = tuple[Difference, bytes]


class Alike:
    def __init__(self) -> None:
        self._steps: WeakKeyDictionary[IFolder, tuple[int, dict[Hashable, Told]]] = WeakKeyDictionary()

    def told(self, folder: IFolder, serial: int, key: Hashable, make: Callable[[], Told]) -> Told:
        """What `make` gave for this key, while the folder's newest snapshot has this serial number."""
        step = self._steps.get(folder)
        if step is None or step[0] != serial or len(step[1]) >= MOST:
            step = self._steps[folder] = (serial, {})
        found = step[1].get(key)
        if found is None:
            found = step[1][key] = make()
        return found
