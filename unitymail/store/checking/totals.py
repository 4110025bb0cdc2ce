"""Numbers that sum up or lead on: totals of folders, the next UID, MODSEQs, the counter of UIDVALIDITY.

Knows what must be above what; refuses to look at messages one by one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

from unitymail.store import validity
from unitymail.store.checking.problem import Case, Problem
from unitymail.store.index import BLOCK
from unitymail.store.schema import UID_BITS, UID_MASK
from unitymail.store.validity import HIGHEST, next_uidvalidity

_COUNTED = f"""
    SELECT folders.id, name, folders.messages, folders.octets, uidnext, recent_from, highest_modseq, uidvalidity,
    (SELECT count(*) FROM messages WHERE id >> {UID_BITS} = folders.id),
    (SELECT ifnull(sum(facts.octets), 0) FROM messages JOIN facts USING (id) WHERE id >> {UID_BITS} = folders.id),
    max(ifnull((SELECT max(id) FROM messages WHERE id BETWEEN first AND last), first),
        ifnull((SELECT max(id) FROM files WHERE id BETWEEN first AND last), first),
        ifnull((SELECT max(id) FROM expunged WHERE id BETWEEN first AND last), first)) & {UID_MASK},
    max(ifnull((SELECT max(modseq) FROM messages WHERE id >> {UID_BITS} = folders.id), 0),
        ifnull((SELECT max(modseq) FROM expunged WHERE id >> {UID_BITS} = folders.id), 0))
    FROM (SELECT *, id << {UID_BITS} AS first, id << {UID_BITS} | {UID_MASK} AS last FROM folders) AS folders"""


def of_folders(case: Case) -> Iterator[Problem]:
    for row in case.index.all(_COUNTED):
        id, name, messages, octets, uidnext, recent_from, modseq, _, count, total, last, newest = row
        if (messages, octets) != (count, total):
            what = f"it is said to hold {messages} messages of {octets} octets, and holds {count} of {total}"
            yield Problem("totals", name, what, partial(_set, case, id, messages=count, octets=total))
        if uidnext <= last:
            what = f"the next UID would be {uidnext}, and {last} was given already"
            yield Problem("counters", name, what, partial(_set, case, id, uidnext=last + 1))
        if not 1 <= recent_from <= max(uidnext, last + 1):
            what = f"messages are new from UID {recent_from} on, which is none"
            yield Problem("counters", name, what, partial(_set, case, id, recent_from=max(uidnext, last + 1)))
        if modseq < newest:
            what = f"HIGHESTMODSEQ is {modseq}, and {newest} was given already"
            yield Problem("counters", name, what, partial(_set, case, id, highest_modseq=newest))


def _set(case: Case, folder: int, **values: int) -> None:
    columns = ", ".join(f"{column} = ?" for column in values)
    with case.index.changing(durable=True):
        case.index.execute(f"UPDATE folders SET {columns} WHERE id = ?", *values.values(), folder)
    if (there := case.account.folder_of_row(case.index, folder)) is not None:
        there.catch_up(case.index)
    case.account.note_usage(case.index)


def of_account(case: Case) -> Iterator[Problem]:
    modseq, content = case.index.one("SELECT modseq, content FROM counters")
    newest = case.index.one(
        "SELECT max(ifnull((SELECT max(highest_modseq) FROM folders), 0),"
        " ifnull((SELECT max(modseq) FROM messages), 0), ifnull((SELECT max(modseq) FROM expunged), 0))"
    )[0]
    if modseq < newest:
        what = f"the next MODSEQ would be {modseq + 1}, and {newest} was given already"
        statement = "UPDATE counters SET modseq = max(modseq, ?1), reserved = max(reserved, ?1 + ?2), clean = 0"
        yield Problem("counters", "", what, partial(_count, case, statement, newest, BLOCK))
    last = case.index.one("SELECT ifnull(max(content), 0) FROM facts")[0]
    if content < last:
        what = f"the next EMAILID would be {content + 1}, and {last} was given already"
        yield Problem("counters", "", what, partial(_count, case, "UPDATE counters SET content = ?", last))


def _count(case: Case, statement: str, *values: int) -> None:
    with case.index.changing(durable=True):
        case.index.execute(statement, *values)


def uidvalidities(case: Case) -> Iterator[Problem]:
    """Values that IMAP does not know, and the file that sees to it that none is given twice."""
    account = case.account
    for id, name, value in case.index.all("SELECT id, name, uidvalidity FROM folders"):
        if not 0 < value <= HIGHEST:
            what = f"its UIDVALIDITY is {value}, which no client takes; with a new one they read the folder anew"
            yield Problem("uidvalidity", name, what, partial(_give_new, case, id))
    if not validity.last_in(os.path.join(account.access.directory, validity.FILE)):
        what = f"the file {validity.FILE} is missing or damaged"
        if case.index.one("SELECT 1 FROM folders"):
            yield Problem("uidvalidity", "", what, partial(_next, case))


def _give_new(case: Case, folder: int) -> None:
    _set(case, folder, uidvalidity=_next(case))


def _next(case: Case) -> int:
    account = case.account
    floor: int = case.index.one(
        "SELECT ifnull(max(uidvalidity), 0) FROM folders WHERE uidvalidity <= ?", HIGHEST
    )[0]
    return next_uidvalidity(account.disk, account.access.directory, account.now(), floor, account.temporary)
