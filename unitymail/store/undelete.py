"""Expunged messages that can still come back, and what is forgotten in time.

Knows the list and the days; refuses to know why a message was expunged.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from unitymail.interfaces.store import Deleted, NoSuchFolder
from unitymail.store import appending, layout
from unitymail.store.chosen import chosen
from unitymail.store.index import Index
from unitymail.store.keeping import link_or_copy, read_plain
from unitymail.store.maildir import claimed, is_own, split
from unitymail.store.names import INBOX

if TYPE_CHECKING:
    from unitymail.store.account import Account

PURGE_EVERY_S = 3600.0
VANISHED_KEPT_S = 90 * 86_400
VANISHED_KEPT = 100_000
MOST_HEADING = 64 * 1024


def listed(index: Index) -> list[Deleted]:
    rows = index.all("SELECT id, folder, flags, date, octets, at, path FROM undelete ORDER BY at DESC, id DESC")
    return [Deleted(id, folder, tuple(flags.split()), *rest) for id, folder, flags, *rest in rows]


def bring_back(account: Account, index: Index, ids: list[int]) -> int:
    """Append each to its folder, without \\Deleted; it leaves the list in the transaction that makes it a message.

    They come in the order in which they were there.
    """
    wanted = set(ids)
    return sum(_bring_back(account, index, message) for message in reversed(listed(index)) if message.id in wanted)


def _bring_back(account: Account, index: Index, message: Deleted) -> bool:
    """Whether it came: its file may be gone."""

    def unlisted() -> None:
        index.execute("DELETE FROM undelete WHERE id = ?", message.id)

    path = path_of(account, message)
    if not os.path.exists(path):
        with index.changing():
            unlisted()
        return False
    try:
        folder = account.folder(message.folder)
    except NoSuchFolder:
        folder = account.folder(INBOX)
    copy = account.temporary()
    link_or_copy(account.disk, path, copy, account.temporary)
    flags, base = [flag for flag in message.flags if flag != "\\Deleted"], split(message.path)[0]
    measured = claimed(base, message.octets) is not None
    try:
        appending.append(
            folder, index, [(copy, flags, message.date)], own=is_own(base), measured=measured, also=unlisted
        )
    except BaseException:
        account.disk.unlink(copy)
        raise
    account.disk.unlink(path)
    return True


def path_of(account: Account, message: Deleted) -> str:
    return os.path.join(account.access.directory, os.fsdecode(message.path))


def heading(account: Account, index: Index, id: int) -> bytes:
    """The first octets of one that is in the list, all of its header nearly always; b"" when it is gone."""
    path = index.one("SELECT path FROM undelete WHERE id = ?", id)
    try:
        return read_plain(os.path.join(account.path, path[0]), MOST_HEADING) if path else b""
    except FileNotFoundError:
        return b""


def is_overdue(directory: str, before: float) -> bool:
    """Whether the account in this directory keeps anything from `before`."""
    try:
        with os.scandir(os.path.join(directory, layout.UNDELETE)) as entries:
            return any(entry.stat(follow_symlinks=False).st_ctime < before for entry in entries)
    except FileNotFoundError:
        return False


def purge(account: Account, index: Index) -> None:
    """Remove what is older than `undelete_days`, and forget names and UIDs that nobody can ask for any more."""
    layout.sweep(account.disk, account.access.directory, account.namer.mark, account.now())
    _purge_files(account, index)
    _purge_expunged(account, index)


def _purge_files(account: Account, index: Index) -> None:
    before = account.now() - account.undelete_days * 86_400
    old = [(id, path) for id, path in index.all("SELECT id, path FROM undelete WHERE at < ?", int(before))]
    for _, path in old:
        try:
            account.shredder.discard(os.fsdecode(os.path.join(account.path, path)))
        except FileNotFoundError:
            continue
    if old:
        with index.changing():
            index.execute("DELETE FROM undelete WHERE id IN " + chosen(), str([id for id, _ in old]))
    _purge_directory(account, before)


def _purge_directory(account: Account, before: float) -> None:
    """What is in the directory without being listed: strays, and folders that were deleted."""
    directory = os.path.join(account.access.directory, layout.UNDELETE)
    for entry in list(os.scandir(directory)) if os.path.isdir(directory) else []:
        if entry.stat(follow_symlinks=False).st_ctime >= before:
            continue
        if entry.is_dir(follow_symlinks=False):
            layout.remove_tree(account.disk, entry.path, account.shredder.discard)
        else:
            account.shredder.discard(entry.path)


def _purge_expunged(account: Account, index: Index) -> None:
    now = account.now()
    names_before = now - account.names_kept_for
    old = index.all(
        "SELECT id >> 32, max(modseq), count(*) FROM expunged WHERE at < ? AND base IS NOT NULL GROUP BY id >> 32",
        int(min(names_before, now - VANISHED_KEPT_S)),
    )
    for folder, modseq, _ in old:
        _forget_vanished(index, folder, modseq, int(names_before))
    for folder, count in index.all("SELECT id >> 32, count(*) FROM expunged GROUP BY id >> 32"):
        if count > VANISHED_KEPT:
            modseq = index.one(
                "SELECT modseq FROM expunged WHERE id >> 32 = ? ORDER BY modseq LIMIT 1 OFFSET ?",
                folder, count - VANISHED_KEPT,
            )[0]  # fmt: skip
            _forget_vanished(index, folder, modseq - 1, int(names_before))


def _forget_vanished(index: Index, folder: int, modseq: int, names_before: int) -> None:
    with index.changing():
        index.execute(
            "DELETE FROM expunged WHERE id >> 32 = ? AND modseq <= ? AND at < ? AND base IS NOT NULL",
            folder, modseq, names_before,
        )  # fmt: skip
        index.execute("UPDATE folders SET vanished_from = max(vanished_from, ?) WHERE id = ?", modseq, folder)
        index.execute("DELETE FROM packed WHERE folder = ?", folder)
