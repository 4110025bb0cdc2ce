"""DELETE and RENAME of folders: one directory rename each, whole families by way of an intent.

Knows the order of directories and rows; refuses to know messages.
"""

from __future__ import annotations

import json
import os
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

from unitymail.store import landing, layout, receipts
from unitymail.store.forgetting import OF_CONTENTS
from unitymail.store.index import Index
from unitymail.store.maildir import path_in
from unitymail.store.names import directory_of
from unitymail.store.schema import first_id, last_id
from unitymail.store.snapshots import read_row

if TYPE_CHECKING:
    from unitymail.store.account import Account
    from unitymail.store.folder import Folder


def delete(account: Account, index: Index, folder: Folder) -> None:
    """The directory goes aside in one rename, then the rows; what it held can be undeleted."""
    folder.follow(index)
    landing.flush(account, index)
    row = folder.row
    unheard = receipts.unheard(folder, index, folder.snapshot.uids)
    aside = os.path.join(layout.UNDELETE, f"{row.mailboxid}-{account.namer.name()}")
    account.ensure_undelete()
    account.disk.rename(os.fsdecode(folder.path), os.path.join(account.access.directory, aside))
    account.disk.flush_directory(account.access.directory)
    with index.changing(durable=True):
        if account.undelete_days:
            _remember(account, index, folder, os.fsencode(aside))
        owed = receipts.owe_deleted(index, unheard, unheard, account.now())
        drop_rows(index, row.id)
    account.tell(receipts.News(owed=owed))
    account.live.forget(row)
    account.note_usage(index)
    if not account.undelete_days:
        layout.remove_tree(account.disk, os.path.join(account.access.directory, aside), account.shredder.discard)


def _remember(account: Account, index: Index, folder: Folder, aside: bytes) -> None:
    rows = index.all(
        "SELECT base, seen, flags, date, octets FROM messages JOIN files USING (id) JOIN facts USING (id)"
        " WHERE id BETWEEN ? AND ?",
        *folder.ids(),
    )
    now = int(account.now())
    index.many(
        "INSERT OR IGNORE INTO undelete (folder, path, flags, date, octets, at) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (folder.name, path_in(aside, base, seen), " ".join(sorted(index.flags_of(number))), date, octets, now)
            for base, seen, number, date, octets in rows
        ],
    )


def drop_rows(index: Index, folder: int) -> None:
    """Everything the index has of a folder; inside a transaction."""
    ids = (first_id(folder), last_id(folder))
    contents = "SELECT content FROM facts WHERE id BETWEEN ? AND ?"
    others = "SELECT content FROM facts WHERE id NOT BETWEEN ? AND ?"
    for table in OF_CONTENTS:
        index.execute(f"DELETE FROM {table} WHERE content IN ({contents}) AND content NOT IN ({others})", *ids, *ids)
    for table in ("messages", "files", "facts", "pending", "expunged"):
        index.execute(f"DELETE FROM {table} WHERE id BETWEEN ? AND ?", *ids)
    for table in ("keywords", "lettered", "metadata", "packed", "bins"):
        index.execute(f"DELETE FROM {table} WHERE folder = ?", folder)
    index.execute("DELETE FROM folders WHERE id = ?", folder)


def family_of(old: str, new: str, present: Iterable[str]) -> list[tuple[str, str]]:
    """(name before, name after) of a folder that is to be renamed, and of its children."""
    return [(name, new + name[len(old) :]) for name in sorted(present) if name == old or name.startswith(old + "/")]


def rename(account: Account, index: Index, family: Iterable[tuple[bytes, str]]) -> None:
    """Directories get these names, which no folder has; interrupted, whoever opens the account next finishes it."""
    steps = [(os.fsdecode(directory), directory_of(after), after) for directory, after in family]
    with index.changing(durable=True):
        index.execute(
            "INSERT INTO intents (kind, directory, at, detail) VALUES ('rename', x'', ?, ?)",
            int(account.now()), json.dumps(steps),
        )  # fmt: skip
    finish_renames(account, index)


def finish_renames(account: Account, index: Index) -> None:
    """Do what intents to rename ask for, as far as it is not done."""
    for intent, detail in index.all("SELECT id, detail FROM intents WHERE kind = 'rename' ORDER BY id"):
        steps = [tuple(step) for step in json.loads(detail)]
        for before, after, name in steps:
            _rename_directory(account, before, after, name)
        account.disk.flush_directory(account.access.directory)
        with index.changing(durable=True):
            rows = [read_row(index, "WHERE directory = ?", os.fsencode(before)) for before, _, _ in steps]
            stay = {row.id for row in rows if row is not None}
            for _, after, _ in steps:
                drop_row_at(account, index, os.fsencode(after), but=stay)
            for row, (_, after, name) in zip(rows, steps, strict=True):
                if row is not None:
                    index.execute(
                        "UPDATE folders SET directory = ?, name = ? WHERE id = ?", os.fsencode(after), name, row.id
                    )
            index.execute("DELETE FROM intents WHERE id = ?", intent)
        for row in rows:
            if row is not None and (folder := account.folder_of_row(index, row.id)) is not None:
                folder.catch_up(index)


def _rename_directory(account: Account, before: str, after: str, name: str) -> None:
    source, target = (os.path.join(account.access.directory, directory) for directory in (before, after))
    if os.path.isdir(source) and not os.path.isdir(target):
        account.disk.rename(source, target)
    if os.path.isdir(target):
        layout.write_long_name(account.disk, account.path, os.fsencode(after), name, account.temporary)


def drop_row_at(account: Account, index: Index, directory: bytes, but: Container[int] = ()) -> None:
    """A row whose directory somebody removed must not lend its UIDs to a folder that comes there; in a transaction."""
    row = read_row(index, "WHERE directory = ?", directory)
    if row is not None and row.id not in but:
        drop_rows(index, row.id)
        account.live.forget(row)
