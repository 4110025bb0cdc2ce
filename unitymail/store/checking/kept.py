"""What the index keeps besides: of contents that are gone, words of gone messages, where threads go on, packed
snapshots, the undelete list.

Refuses to know messages that are there.
"""

from __future__ import annotations

import os
import sqlite3
from array import array
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from unitymail.mail.ties import tokens_of
from unitymail.store.checking.problem import Case, Problem, some
from unitymail.store.checking.rows import delete
from unitymail.store.chosen import chosen
from unitymail.store.forgetting import OF_CONTENTS
from unitymail.store.fulltext.catalogue import Unusable
from unitymail.store.fulltext.filling import CLEAR_EVERY_S
from unitymail.store.snapshots import FLAGS, MODSEQS, UIDS, from_rows

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

_TIED_AT_ONCE = 2000


def of_gone_contents(case: Case) -> Iterator[Problem]:
    for table in OF_CONTENTS:
        where = "content NOT IN (SELECT content FROM facts)"
        if count := case.index.one(f"SELECT count(*) FROM {table} WHERE {where}")[0]:
            what = f"{some(count, 'row')} in {table} of messages that are gone"
            yield Problem("gone contents", "", what, partial(delete, case.index, f"DELETE FROM {table} WHERE {where}"))


def words(case: Case) -> Iterator[Problem]:
    """The full-text index must find nobody who is gone, but for those that left since it was last seen to."""
    full_text = case.account.full_text
    if not full_text.exists:
        return
    contents = [content for (content,) in case.index.all("SELECT DISTINCT content FROM facts")]
    try:
        left = full_text.left_over(contents)
    except (Unusable, sqlite3.Error, OSError) as error:
        what = f"the full-text index cannot be read ({error or 'it is damaged'}); the next search begins a new one"
        yield Problem("full text", "", what, full_text.forget)
        return
    since = full_text.changed_at - CLEAR_EVERY_S
    if len(left) > case.index.one("SELECT count(*) FROM expunged WHERE at >= ?", int(since))[0]:
        what = f"the full-text index holds {some(len(left), 'message that is', 'messages that are')} gone"
        yield Problem("full text", "", what, partial(full_text.remove, left))


def ties(case: Case) -> Iterator[Problem]:
    """An answer to any message must come into a thread that is there."""
    living = {thread for (thread,) in case.index.all("SELECT DISTINCT thread FROM threads")}
    lost: dict[int, int] = {}
    last = -1
    while messages := case.index.all(
        "SELECT content, thread, ties FROM threads JOIN ties USING (content) WHERE content > ?"
        " ORDER BY content LIMIT ?",
        last, _TIED_AT_ONCE,
    ):  # fmt: skip
        last = messages[-1][0]
        tied = {token: thread for _, thread, packed in reversed(messages) for token in tokens_of(packed)}
        known = dict(
            case.index.all(f"SELECT tie, thread FROM thread_of_tie WHERE tie IN {chosen()}", str(list(tied)))
        )
        lost = {token: thread for token, thread in tied.items() if known.get(token) not in living} | lost
    if lost:
        what = f"{some(len(lost), 'message id leads', 'message ids lead')} answers to no thread that is there"
        yield Problem("threads", "", what, partial(_lead_back, case, lost))


def _lead_back(case: Case, lost: Mapping[int, int]) -> None:
    """To the thread of the first message that has the id, or refers to it."""
    with case.index.changing():
        case.index.many("INSERT OR REPLACE INTO thread_of_tie VALUES (?, ?)", lost.items())


def packed(case: Case, folder: Folder) -> Iterator[Problem]:
    """A packed snapshot that is not what the rows say would be shown to whoever opens the folder next."""
    row = case.index.one(
        "SELECT modseq, uidvalidity, uids, flags, modseqs FROM packed WHERE folder = ?", folder.row.id
    )
    if row is None or row[1] != folder.row.uidvalidity or _is_true(case, folder, row):
        return
    yield Problem("packed", folder.name, "its packed form is not what its rows say", partial(_unpack, case, folder))


def _is_true(case: Case, folder: Folder, row: tuple[int, int, bytes, bytes, bytes]) -> bool:
    """As far as its messages have not changed since."""
    modseq = row[0]
    try:
        uids, flags, modseqs = array(UIDS, row[2]), array(FLAGS, row[3]), array(MODSEQS, row[4])
    except ValueError:
        return False
    if not len(uids) == len(flags) == len(modseqs) or list(uids) != sorted(set(uids)):
        return False
    now = from_rows(case.index, folder.row, 1)
    was = {uid: (number, at) for uid, number, at in zip(uids, flags, modseqs, strict=True)}
    told = {uid: (number, at) for uid, number, at in zip(now.uids, now.flags, now.modseqs, strict=True) if at <= modseq}
    if any(was.get(uid) != value for uid, value in told.items()):
        return False
    gone = was.keys() - set(now.uids)
    known = case.index.one(
        "SELECT count(*) FROM expunged WHERE modseq > ? AND id IN " + chosen(),
        modseq, str([folder.id_of(uid) for uid in gone]),
    )[0]  # fmt: skip
    return bool(known == len(gone))


def _unpack(case: Case, folder: Folder) -> None:
    delete(case.index, f"DELETE FROM packed WHERE folder = {folder.row.id}")
    folder.forget_snapshot()


def undelete(case: Case) -> Iterator[Problem]:
    """What could not be brought back, because its file is gone."""
    rows = case.index.all("SELECT id, path FROM undelete")
    gone = [id for id, path in rows if not os.path.lexists(os.path.join(case.account.path, path))]
    if gone:
        what = f"{some(len(gone), 'expunged message')} in the list of those that can come back, without a file"
        statement = f"DELETE FROM undelete WHERE id IN ({','.join(map(str, gone))})"
        yield Problem("undelete", "", what, partial(delete, case.index, statement))
