"""A change of class: messages that are to be shown otherwise than they were get other UIDs.

Knows which messages a rule concerns and what stays the same of them; refuses to know why the rule came.

*Note: renewed.* A decided message keeps its form for as long as it has its UID. When a rule comes that would show it
otherwise, it gets another UID and content, undecided, in the one transaction that puts the rule in force: in all
folders alike, so that no client sees two rules at work. Its file stays where it is.

*Note: whose word counts.* Processes learn of changes in the directory one after the other, so each rule is kept with
the number of the change (USN) that its writer knew: an older book does not bring an older rule back. Only where the
rule is in force for a minute, and the book is still older, was the directory itself set back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from mmap import mmap
from typing import TYPE_CHECKING

from unitymail.mail.secrecy import Secrecy
from unitymail.policy.withholding import Ruling, Withholding, reason_to_withhold
from unitymail.store.chosen import chosen, in_chunks
from unitymail.store.content import Content, open_file
from unitymail.store.finding import found
from unitymail.store.forgetting import drop_unused
from unitymail.store.index import Index
from unitymail.store.maildir import is_own, path_in, trace_of
from unitymail.store.schema import RENEWED, UID_BITS, UID_MASK, first_id
from unitymail.store.withholding import LEFT, InForce, in_force, keep_secrecy, put_in_force, shows_at_once

if TYPE_CHECKING:
    from unitymail.store.account import Account
    from unitymail.store.folder import Folder

SET_BACK_S = 60
READ_AT_ONCE = 200
LOOKED_AT_ONCE = 2000
_DECIDED = "facts.size IS NOT NULL"
_TABLES = {
    "renewed": "before INTEGER PRIMARY KEY, after INTEGER NOT NULL, content INTEGER NOT NULL",
    "fresh": "before INTEGER PRIMARY KEY, after INTEGER NOT NULL",
}
"""For the time of a change: ids of messages, and contents, as they were and as they become."""
_LIVE = "messages CROSS JOIN facts USING (id) CROSS JOIN files USING (id) LEFT JOIN secrecy USING (content)"


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a change of class came to: the account, the names of folders with new UIDs, and how many these are."""

    account: str
    folders: tuple[str, ...]
    messages: int


def follow(account: Account, index: Index, ruling: Ruling) -> Renewed | None:
    """Put the ruling in force unless it is, or the index knows better; what that changed. Outside a transaction."""
    if not _is_news(ruling, in_force(index), account.now()):
        return None
    with account.access.alone() as index:
        _learn(account, index)
        with index.changing(durable=_has_messages(index)):
            if not _is_news(ruling, in_force(index), account.now()):
                return None
            renewed = _renew(account, index, ruling.withholding)
            put_in_force(index, InForce(ruling.withholding, ruling.usn, int(account.now())))
        account.live.catch_up(index)
        return renewed


def _is_news(ruling: Ruling, known: InForce, now: float) -> bool:
    if ruling.withholding == known.withholding:
        return False
    return ruling.usn > known.usn or abs(now - known.since) > SET_BACK_S


def _has_messages(index: Index) -> bool:
    return index.one("SELECT 1 FROM messages LIMIT 1") is not None


def _learn(account: Account, index: Index) -> None:
    """Look into the files of decided messages of which it is not known what they ask for."""
    last = -1
    folders: dict[int, Folder | None] = {}
    while some := index.all(
        f"SELECT id, content, base, seen FROM {_LIVE} WHERE id > ? AND {_DECIDED} AND marks IS NULL ORDER BY id"
        " LIMIT ?",
        last, READ_AT_ONCE,
    ):  # fmt: skip
        last = some[-1][0]
        known = []
        for id, content, base, seen in some:
            number = id >> UID_BITS
            if number not in folders:
                folders[number] = account.folder_of_row(index, number)
            folder = folders[number]
            buffer = None if folder is None or is_own(base) else _read(folder, index, id, base, seen)
            if buffer is not None:
                known.append((content, account.withholder.secrecy(buffer, ours=bool(trace_of(base)))))
                Content(buffer).close()
        with index.changing():
            keep_secrecy(index, known)


def _read(folder: Folder, index: Index, id: int, base: bytes, seen: bytes) -> bytes | mmap | None:
    """The file of a message, where it was last seen or where it is by now."""
    try:
        return open_file(path_in(folder.path, base, seen))
    except FileNotFoundError:
        file = found(folder, index, id & UID_MASK)
        return None if file is None else file[1]


