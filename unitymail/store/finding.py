"""The file of a message: where it was last seen, else where another process, or another hand, has put it.

Refuses to know what is in it.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

from unitymail.store.content import open_file
from unitymail.store.index import Index
from unitymail.store.maildir import path_in

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

_ATTEMPTS = 4


def found(folder: Folder, index: Index, uid: int) -> tuple[bytes, bytes | mmap.mmap] | None:
    """(the base of its name, its octets as they are); None when it is gone."""
    for attempt in range(_ATTEMPTS):
        names = index.one("SELECT base, seen FROM files WHERE id = ?", folder.id_of(uid))
        if names is None:
            return None
        try:
            return names[0], open_file(path_in(folder.path, *names))
        except FileNotFoundError:
            if attempt:
                with folder.access.alone() as index:
                    folder.look(index, thoroughly=True)
            else:
                folder.catch_up(index)
    return None
