"""Special uses of folders (RFC 6154): each use is one folder's, and a folder may have several.

Knows which uses there are and whose they are; refuses to know how they are asked for. `folders.special_use` holds
them with a space between.
"""

from __future__ import annotations

from unitymail.interfaces.store import SPECIAL_USES, USE_ENTRY, UseNotPossible
from unitymail.store.index import Index


def checked(uses: str) -> str:
    """In their usual case and order, each once; raises UseNotPossible."""
    asked = {use.lower(): use for use in uses.split()}
    found = [use for use in SPECIAL_USES if asked.pop(use.lower(), None)]
    for unknown in asked.values():
        raise UseNotPossible(why=f"{unknown[:40]} is none of {' '.join(SPECIAL_USES)}")
    return " ".join(found)


def give(index: Index, folder: int, uses: str) -> None:
    """The folder has these uses from now on (and no others), and no other folder has them; inside a transaction.

    Who loses one has a changed annotation.
    """
    wanted = set(uses.split())
    modseq = index.next_modseq()
    for other, had in index.all("SELECT id, special_use FROM folders WHERE special_use != ''"):
        left = [use for use in had.split() if use not in wanted]
        if other != folder and len(left) < len(had.split()):
            index.execute("UPDATE folders SET special_use = ? WHERE id = ?", " ".join(left), other)
            index.execute("INSERT OR REPLACE INTO metadata VALUES (?, ?, NULL, ?)", other, USE_ENTRY, modseq)
    index.execute("UPDATE folders SET special_use = ? WHERE id = ?", uses, folder)


def is_taken(index: Index, use: str) -> bool:
    """Whether a folder has the use."""
    return any(use in had.split() for (had,) in index.all("SELECT special_use FROM folders WHERE special_use != ''"))
