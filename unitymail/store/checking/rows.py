"""Rows that do not fit each other: of folders that are no more, without their other half, twice.

Knows the tables; refuses to look at the disk. What is mended never loses a file: a row that cannot be trusted goes, and
the next look finds its file and takes it in as a message with a new UID.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from unitymail.store.checking.problem import Case, Problem, some
from unitymail.store.chosen import chosen
from unitymail.store.forgetting import forget
from unitymail.store.index import Index
from unitymail.store.keywords import fitting
from unitymail.store.maildir import flags_of
from unitymail.store.schema import UID_BITS, VANISHED

OF_MESSAGES = ("messages", "files", "facts", "pending", "expunged")
OF_FOLDERS = ("keywords", "lettered", "metadata", "packed", "bins")
NAMELESS = b""
"""Stands for the name of a file that must not be taken for an expunged one."""

_CONTRADICTIONS = (
    ("a row of a message without that of its file",
     "SELECT id FROM messages WHERE NOT EXISTS (SELECT 1 FROM files WHERE files.id = messages.id)"),
    ("a row of a message without its facts",
     "SELECT id FROM messages WHERE NOT EXISTS (SELECT 1 FROM facts WHERE facts.id = messages.id)"),
    ("a row of a file without its facts",
     "SELECT id FROM files WHERE NOT EXISTS (SELECT 1 FROM facts WHERE facts.id = files.id)"),
    ("facts without the row of a file",
     "SELECT id FROM facts WHERE NOT EXISTS (SELECT 1 FROM files WHERE files.id = facts.id)"),
    ("a row that hides a file, for a message that is neither there nor expunged",
     "SELECT id FROM files WHERE NOT EXISTS (SELECT 1 FROM messages WHERE messages.id = files.id)"
     " AND NOT EXISTS (SELECT 1 FROM expunged WHERE expunged.id = files.id AND base IS NULL)"),
    ("a message that is there and expunged",
     "SELECT id FROM messages WHERE EXISTS (SELECT 1 FROM expunged WHERE expunged.id = messages.id)"),
    ("a second row for one file",
     "SELECT id FROM files JOIN (SELECT id >> 32 AS folder, base AS twice,"
     " min(iif(id IN (SELECT id FROM messages), id, id | 1 << 62)) AS kept FROM files"
     " GROUP BY folder, twice HAVING count(*) > 1) ON id >> 32 = folder AND base = twice AND id <> kept"),
)  # fmt: skip
"""What is wrong, and whose ids that are."""


def of_no_folder(case: Case) -> Iterator[Problem]:
    for table in OF_MESSAGES:
        where = f"id >> {UID_BITS} NOT IN (SELECT id FROM folders)"
        yield from _unwanted(case, table, where, "of a folder that is no more")
    for table in OF_FOLDERS:
        where = "folder <> 0 AND folder NOT IN (SELECT id FROM folders)"
        yield from _unwanted(case, table, where, "of a folder that is no more")


def needless(case: Case) -> Iterator[Problem]:
    """Names that wait to follow a message that is not there."""
    yield from _unwanted(case, "pending", "id NOT IN (SELECT id FROM messages)", "of a message that is not there")


def _unwanted(case: Case, table: str, where: str, why: str) -> Iterator[Problem]:
    if count := case.index.one(f"SELECT count(*) FROM {table} WHERE {where}")[0]:
        what = f"{some(count, 'row')} in {table} {why}"
        yield Problem("orphan rows", "", what, partial(delete, case.index, f"DELETE FROM {table} WHERE {where}"))


def delete(index: Index, statement: str) -> None:
    with index.changing(durable=True):
        index.execute(statement)


def contradictions(case: Case) -> Iterator[Problem]:
    """Rows that cannot all be true."""
    names = dict(case.index.all("SELECT id, name FROM folders"))
    for what, statement in _CONTRADICTIONS:
        by_folder: dict[int, list[int]] = {}
        for (id,) in case.index.all(statement):
            by_folder.setdefault(id >> UID_BITS, []).append(id)
        for folder, ids in by_folder.items():
            if folder in names:
                words = f"{what} ({some(len(ids), 'message')})"
                yield Problem("orphan rows", names[folder], words, partial(begin_anew, case, folder, ids))


def begin_anew(case: Case, folder: int, ids: Sequence[int]) -> None:
    """These UIDs are gone for clients; what files they have are found as new ones at the next look."""
    index = case.index
    with index.changing(durable=True):
        vanish(case, folder, ids)
        forget(index, ids)
        index.execute(
            "UPDATE folders SET new_mark = 0, new_verify = 0, cur_mark = 0, cur_verify = 0 WHERE id = ?", folder
        )
    if (open_folder := case.account.folder_of_row(index, folder)) is not None:
        open_folder.catch_up(index)


def vanish(case: Case, folder: int, ids: Sequence[int]) -> None:
    """No client has these any more; inside a transaction. Totals are counted anew."""
    index, wanted = case.index, str(list(ids))
    modseq, now = index.next_modseq(), int(case.account.now())
    index.execute("UPDATE expunged SET base = ? WHERE id IN " + chosen(), NAMELESS, wanted)
    index.execute(
        "INSERT OR IGNORE INTO expunged SELECT value, ?, ?, ?, 0, ? FROM json_each(?)",
        modseq, now, VANISHED, NAMELESS, wanted,
    )  # fmt: skip
    index.execute("UPDATE expunged SET modseq = ? WHERE id IN " + chosen(), modseq, wanted)
    index.execute("DELETE FROM messages WHERE id IN " + chosen(), wanted)
    index.execute(
        "UPDATE folders SET highest_modseq = ?1,"
        " messages = (SELECT count(*) FROM messages WHERE id >> 32 = ?2),"
        " octets = (SELECT ifnull(sum(octets), 0) FROM messages JOIN facts USING (id) WHERE id >> 32 = ?2)"
        " WHERE id = ?2",
        modseq, folder,
    )  # fmt: skip


def stuck(case: Case) -> Iterator[Problem]:
    """Expunged messages that would wait for ever until a file leaves that nothing is known of."""
    where = "base IS NULL AND id NOT IN (SELECT id FROM files)"
    if count := case.index.one(f"SELECT count(*) FROM expunged WHERE {where}")[0]:
        what = f"{some(count, 'expunged message')} whose file is not known"
        statement = f"UPDATE expunged SET base = x'' WHERE {where}"
        yield Problem("orphan rows", "", what, partial(delete, case.index, statement))


def flags(case: Case) -> Iterator[Problem]:
    """Messages whose flags are a number that stands for nothing."""
    for number, name in case.index.all("SELECT id, name FROM folders"):
        ids = case.index.all(
            f"SELECT id FROM messages WHERE id >> {UID_BITS} = ? AND flags NOT IN (SELECT id FROM combinations)", number
        )
        if ids:
            what = f"{some(len(ids), 'message')} with flags that stand for nothing"
            yield Problem("flags", name, what, partial(_reset_flags, case, number, [id for (id,) in ids]))


def _reset_flags(case: Case, number: int, ids: Sequence[int]) -> None:
    """The file's name tells them."""
    index, folder = case.index, case.account.folder_of_row(case.index, number)
    letters = () if folder is None else folder.letters
    with index.changing(durable=True):
        modseq = index.next_modseq()
        for id, seen in index.all("SELECT id, seen FROM files WHERE id IN " + chosen(), str(list(ids))):
            told = fitting(index, number, flags_of(seen, letters))
            index.execute("UPDATE messages SET flags = ?, modseq = ? WHERE id = ?", index.number_of(told), modseq, id)
        index.execute("UPDATE folders SET highest_modseq = ? WHERE id = ?", modseq, number)
