"""Files follow the index: names take the flags they should have, expunged files leave, old leftovers go.

Knows the pending list and what has left; refuses to decide anything. Runs under the account's write lock, a batch at a
time, within seconds of the change and when the account is closed. Doing a batch twice is harmless.

*Note: out of new/.* A file leaves new/ only after its name in cur/ is durable: link, flush cur/, unlink. A rename
would let a flush of new/, which the next delivery asks for, make the message's absence durable first.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitymail.store import landing
from unitymail.store.chosen import chosen
from unitymail.store.forgetting import forget
from unitymail.store.index import Index
from unitymail.store.maildir import CUR, NEW, is_own, path_in, split, suffix_for
from unitymail.store.schema import EXPUNGED, UID_BITS

if TYPE_CHECKING:
    from unitymail.store.account import Account
    from unitymail.store.folder import Folder

BATCH = 500
UNDELETE = b"undelete"


@dataclass(frozen=True, slots=True)
class Batch:
    """How many files took another name or left, the last id looked at, and whether there may be more to do."""

    done: int
    last: int
    more: bool


def settle_some(account: Account, index: Index, last: int) -> Batch:
    """One batch: names of messages with an id above `last` while there are any, then files that leave."""
    rows = index.all(
        "SELECT pending.id, base, seen, flags FROM pending CROSS JOIN files USING (id) CROSS JOIN messages USING (id)"
        " WHERE pending.id > ? ORDER BY pending.id LIMIT ?",
        last, BATCH,
    )  # fmt: skip
    if rows:
        done = sum(_rename(folder, index, some) for folder, some in _by_folder(account, index, rows))
        return Batch(done, rows[-1][0], True)
    rows = index.all(
        "SELECT expunged.id, kind, files.base, files.seen, flags, date, octets"
        " FROM expunged CROSS JOIN files USING (id) CROSS JOIN facts USING (id) WHERE expunged.base IS NULL LIMIT ?",
        BATCH,
    )
    grouped = _by_folder(account, index, rows)
    for folder, some in grouped:
        _leave(folder, index, some)
    there = {folder.row.id for folder, _ in grouped}
    if gone := [row for row in rows if row[0] >> UID_BITS not in there]:
        with index.changing():
            _have_left(index, gone)
    return Batch(sum(len(some) for _, some in grouped), last, bool(rows))


def _by_folder(account: Account, index: Index, rows: list[tuple]) -> list[tuple[Folder, list[tuple]]]:  # type: ignore[type-arg]
    grouped: dict[int, list[tuple]] = {}  # type: ignore[type-arg]
    for row in rows:
        grouped.setdefault(row[0] >> UID_BITS, []).append(row)
    folders = ((account.folder_of_row(index, number), some) for number, some in grouped.items())
    return [(folder, some) for folder, some in folders if folder is not None]


def _rename(folder: Folder, index: Index, rows: list[tuple[int, bytes, bytes, int]]) -> int:
    """Give each file the name its flags ask for; what is not where it was is looked for, and left for the next time."""
    settled: list[tuple[bytes, int, int]] = []
    arrived: list[bytes] = []
    disk, letters = folder.account.disk, folder.letters
    with folder.own_changes():
        for id, base, seen, number in rows:
            wanted = CUR + suffix_for(index.flags_of(number), seen, letters)
            before, after = path_in(folder.path, base, seen), path_in(folder.path, base, wanted)
            try:
                if seen[:1] == NEW:
                    _link(folder, before, after)
                    arrived.append(before)
                elif before != after:
                    disk.rename(os.fsdecode(before), os.fsdecode(after))
                    folder.fingerprint.remove(base + seen[1:])
            except FileNotFoundError:
                continue
            if before != after:
                folder.fingerprint.add(base + wanted[1:])
            settled.append((wanted, id, number))
        if arrived:
            disk.flush_directory(os.fsdecode(folder.path + b"/cur"))
        for path in arrived:
            _unlink(folder, path)
    with index.changing():
        index.many("UPDATE files SET seen = ? WHERE id = ?", [(seen, id) for seen, id, _ in settled])
        index.many(
            "DELETE FROM pending WHERE id = ?1 AND (SELECT flags FROM messages WHERE id = ?1) = ?2",
            [(id, number) for _, id, number in settled],
        )
        folder.save_marks(index)
    if len(settled) < len(rows):
        folder.look(index, thoroughly=True)
    return len(settled)


def _link(folder: Folder, before: bytes, after: bytes) -> None:
    try:
        folder.account.disk.link(os.fsdecode(before), os.fsdecode(after))
    except FileExistsError:
        if not os.path.samefile(before, after):
            raise


def _unlink(folder: Folder, path: bytes) -> None:
    try:
        folder.account.disk.unlink(os.fsdecode(path))
    except FileNotFoundError:
        return


def _discard(folder: Folder, path: bytes) -> None:
    try:
        folder.account.shredder.discard(os.fsdecode(path))
    except FileNotFoundError:
        return


def _leave(folder: Folder, index: Index, rows: list[tuple]) -> None:  # type: ignore[type-arg]
    folder.follow(index)
    landing.flush(folder.account, index)
    ids = [row[0] for row in rows]
    seen_now = dict(index.all("SELECT id, seen FROM files WHERE id IN " + chosen(), str(ids)))
    kept = []
    with folder.own_changes():
        for id, kind, base, seen, number, date, octets in rows:
            seen = seen_now.get(id, seen)
            path = path_in(folder.path, base, seen)
            if kind == EXPUNGED and (place := put_away(folder.account, path)) is not None:
                flags = " ".join(sorted(index.flags_of(number)))
                kept.append((folder.name, place, flags, date, octets, int(folder.account.now())))
            else:
                _discard(folder, path)
            if seen[:1] == CUR:
                folder.fingerprint.remove(base + seen[1:])
    with index.changing():
        _have_left(index, rows)
        index.many(
            "INSERT OR IGNORE INTO undelete (folder, path, flags, date, octets, at) VALUES (?, ?, ?, ?, ?, ?)", kept
        )
        folder.save_marks(index)


def _have_left(index: Index, rows: list[tuple]) -> None:  # type: ignore[type-arg]
    """Their files are no more, or went with a directory that somebody removed: only the names are remembered."""
    index.many("UPDATE expunged SET base = ? WHERE id = ?", [(row[2], row[0]) for row in rows])
    forget(index, [row[0] for row in rows])


def put_away(account: Account, path: bytes) -> bytes | None:
    """Move a file where no client sees it, for `undelete_days`; its place below the account, or None.

    Other programs may give messages of two folders one name: the second gets another one there.
    """
    if not account.undelete_days:
        return None
    account.ensure_undelete()
    base = split(os.path.basename(path))[0]
    place, target = UNDELETE + b"/" + base, os.path.join(account.path, UNDELETE, base)
    try:
        if os.path.lexists(target):
            if os.path.samefile(path, target):
                account.disk.unlink(os.fsdecode(path))
                return place
            place = UNDELETE + b"/" + os.fsencode(account.namer.name(own=is_own(base)))
        account.disk.rename(os.fsdecode(path), os.fsdecode(os.path.join(account.path, place)))
    except FileNotFoundError:
        return place if os.path.exists(target) else None
    return place
