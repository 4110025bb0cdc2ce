"""Directories and the rows of `folders`: each folder is where its row says, has all its parts, and can be seen.

Knows Maildir++ on disk; refuses to look into folders.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

from unitymail.store import layout, moving
from unitymail.store.checking.problem import Case, Problem, some
from unitymail.store.keeping import ensure_directory
from unitymail.store.names import LONG_PREFIX, directory_of
from unitymail.store.renamed import find_again
from unitymail.store.snapshots import ROW, FolderRow
from unitymail.store.takeover.source import folders_at


def parts(case: Case) -> Iterator[Problem]:
    """A folder that lacks cur/, new/ or tmp/ is not seen, or takes no mail."""
    account = case.account
    for directory, name in folders_at(account.path):
        place = os.path.join(account.path, directory)
        if missing := [part for part in layout.PARTS if not os.path.isdir(os.path.join(place, os.fsencode(part)))]:
            what = f"its directory lacks {', '.join(missing)}"
            yield Problem("directory", name, what, partial(_make_parts, case, place, missing))


def _make_parts(case: Case, place: bytes, missing: list[str]) -> None:
    for part in missing:
        ensure_directory(case.account.disk, os.path.join(os.fsdecode(place), part))
    case.account.disk.flush_directory(os.fsdecode(place))


def hidden(case: Case) -> Iterator[Problem]:
    """Directories with mail that stand for no folder that a client can see."""
    account = case.account
    visible = {directory: name for name, directory in layout.folders_in(account.path).items()}
    lost_names = dict(case.index.all("SELECT directory, name FROM folders"))
    for directory, name in folders_at(account.path):
        if directory in visible or not os.path.isdir(os.path.join(account.path, directory, b"cur")):
            continue
        known = lost_names.get(directory, "")
        if directory.startswith(LONG_PREFIX.encode()) and known and os.fsencode(directory_of(known)) == directory:
            what = f"the file {layout.NAME_FILE} in its directory says no name, so that no client sees it"
            mend = partial(layout.write_long_name, account.disk, account.path, directory, known, account.temporary)
            yield Problem("directory", known, what, mend)
        else:
            what = f"the directory {os.fsdecode(directory)} stands for no folder that a client can see"
            yield Problem("directory", name, what, partial(moving.rename, account, case.index, [(directory, name)]))


def names(case: Case) -> Iterator[Problem]:
    """Rows whose name is not that of their directory."""
    visible = {directory: name for name, directory in layout.folders_in(case.account.path).items()}
    for row in _rows(case):
        name = visible.get(row.directory)
        if name is not None and name != row.name:
            yield Problem("directory", name, f"the index calls it {row.name!r}", partial(_rename, case, row, name))


def _rename(case: Case, row: FolderRow, name: str) -> None:
    with case.index.changing(durable=True):
        case.index.execute("UPDATE folders SET name = ? WHERE id = ?", name, row.id)
    if (folder := case.account.folder_of_row(case.index, row.id)) is not None:
        folder.catch_up(case.index)


def lost(case: Case) -> Iterator[Problem]:
    """Rows whose directory somebody removed, or moved where it can be found again."""
    for row in _rows(case):
        if os.path.isdir(os.path.join(case.account.path, row.directory)):
            continue
        count = case.index.one("SELECT count(*) FROM messages WHERE id >> 32 = ?", row.id)[0]
        what = f"its directory is gone, with {some(count, 'message')} that the index knows"
        yield Problem("lost directory", row.name, what, partial(_find_or_forget, case, row))


def _find_or_forget(case: Case, row: FolderRow) -> None:
    if find_again(case.account, case.index, row) is not None:
        return
    with case.index.changing(durable=True):
        moving.drop_row_at(case.account, case.index, row.directory)
    case.account.note_usage(case.index)


def _rows(case: Case) -> list[FolderRow]:
    return [FolderRow(*values) for values in case.index.all(ROW)]
