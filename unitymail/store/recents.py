"""Which messages nobody was told of as \\Recent yet: the index keeps the first UID of them, for all processes.

Refuses to know sessions; each span of UIDs is claimed by one caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.interfaces.store import NoSuchFolder
from unitymail.store.index import Index

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

NONE = (1, 0)


def span(folder: Folder, index: Index) -> tuple[int, int]:
    """(the first UID that nobody was told of, the UID that the next message will have); equal when there is none."""
    found = index.one("SELECT recent_from, uidnext FROM folders WHERE id = ?", folder.row.id)
    if found is None:
        raise NoSuchFolder(why=f"{folder.name} was deleted")
    return int(found[0]), int(found[1])


def claim(folder: Folder, index: Index) -> tuple[int, int]:
    """(first, last) of what is the caller's from now on, or `NONE`."""
    first, uidnext = span(folder, index)
    if first >= uidnext:
        return NONE
    with index.changing():
        first, uidnext = span(folder, index)
        index.execute("UPDATE folders SET recent_from = uidnext WHERE id = ?", folder.row.id)
    return (first, uidnext - 1) if first < uidnext else NONE
