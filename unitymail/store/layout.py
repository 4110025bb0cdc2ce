"""Which directories an account has, and making new ones so that they are there whole or not at all.

Knows Maildir++; refuses to know the index.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.store import MAX_NAME_OCTETS, BadFolderName, FolderExists
from unitymail.store.keeping import ensure_directory, read_plain, replace_file
from unitymail.store.maildir import listing, maker_is_gone, split
from unitymail.store.names import INBOX, LONG_PREFIX, checked, directory_of, name_of

PARTS = ("tmp", "cur", "new")
"""new last: where it is, the others are."""
NAME_FILE = "unitymail.name"
MARKER = "maildirfolder"
UNDELETE = "undelete"
ABANDONED_S = 36 * 3600


def make_account(disk: IDisk, directory: str) -> bool:
    """Whether anything had to be made. A new account's directory is durable on return, its parts are not."""
    if os.path.isdir(os.path.join(directory, "new")):
        return False
    if ensure_directory(disk, directory):
        disk.flush_directory(os.path.dirname(directory))
    for part in PARTS:
        ensure_directory(disk, os.path.join(directory, part))
    return True


def make_undelete(disk: IDisk, directory: str) -> None:
    if ensure_directory(disk, os.path.join(directory, UNDELETE)):
        disk.flush_directory(directory)


def folders_in(account: bytes) -> dict[str, bytes]:
    """Name → directory of each folder, INBOX included."""
    found = {INBOX: b""}
    for entry in os.listdir(account):
        if entry[0] != 46 or not os.path.isdir(os.path.join(account, entry, b"cur")):
            continue
        name = _long_name(account, entry) if entry.startswith(LONG_PREFIX.encode()) else name_of(os.fsdecode(entry))
        if name is not None and (name not in found or os.fsdecode(entry) == directory_of(name)):
            found[name] = entry
    return found


def _long_name(account: bytes, entry: bytes) -> str | None:
    """None when it says none that a folder can have: any program may have written it."""
    path = os.path.join(account, entry, NAME_FILE.encode())
    try:
        return checked(read_plain(path, MAX_NAME_OCTETS + 1).decode("utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, BadFolderName):
        return None


def make_folder(disk: IDisk, account: bytes, name: str, temporary: Callable[[], str]) -> None:
    """Built aside and renamed, durable on return. Raises FolderExists."""
    directory = directory_of(name)
    built = temporary()
    disk.make_directory(built)
    for part in PARTS:
        disk.make_directory(os.path.join(built, part))
    disk.close(disk.create(os.path.join(built, MARKER)))
    if directory.startswith(LONG_PREFIX):
        replace_file(disk, os.path.join(built, NAME_FILE), name.encode("utf-8"), temporary())
    disk.flush_directory(built)
    try:
        disk.rename(built, os.path.join(os.fsdecode(account), directory))
    except OSError as error:
        remove_tree(disk, built)
        if isinstance(error, (FileExistsError, NotADirectoryError)) or os.path.isdir(
            os.path.join(os.fsdecode(account), directory)
        ):
            raise FolderExists(why=f"there is a folder {name!r}") from error
        raise
    disk.flush_directory(os.fsdecode(account))


def write_long_name(disk: IDisk, account: bytes, directory: bytes, name: str, temporary: Callable[[], str]) -> None:
    """Let a directory with a digest for its name know its folder's name."""
    if directory.startswith(LONG_PREFIX.encode()):
        path = os.path.join(os.fsdecode(account), os.fsdecode(directory), NAME_FILE)
        replace_file(disk, path, name.encode("utf-8"), temporary())


def holds(maildir: bytes, base: bytes) -> bool:
    """Whether a file of this base name is in new/ or cur/."""
    return any(
        split(name)[0] == base for part in (b"/new", b"/cur") for name in listing(maildir + part)
    )


def remove_tree(disk: IDisk, path: str, discard: Callable[[str], None] | None = None) -> None:
    """A directory and all below it; `discard` removes a file otherwise than by unlinking it."""
    for entry in os.scandir(path):
        if entry.is_dir(follow_symlinks=False):
            remove_tree(disk, entry.path, discard)
        else:
            (discard or disk.unlink)(entry.path)
    disk.remove_directory(path)


def abandoned(directory: str, mark: str, now: float) -> list[os.DirEntry[str]]:
    """What is in tmp/ that no living process is writing."""
    tmp = os.path.join(directory, "tmp")
    found = []
    for entry in list(os.scandir(tmp)) if os.path.isdir(tmp) else []:
        with suppress(FileNotFoundError):
            old = now - entry.stat(follow_symlinks=False).st_mtime > ABANDONED_S
            if old or maker_is_gone(entry.name, mark):
                found.append(entry)
    return found


def sweep(disk: IDisk, directory: str, mark: str, now: float) -> int:
    """Remove from tmp/ what no living process is writing; how many."""
    removed = 0
    for entry in abandoned(directory, mark, now):
        try:
            if entry.is_dir(follow_symlinks=False):
                remove_tree(disk, entry.path)
            else:
                disk.unlink(entry.path)
        except FileNotFoundError:
            continue
        removed += 1
    return removed
