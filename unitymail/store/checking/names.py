"""Names of files against the flags of their messages. Refuses to look whether the files are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from unitymail.store.checking.problem import Case, Problem, some
from unitymail.store.index import Index
from unitymail.store.keywords import add_keywords, keywords_of
from unitymail.store.maildir import CUR, suffix_for

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

_HAS_FLAGS = "flags IN (SELECT id FROM combinations)"
"""Those of others are mended by the check of rows, or told by it."""


def behind(case: Case, folder: Folder) -> Iterator[Problem]:
    """Files whose names tell other flags than the index, and which do not wait to be renamed."""
    rows = case.index.all(
        "SELECT id, seen, flags FROM messages CROSS JOIN files USING (id)"
        f" WHERE id BETWEEN ? AND ? AND id NOT IN (SELECT id FROM pending) AND {_HAS_FLAGS}",
        *folder.ids(),
    )
    letters, flags_of = folder.letters, case.index.flags_of
    ids = [id for id, seen, number in rows if seen != CUR + suffix_for(flags_of(number), seen, letters)]
    if ids:
        what = f"the names of {some(len(ids), 'file')} tell other flags than the index, and nobody renames them"
        yield Problem("pending names", folder.name, what, partial(_wait, case.index, ids))


def _wait(index: Index, ids: Sequence[int]) -> None:
    """They follow with the next settling."""
    with index.changing():
        index.many("INSERT OR IGNORE INTO pending VALUES (?)", [(id,) for id in ids])


def keywords(case: Case, folder: Folder) -> Iterator[Problem]:
    """Keywords on messages of which clients are not told that the folder has them."""
    known = {name.lower() for name in keywords_of(case.index, folder.row.id)}
    statement = f"SELECT DISTINCT flags FROM messages WHERE id BETWEEN ? AND ? AND {_HAS_FLAGS}"
    used = case.index.all(statement, *folder.ids())
    flags = {flag for (number,) in used for flag in case.index.flags_of(number)}
    missing = sorted(flag for flag in flags if not flag.startswith("\\") and flag.lower() not in known)
    if missing:
        what = f"messages carry keywords that the folder does not list: {' '.join(missing)}"
        yield Problem("keywords", folder.name, what, partial(_add, case, folder, missing))


def _add(case: Case, folder: Folder, missing: Sequence[str]) -> None:
    with case.index.changing():
        add_keywords(case.index, folder.row.id, missing)
