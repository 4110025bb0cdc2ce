"""The folders of an account by name: which directories are folders, and which row of the index belongs to each.

Knows what a new folder needs and which names are taken; refuses to know what is in a folder. Directories are moved and
removed by `moving`.
"""

from __future__ import annotations

import os
import secrets
import unicodedata
from collections.abc import Collection
from typing import TYPE_CHECKING

from unitymail.interfaces.store import BadFolderName, FolderExists, FolderInfo, NoSuchFolder
from unitymail.store import layout, moving, renamed, uses
from unitymail.store.index import Index
from unitymail.store.names import INBOX, directory_of
from unitymail.store.snapshots import FolderRow, read_row
from unitymail.store.validity import next_uidvalidity

if TYPE_CHECKING:
    from unitymail.store.account import Account
    from unitymail.store.folder import Folder

SPECIAL = {
    "Drafts": "\\Drafts",
    "Sent": "\\Sent",
    "Deleted Items": "\\Trash",
    "Junk": "\\Junk",
    "Archive": "\\Archive",
}
"""Folders that exist from the start, with their special use (RFC 6154)."""


def make_special(account: Account, index: Index) -> None:
    """For a new account; under the write lock."""
    present = layout.folders_in(account.path)
    for name in SPECIAL:
        if name not in present:
            layout.make_folder(account.disk, account.path, name, account.temporary)
    for name in (INBOX, *SPECIAL):
        row_of(account, index, name, os.fsencode(directory_of(name)))


def listed(account: Account, index: Index, subscribed: Collection[str]) -> list[FolderInfo]:
    """All, and the parents that are only names; INBOX first."""
    found = layout.folders_in(account.path)
    rows = _rows(index)
    if not rows.keys() >= set(found.values()):
        with account.access.alone() as index:
            found = layout.folders_in(account.path)
            for name, directory in found.items():
                row_of(account, index, name, directory)
            rows = _rows(index)
    parents = {parent for name in found for parent in _parents(name)}
    listed = [FolderInfo(name, "", name in subscribed, False, True) for name in parents.difference(found)]
    for name, directory in found.items():
        use, mailboxid = rows.get(directory, ("", ""))
        listed.append(FolderInfo(name, use, name in subscribed, True, name in parents, mailboxid))
    return sorted(listed, key=lambda info: (info.name != INBOX, info.name))


def _rows(index: Index) -> dict[bytes, tuple[str, str]]:
    """Directory → special use and MAILBOXID."""
    found = index.all("SELECT directory, special_use, mailboxid FROM folders")
    return {directory: (use, mailboxid) for directory, use, mailboxid in found}


def opened(account: Account, name: str) -> Folder:
    """The folder of this name, with a row of its own from now on."""
    with account.access.using() as index:
        folder = account.folder_of(row_named(account, index, name))
        folder.catch_up(index)
        return folder


def row_named(account: Account, index: Index, name: str) -> FolderRow:
    """The row of the folder, which it has from now on. Raises NoSuchFolder."""
    found = _found(account, name)
    if found is None:
        raise NoSuchFolder(why=f"there is no folder {name!r}")
    row = read_row(index, "WHERE directory = ?", found[1])
    if row is None or renamed.may_be_another(account, index, row):
        with account.access.alone() as index:
            if _found(account, name) != found:  # another process renamed or deleted it meanwhile
                raise NoSuchFolder(why=f"there is no folder {name!r} any more")
            row = row_of(account, index, *found)
    return row


def _found(account: Account, name: str) -> tuple[str, bytes] | None:
    """A folder's name and directory; a name that nobody has may stand for one in Unicode's form NFC."""
    for spelled in dict.fromkeys((name, unicodedata.normalize("NFC", name))):
        directory = _directory(account, spelled)
        if directory is not None:
            return spelled, directory
    return None


def _directory(account: Account, name: str) -> bytes | None:
    if not name:
        return None
    usual = os.fsencode(directory_of(name))
    if os.path.isdir(os.path.join(account.path, usual, b"cur")):
        return usual
    return layout.folders_in(account.path).get(name)


def row_of(account: Account, index: Index, name: str, directory: bytes, special_use: str = "") -> FolderRow:
    """The folder's row, made with a new UIDVALIDITY when it has none; under the write lock."""
    row = read_row(index, "WHERE directory = ?", directory)
    if row is None or renamed.may_be_another(account, index, row):
        row = renamed.claimed(account, index, name, directory) or row
    if row is not None:
        return row
    floor: int = index.one("SELECT ifnull(max(uidvalidity), 0) FROM folders")[0]
    validity = next_uidvalidity(account.disk, account.access.directory, account.now(), floor, account.temporary)
    with index.changing(durable=True):
        cursor = index.execute(
            "INSERT INTO folders (directory, name, mailboxid, uidvalidity, highest_modseq) VALUES (?, ?, ?, ?, ?)",
            directory, name, "F" + secrets.token_hex(8), validity, index.next_modseq(),
        )  # fmt: skip
        assert cursor.lastrowid is not None
        if use := special_use or _usual_use(index, name):
            uses.give(index, cursor.lastrowid, use)
    row = read_row(index, "WHERE directory = ?", directory)
    assert row is not None
    return row


def _usual_use(index: Index, name: str) -> str:
    """What the name stands for, unless another folder stands for that."""
    use = SPECIAL.get(name, "")
    return "" if use and uses.is_taken(index, use) else use


def create(account: Account, index: Index, name: str, special_use: str) -> None:
    """With the parents that are missing; under the write lock."""
    use = uses.checked(special_use)
    renamed.follow(account, index)
    present = layout.folders_in(account.path)
    if name in present:
        raise FolderExists(why=f"there is a folder {name!r}")
    _make_parents(account, index, name, present)
    layout.make_folder(account.disk, account.path, name, account.temporary)
    directory = os.fsencode(directory_of(name))
    with index.changing(durable=True):
        moving.drop_row_at(account, index, directory)
    row_of(account, index, name, directory, use)


def rename(account: Account, index: Index, old: str, new: str) -> None:
    """A folder other than INBOX, its children too; under the write lock."""
    renamed.follow(account, index)
    present = layout.folders_in(account.path)
    if new in present:
        raise FolderExists(why=f"there is a folder {new!r}")
    if old not in present and (usual := unicodedata.normalize("NFC", old)) in present:
        old = usual
    if old not in present and not any(name.startswith(old + "/") for name in present):
        raise NoSuchFolder(why=f"there is no folder {old!r}")
    if new.startswith(old + "/"):
        raise BadFolderName(why="a folder cannot become its own child")
    family = moving.family_of(old, new, present)
    if taken := {after for _, after in family}.intersection(present).difference(before for before, _ in family):
        raise FolderExists(why=f"there is a folder {min(taken)!r}")
    _make_parents(account, index, new, present)
    moving.rename(account, index, [(present[before], after) for before, after in family])


def _make_parents(account: Account, index: Index, name: str, present: dict[str, bytes]) -> None:
    implied = {parent for other in present for parent in _parents(other)}
    for parent in _parents(name):
        if parent not in present and parent not in implied:
            layout.make_folder(account.disk, account.path, parent, account.temporary)
            row_of(account, index, parent, os.fsencode(directory_of(parent)))


def _parents(name: str) -> list[str]:
    """`a/b/c` → `a`, `a/b`."""
    levels = name.split("/")
    return ["/".join(levels[:depth]) for depth in range(1, len(levels))]