def _renew(account: Account, index: Index, rule: Withholding) -> Renewed:
    """New UIDs and contents for the messages that `rule` shows otherwise; inside a transaction."""
    for name, columns in _TABLES.items():
        index.execute(f"CREATE TEMP TABLE {name} ({columns})")
    counts = _chosen(index, rule)
    if counts:
        _give_contents(index, account.now())
        _give_uids(index, counts, int(account.now()))
    _see_off(index, rule)
    names = index.all("SELECT name FROM folders WHERE id IN " + chosen(), str(list(counts)))
    for name in _TABLES:
        index.execute(f"DROP TABLE {name}")
    return Renewed(account.id, tuple(sorted(name for (name,) in names)), sum(counts.values()))


def _chosen(index: Index, rule: Withholding) -> dict[int, int]:
    """Write down whom it concerns, with their next UIDs in the order they had; how many of each folder."""
    uidnext: dict[int, int] = dict(index.all("SELECT id, uidnext FROM folders"))
    counts: dict[int, int] = {}
    last = -1
    while some := index.all(
        f"SELECT id, content, marks, withheld, base FROM {_LIVE} WHERE id > ? AND {_DECIDED} ORDER BY id LIMIT ?",
        last, LOOKED_AT_ONCE,
    ):  # fmt: skip
        last = some[-1][0]
        affected = []
        for id, content, marks, withheld, base in some:
            if not _shows_alike(rule, marks, withheld, base):
                number = id >> UID_BITS
                count = counts[number] = counts.get(number, 0) + 1
                affected.append((id, first_id(number) + uidnext[number] + count - 1, content))
        index.many("INSERT INTO renewed VALUES (?, ?, ?)", affected)
    return counts


def _secrecy(marks: int) -> Secrecy:
    return Secrecy(bool(marks & 1), bool(marks & 2))


def _shows_alike(rule: Withholding, marks: int | None, withheld: int, base: bytes) -> bool:
    """Whether a decided message looks as it should; of one whose file cannot be found nobody knows."""
    if shows_at_once(rule, base):
        return not withheld
    if marks is None:
        return False
    return bool(reason_to_withhold(_secrecy(marks), rule)) == bool(withheld)


def _give_contents(index: Index, now: float) -> None:
    """What belongs to a content whatever its form goes with it: what it asks for, its thread, receipts."""
    count: int = index.one("SELECT count(DISTINCT content) FROM renewed")[0]
    index.execute(
        "INSERT INTO fresh SELECT content, ? + row_number() OVER (ORDER BY content)"
        " FROM (SELECT DISTINCT content FROM renewed)",
        index.next_contents(count, now)[0] - 1,
    )
    for table, column in (("secrecy", "marks"), ("threads", "thread")):
        index.execute(f"INSERT INTO {table} SELECT after, {column} FROM fresh CROSS JOIN {table} ON content = before")
    for table in ("receipts", "read_before", "marked_by_age"):
        index.execute(f"UPDATE {table} SET content = after FROM fresh WHERE content = before")


def _give_uids(index: Index, counts: Mapping[int, int], now: int) -> None:
    """The messages leave and come back at once; nobody is told that they are \\Recent."""
    modseq = index.next_modseq()
    index.many(
        "UPDATE folders SET uidnext = uidnext + ?1, highest_modseq = ?2,"
        " recent_from = CASE WHEN recent_from >= uidnext THEN uidnext + ?1 ELSE recent_from END WHERE id = ?3",
        [(count, modseq, number) for number, count in counts.items()],
    )
    index.execute(
        "INSERT INTO expunged SELECT before, ?, ?, ?, flags, x'' FROM renewed CROSS JOIN messages ON id = before",
        modseq, now, RENEWED,
    )  # fmt: skip
    index.execute("UPDATE messages SET id = after, modseq = ? FROM renewed WHERE id = before", modseq)
    for table in ("files", "pending"):
        index.execute(f"UPDATE {table} SET id = after FROM renewed WHERE id = before")
    index.execute(
        "UPDATE facts SET id = renewed.after, content = fresh.after, size = NULL, withheld = 0"
        " FROM renewed CROSS JOIN fresh ON fresh.before = renewed.content WHERE id = renewed.before"
    )
    for contents in in_chunks([content for (content,) in index.all("SELECT before FROM fresh")]):
        drop_unused(index, contents)


def _see_off(index: Index, rule: Withholding) -> None:
    """Of messages that left, but whose files are still there, nobody gets a form that they would not get by now."""
    leaving = index.all(
        f"SELECT id, marks, withheld, files.base FROM expunged CROSS JOIN facts USING (id) CROSS JOIN files USING (id)"
        f" LEFT JOIN secrecy USING (content) WHERE expunged.base IS NULL AND {_DECIDED}"
    )
    gone = [id for id, *shown in leaving if not _shows_alike(rule, *shown)]
    index.execute("UPDATE facts SET withheld = ? WHERE id IN " + chosen(), LEFT, str(gone))
