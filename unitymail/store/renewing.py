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

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitymail.mail.secrecy import Secrecy
from unitymail.policy.withholding import Ruling, Withholding, reason_to_withhold
from unitymail.store.chosen import chosen, in_chunks
from unitymail.store.content import Content
from unitymail.store.finding import found
from unitymail.store.forgetting import drop_unused
from unitymail.store.index import Index
from unitymail.store.maildir import is_own, trace_of
from unitymail.store.schema import RENEWED, UID_BITS, UID_MASK, first_id
from unitymail.store.withholding import InForce, in_force, keep_secrecy, put_in_force, shows_at_once

if TYPE_CHECKING:
    from unitymail.store.account import Account
    from unitymail.store.folder import Folder

SET_BACK_S = 60
READ_AT_ONCE = 200
_DECIDED = "facts.size IS NOT NULL"
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
        f"SELECT id, content, base FROM {_LIVE} WHERE id > ? AND {_DECIDED} AND marks IS NULL ORDER BY id LIMIT ?",
        last, READ_AT_ONCE,
    ):  # fmt: skip
        last = some[-1][0]
        known = []
        for id, content, base in some:
            number = id >> UID_BITS
            if number not in folders:
                folders[number] = account.folder_of_row(index, number)
            folder = folders[number]
            file = None if folder is None or is_own(base) else found(folder, index, id & UID_MASK)
            if file is not None:
                known.append((content, account.withholder.secrecy(file[1], ours=bool(trace_of(base)))))
                Content(file[1]).close()
        with index.changing():
            keep_secrecy(index, known)


def _renew(account: Account, index: Index, rule: Withholding) -> Renewed:
    """New UIDs and contents for the messages that `rule` shows otherwise; inside a transaction."""
    rows = index.all(f"SELECT id, content, marks, withheld, base FROM {_LIVE} WHERE {_DECIDED} ORDER BY id")
    affected: dict[int, list[tuple[int, int]]] = {}
    for id, content, marks, withheld, base in rows:
        if not _shows_alike(rule, marks, withheld, base):
            affected.setdefault(id >> UID_BITS, []).append((id, content))
    old = sorted({content for some in affected.values() for _, content in some})
    fresh = dict(zip(old, index.next_contents(len(old), account.now()), strict=True)) if old else {}
    _carry_over(index, fresh)
    modseq = index.next_modseq() if old else 0
    for number, some in affected.items():
        _give_uids(account, index, number, some, fresh, modseq)
    for contents in in_chunks(old):
        drop_unused(index, contents)
    names = index.all("SELECT name FROM folders WHERE id IN " + chosen(), str(list(affected)))
    return Renewed(account.id, tuple(sorted(name for (name,) in names)), sum(map(len, affected.values())))


def _secrecy(marks: int) -> Secrecy:
    return Secrecy(bool(marks & 1), bool(marks & 2))


def _shows_alike(rule: Withholding, marks: int | None, withheld: int, base: bytes) -> bool:
    """Whether a decided message looks as it should; of one whose file cannot be found nobody knows."""
    if shows_at_once(rule, base):
        return not withheld
    if marks is None:
        return False
    return bool(reason_to_withhold(_secrecy(marks), rule)) == bool(withheld)


def _carry_over(index: Index, fresh: dict[int, int]) -> None:
    """What belongs to a content whatever its form goes with it: what it asks for, its thread, receipts."""
    pairs = [(after, before) for before, after in fresh.items()]
    index.many("INSERT INTO secrecy SELECT ?, marks FROM secrecy WHERE content = ?", pairs)
    index.many("INSERT INTO threads SELECT ?, thread FROM threads WHERE content = ?", pairs)
    index.many("UPDATE receipts SET content = ? WHERE content = ?", pairs)
    index.many("UPDATE read_before SET content = ? WHERE content = ?", pairs)


def _give_uids(
    account: Account, index: Index, number: int, some: list[tuple[int, int]], fresh: dict[int, int], modseq: int
) -> None:
    """The messages leave and come back at once, in the order they had; nobody is told that they are \\Recent."""
    count, now = len(some), int(account.now())
    uidnext: int = index.one(
        "UPDATE folders SET uidnext = uidnext + ?1, highest_modseq = ?2,"
        " recent_from = CASE WHEN recent_from >= uidnext THEN uidnext + ?1 ELSE recent_from END WHERE id = ?3"
        " RETURNING uidnext",
        count, modseq, number,
    )[0]  # fmt: skip
    ids = range(first_id(number) + uidnext - count, first_id(number) + uidnext)
    moved = [(after, before) for after, (before, _) in zip(ids, some, strict=True)]
    index.many(
        "INSERT INTO expunged SELECT id, ?, ?, ?, flags, x'' FROM messages WHERE id = ?",
        [(modseq, now, RENEWED, before) for _, before in moved],
    )
    index.many("UPDATE messages SET id = ?, modseq = ? WHERE id = ?", [(a, modseq, b) for a, b in moved])
    for table in ("files", "pending"):
        index.many(f"UPDATE {table} SET id = ? WHERE id = ?", moved)
    index.many(
        "UPDATE facts SET id = ?, content = ?, size = NULL, withheld = 0 WHERE id = ?",
        [(after, fresh[content], before) for after, (before, content) in zip(ids, some, strict=True)],
    )
