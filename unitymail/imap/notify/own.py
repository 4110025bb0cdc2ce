"""What a client did itself, of which it need not be notified (RFC 5465, 5).

A hint: what is not recognised is told, which harms nobody. Bounded, and forgotten after a while.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection

from unitymail.imap.notify.state import Moved

MOST_DEEDS = 100
MOST_UIDS = 10_000
REMEMBERED_S = 30.0


class Own:
    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._deeds: deque[tuple[str, str, float]] = deque(maxlen=MOST_DEEDS)
        self._uids: dict[str, set[int]] = {}

    def add(self, event: str, name: str) -> None:
        self._deeds.append((event, name, self._seconds() + REMEMBERED_S))

    def add_messages(self, name: str, uids: Collection[int]) -> None:
        """The client put these messages into the folder."""
        if len(uids) + sum(map(len, self._uids.values())) > MOST_UIDS:
            self._uids.clear()
        if len(uids) <= MOST_UIDS:
            self._uids.setdefault(name, set()).update(uids)

    def explains(self, event: str, name: str) -> bool:
        """Also what a name does to those above it, which may have come with it."""
        now = self._seconds()
        return any(
            event == did and now < until and (done == name or done.startswith(name + "/"))
            for did, done, until in self._deeds
        )

    def take_messages(self, name: str) -> set[int]:
        """Those put into the folder since this was asked last."""
        return self._uids.pop(name, set())

    def explains_all(self, moved: Moved) -> bool:
        """Whether all that happened is that the client put messages there."""
        uids, came = self._uids.get(moved.info.name, set()), moved.came
        grown = moved.now.messages - moved.before.messages
        if not came or grown != len(came) or len(came) > len(uids) or not uids.issuperset(came):
            return False
        uids.difference_update(came)
        return True
