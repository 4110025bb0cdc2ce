"""Letters that begin to mean a keyword: messages whose files carry one already get it, and others get the letter.

Knows which letters a folder's rows were made with (`lettered`); refuses to read the file that says it (`letters`).
Another program may rename a file first and say what its letter means later, and a Maildir may be taken over whose
letters nobody here has understood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.store.index import Index
from unitymail.store.keywords import add_keywords, fitting
from unitymail.store.maildir import CUR, Letters, flags_of, suffix_for

if TYPE_CHECKING:
    from unitymail.store.folder import Folder


def known(index: Index, folder: int) -> Letters:
    """What the letters meant when the folder was last looked at."""
    row = index.one("SELECT keywords FROM lettered WHERE folder = ?", folder)
    return tuple(row[0].split(" ")) if row and row[0] else ()


def take_in(folder: Folder, index: Index, letters: Letters) -> None:
    """Let rows and letters agree; under the write lock. A keyword that has lost its letter stays."""
    before = known(index, folder.row.id)
    if before == letters:
        return
    fresh = tuple(word if word not in before[at : at + 1] else "" for at, word in enumerate(letters))
    with index.changing():
        if any(fresh):
            _give(folder, index, letters, fresh)
        index.execute("INSERT OR REPLACE INTO lettered VALUES (?, ?)", folder.row.id, " ".join(letters))
    folder.catch_up(index)


def _give(folder: Folder, index: Index, letters: Letters, fresh: Letters) -> None:
    rows = index.all(
        "SELECT id, seen, flags FROM messages CROSS JOIN files USING (id) WHERE id BETWEEN ? AND ?", *folder.ids()
    )
    modseq = 0
    for id, seen, number in rows:
        old = index.flags_of(number)
        new = old | fitting(index, folder.row.id, flags_of(seen, fresh) - flags_of(seen))
        if new != old:
            add_keywords(index, folder.row.id, new)
            modseq = modseq or index.next_modseq()
            index.execute("UPDATE messages SET flags = ?, modseq = ? WHERE id = ?", index.number_of(new), modseq, id)
        if seen != CUR + suffix_for(new, seen, letters):
            index.execute("INSERT OR IGNORE INTO pending VALUES (?)", id)
    if modseq:
        index.execute("UPDATE folders SET highest_modseq = ? WHERE id = ?", modseq, folder.row.id)
