"""Who was told of which messages as \\Recent: each goes to one session.

A thousand sessions that wake up at once ask the disk once. Knows the highest UID claimed per folder in this process;
refuses to know other processes (the folder does).
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from unitymail.interfaces.store import IFolder


class Claims:
    def __init__(self) -> None:
        self._claimed: WeakKeyDictionary[IFolder, int] = WeakKeyDictionary()

    def all_claimed(self, folder: IFolder, uidnext: int) -> bool:
        """Whether somebody has gone already to claim all messages below `uidnext`."""
        return self._claimed.get(folder, 0) >= uidnext - 1

    def worth_asking(self, folder: IFolder, uidnext: int) -> bool:
        """Whether messages below `uidnext` may be unclaimed; the one who is told so must go and claim them."""
        if self.all_claimed(folder, uidnext):
            return False
        self._claimed[folder] = uidnext - 1
        return True
