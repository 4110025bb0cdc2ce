"""The doorbell within one process: who listens to which account. Knows no sockets."""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import implementer

from unitymail.interfaces.doorbell import IDoorbell
from unitymail.interfaces.journal import IJournal


@implementer(IDoorbell)
class LocalDoorbell:
    """Rings at once. A listener that fails harms neither the ringer nor the other listeners."""

    def __init__(self, journal: IJournal) -> None:
        self._journal = journal
        self._listeners: dict[str, list[Callable[[str], None]]] = {}

    def ring(self, account: str, folder: str) -> None:
        for heard in tuple(self._listeners.get(account, ())):
            try:
                heard(folder)
            except Exception as error:
                self._journal.trouble("a listener at the doorbell", error)

    def listen(self, account: str, heard: Callable[[str], None]) -> Callable[[], None]:
        self._listeners.setdefault(account, []).append(heard)
        return lambda: self._forget(account, heard)

    def _forget(self, account: str, heard: Callable[[str], None]) -> None:
        listeners = self._listeners.get(account, [])
        if heard in listeners:
            listeners.remove(heard)
        if not listeners:
            self._listeners.pop(account, None)
