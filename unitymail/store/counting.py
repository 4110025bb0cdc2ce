"""What STATUS tells of a folder: its messages, counted in the snapshot, and their octets, added up in the index.

Knows when a sum has to be made again; refuses to find out the size of a message (`rendering`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from unitymail.interfaces.store import FolderStatus, Snapshot
from unitymail.store import recents
from unitymail.store.chosen import chosen
from unitymail.store.index import Index

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

_SUM = (
    "SELECT ifnull(sum(size), 0) FROM messages CROSS JOIN facts USING (id)"
    " WHERE messages.id BETWEEN ? AND ?"
)
_Key = tuple[int, int, int]


class Totals:
    """Octets in CRLF form of a folder's messages, and of those that carry \\Deleted, as last added up."""

    __slots__ = ("_all", "_deleted")

    def __init__(self) -> None:
        self._all: tuple[_Key, int] | None = None
        self._deleted: tuple[_Key, int] | None = None

    def are_due(self, snapshot: Snapshot) -> bool:
        """Whether other messages are there than were added up."""
        return self._all is None or self._all[0] != _members(snapshot)

    def of_all(self, folder: Folder, index: Index, snapshot: Snapshot) -> int:
        """Once the sizes are known of all messages."""
        if self._all is None or self.are_due(snapshot):
            self._all = _members(snapshot), int(index.one(_SUM, *folder.ids())[0])
        return self._all[1]

    def of_deleted(self, folder: Folder, index: Index, snapshot: Snapshot, combinations: list[int]) -> int:
        """`combinations`: those in use that have \\Deleted."""
        if not combinations:
            return 0
        key = (snapshot.uidvalidity, snapshot.highest_modseq, len(snapshot.uids))
        if self._deleted is None or self._deleted[0] != key:
            self._deleted = key, int(index.one(_SUM + " AND flags IN " + chosen(), *folder.ids(), str(combinations))[0])
        return self._deleted[1]


def _members(snapshot: Snapshot) -> _Key:
    """Which messages there are follows from UIDNEXT and their count: they only leave."""
    return snapshot.uidvalidity, snapshot.uidnext, len(snapshot.uids)


def status(folder: Folder, index: Index, snapshot: Snapshot, totals: Totals) -> FolderStatus:
    """Of the snapshot, once no size is due any more."""
    counts = Counter(snapshot.flags)
    having = snapshot.combinations
    deleted = [number for number in counts if "\\Deleted" in having[number]]
    first = recents.span(folder, index)[0]
    newest = snapshot.uids[-(snapshot.uidnext - first) :] if first < snapshot.uidnext else ()
    return FolderStatus(
        messages=len(snapshot.uids),
        recent=sum(uid >= first for uid in newest),
        unseen=sum(n for number, n in counts.items() if "\\Seen" not in having[number]),
        uidnext=snapshot.uidnext,
        uidvalidity=snapshot.uidvalidity,
        highest_modseq=snapshot.highest_modseq,
        size=totals.of_all(folder, index, snapshot),
        deleted=sum(counts[number] for number in deleted),
        mailboxid=folder.id,
        deleted_size=totals.of_deleted(folder, index, snapshot, deleted),
    )
