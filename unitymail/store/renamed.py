"""Folders that another program renamed: a directory that came and a row whose directory went are one folder.

Knows that the names of its files tell which; refuses to know how folders are named. So a folder keeps its UIDs, flags,
keywords and annotations, and who has it open goes on, as after a RENAME of our own. An empty folder leaves no trace:
what comes in its place is a new one.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

from unitymail.store import layout, moving
from unitymail.store.index import Index
from unitymail.store.maildir import listing, split
from unitymail.store.schema import first_id, last_id
from unitymail.store.snapshots import ROW, FolderRow, read_row

if TYPE_CHECKING:
    from unitymail.store.account import Account

SAMPLE = 100
"""Names of a directory that are looked up; half of them must be known as the folder's."""


def claimed(account: Account, index: Index, name: str, directory: bytes) -> FolderRow | None:
    """The row, of those whose directories are gone, that a directory belongs to; under the write lock.

    The directory has no row, or one of an empty folder that may have been renamed before.
    """
    lost = [row for row in _rows(index) if not _is_there(account, row.directory)]
    if not lost:
        return None
    best = _owner(index, lost, _sample(os.path.join(account.path, directory)))
    return None if best is None else _moved(account, index, best, name, directory)


def may_be_another(account: Account, index: Index, row: FolderRow) -> bool:
    """Whether the directory of this row may have come in its place: it is empty, and others are gone."""
    ids = first_id(row.id), last_id(row.id)
    if index.one("SELECT 1 FROM messages WHERE id BETWEEN ? AND ? LIMIT 1", *ids):
        return False
    return not all(_is_there(account, other.directory) for other in _rows(index))


def find_again(account: Account, index: Index, row: FolderRow) -> FolderRow | None:
    """The row of a folder whose directory is gone, with the directory that it has now; under the write lock."""
    rows = _rows(index)
    taken = {other.directory for other in rows}
    lost = [other for other in rows if not _is_there(account, other.directory)]
    for name, directory in layout.folders_in(account.path).items():
        if directory not in taken:
            owner = _owner(index, lost, _sample(os.path.join(account.path, directory)))
            if owner is not None and owner.id == row.id:
                return _moved(account, index, row, name, directory)
    return None


def follow(account: Account, index: Index) -> None:
    """Find all again, before their old names are given to others; under the write lock."""
    for row in _rows(index):
        if not _is_there(account, row.directory):
            find_again(account, index, row)


def _rows(index: Index) -> list[FolderRow]:
    return [FolderRow(*values) for values in index.all(ROW)]


def _is_there(account: Account, directory: bytes) -> bool:
    return not directory or os.path.isdir(os.path.join(account.path, directory))


def _sample(path: bytes) -> list[bytes]:
    names = (name for part in (b"cur", b"new") for name in _listing(os.path.join(path, part)))
    return [split(name)[0] for name in islice(names, SAMPLE)]


def _listing(path: bytes) -> list[bytes]:
    try:
        return listing(path)
    except FileNotFoundError:
        return []


def _owner(index: Index, lost: list[FolderRow], bases: list[bytes]) -> FolderRow | None:
    """The row that knows most of these names and half of them at least; of several the one that was changed last, for
    files may have been moved to it from another one."""
    if not (lost and bases):
        return None
    rank = {row.id: (_known(index, row, bases), row.highest_modseq) for row in lost}
    best = max(lost, key=lambda row: rank[row.id])
    return best if 2 * rank[best.id][0] >= len(bases) else None


def _known(index: Index, row: FolderRow, bases: list[bytes]) -> int:
    found: int = index.one(
        f"SELECT count(*) FROM files WHERE base IN ({','.join('?' * len(bases))}) AND id BETWEEN ? AND ?",
        *bases, first_id(row.id), last_id(row.id),
    )[0]  # fmt: skip
    return found


def _moved(account: Account, index: Index, row: FolderRow, name: str, directory: bytes) -> FolderRow:
    with index.changing(durable=True):
        moving.drop_row_at(account, index, directory, but=(row.id,))
        index.execute("UPDATE folders SET directory = ?, name = ? WHERE id = ?", directory, name, row.id)
    if (folder := account.folder_of_row(index, row.id)) is not None:
        folder.catch_up(index)
    moved = read_row(index, "WHERE id = ?", row.id)
    assert moved is not None
    return moved
