"""Snapshots of a folder: loaded from the index, and brought up to date by what changed since.

Knows arrays and change numbers; refuses to know files. The cost of an update is that of copying three arrays, not of
reading rows that did not change.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from unitymail.interfaces.store import Snapshot
from unitymail.store.index import Index
from unitymail.store.keywords import keywords_of
from unitymail.store.schema import UID_MASK, first_id, last_id

UIDS, FLAGS, MODSEQS = "I", "I", "Q"
PACK_FROM = 500
_FEW = 32


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A row of `folders`."""

    id: int
    directory: bytes
    name: str
    mailboxid: str
    special_use: str
    uidvalidity: int
    uidnext: int
    highest_modseq: int
    recent_from: int
    new_mark: int
    new_verify: float
    cur_mark: int
    cur_verify: float


ROW = (
    "SELECT id, directory, name, mailboxid, special_use, uidvalidity, uidnext, highest_modseq, recent_from,"
    " new_mark, new_verify, cur_mark, cur_verify FROM folders "
)


def read_row(index: Index, where: str, value: object) -> FolderRow | None:
    """The row for `WHERE id = ?` or `WHERE directory = ?`."""
    values = index.one(ROW + where, value)
    return None if values is None else FolderRow(*values)


def loaded(index: Index, row: FolderRow, serial: int) -> Snapshot:
    """The folder as the index has it: from its packed form and the changes since, or from its rows."""
    packed = index.one("SELECT modseq, uidvalidity, uids, flags, modseqs FROM packed WHERE folder = ?", row.id)
    if packed and packed[1] == row.uidvalidity:
        arrays = array(UIDS, packed[2]), array(FLAGS, packed[3]), array(MODSEQS, packed[4])
        base = _snapshot(index, row, serial, arrays, modseq=packed[0])
        if (current := updated(index, row, base, serial)) is not None:
            return current
    return from_rows(index, row, serial)


def from_rows(index: Index, row: FolderRow, serial: int) -> Snapshot:
    """As the rows have it, whatever was packed."""
    rows = index.all(
        f"SELECT id & {UID_MASK}, flags, modseq FROM messages WHERE id BETWEEN ? AND ? ORDER BY id",
        first_id(row.id), last_id(row.id),
    )  # fmt: skip
    uids, flags, modseqs = zip(*rows, strict=True) if rows else ((), (), ())
    _know_combinations(index, flags)
    return _snapshot(index, row, serial, (array(UIDS, uids), array(FLAGS, flags), array(MODSEQS, modseqs)))


def _know_combinations(index: Index, flags: Sequence[int]) -> None:
    if flags and max(flags) >= len(index.combinations):
        index.read_combinations()


def _snapshot(
    index: Index, row: FolderRow, serial: int, arrays: tuple[array[int], array[int], array[int]], modseq: int = 0
) -> Snapshot:
    return Snapshot(
        serial, row.uidvalidity, row.uidnext, modseq or row.highest_modseq, *arrays, index.combinations,
        keywords_of(index, row.id),
    )  # fmt: skip


def updated(index: Index, row: FolderRow, old: Snapshot, serial: int) -> Snapshot | None:
    """`old` with the changes since its `highest_modseq`; None when they do not fit it (then load it anew)."""
    since = (row.id, old.highest_modseq)
    changed = index.all(
        f"SELECT id & {UID_MASK}, flags, modseq FROM messages WHERE id >> 32 = ? AND modseq > ?", *since
    )
    gone = index.all(f"SELECT id & {UID_MASK} FROM expunged WHERE id >> 32 = ? AND modseq > ?", *since)
    _know_combinations(index, [flags for _, flags, _ in changed])
    arrays = _with_changes(old, sorted(changed))
    if arrays is None:
        return None
    return _snapshot(index, row, serial, _without(arrays, [uid for (uid,) in gone]))


def _with_changes(
    old: Snapshot, changed: list[tuple[int, int, int]]
) -> tuple[array[int], array[int], array[int]] | None:
    if not changed:
        return old.uids, old.flags, old.modseqs
    uids, flags, modseqs = old.uids, old.flags[:], old.modseqs[:]
    last = uids[-1] if uids else 0
    split = bisect_left(changed, (last + 1,))
    for uid, combination, modseq in changed[:split]:
        at = bisect_left(uids, uid)
        if uids[at] != uid:
            return None
        flags[at], modseqs[at] = combination, modseq
    if fresh := changed[split:]:
        uids = uids[:]
        uids.extend(uid for uid, _, _ in fresh)
        flags.extend(combination for _, combination, _ in fresh)
        modseqs.extend(modseq for _, _, modseq in fresh)
    return uids, flags, modseqs


def _without(
    arrays: tuple[array[int], array[int], array[int]], gone: list[int]
) -> tuple[array[int], array[int], array[int]]:
    places = [at for uid in gone if (at := bisect_left(arrays[0], uid)) < len(arrays[0]) and arrays[0][at] == uid]
    if not places:
        return arrays
    uids, flags, modseqs = (column[:] for column in arrays)
    if len(places) <= _FEW:
        for at in sorted(places, reverse=True):
            del uids[at], flags[at], modseqs[at]
        return uids, flags, modseqs
    stays = bytearray(b"\1") * len(uids)
    for at in places:
        stays[at] = 0
    return (
        array(UIDS, compress(uids, stays)),
        array(FLAGS, compress(flags, stays)),
        array(MODSEQS, compress(modseqs, stays)),
    )


def pack(index: Index, row: FolderRow, snapshot: Snapshot) -> None:
    """Keep a large folder's arrays whole, so that the next process reads one row; inside a transaction."""
    if len(snapshot.uids) < PACK_FROM:
        return
    index.execute(
        "INSERT OR REPLACE INTO packed VALUES (?, ?, ?, ?, ?, ?)", row.id, snapshot.highest_modseq,
        snapshot.uidvalidity, snapshot.uids.tobytes(), snapshot.flags.tobytes(), snapshot.modseqs.tobytes(),
    )  # fmt: skip


def packed_modseq(index: Index, folder: int) -> int:
    """The HIGHESTMODSEQ of the packed form; 0 for none."""
    found = index.one("SELECT modseq FROM packed WHERE folder = ?", folder)
    return int(found[0]) if found else 0
