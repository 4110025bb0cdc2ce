"""What lies around the folders: subscriptions, temporary files, and who may read the directories.

Knows files; refuses to know the index.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial

from unitymail.interfaces.store import BadFolderName
from unitymail.store import layout, subscriptions
from unitymail.store.checking.problem import Case, Problem, some
from unitymail.store.names import checked, decoded_level


def subscribed(case: Case) -> Iterator[Problem]:
    """Lines that are no name of a folder. A name that no folder has is none of our business: it may come back."""
    account = case.account
    path = os.path.join(account.access.directory, subscriptions.FILE)
    with open(path, "rb") as file:
        lines = [line for line in file.read().split(b"\n") if line]
    good = [name for line in lines if (name := _name(line))]
    if len(set(good)) == len(lines):
        return
    what = f"{some(len(lines) - len(set(good)), 'line')} of {subscriptions.FILE} name no folder, or one again"
    write = partial(subscriptions.write, account.disk, path, sorted(set(good)), account.temporary)
    yield Problem("subscriptions", "", what, write)


def _name(line: bytes) -> str:
    try:
        return checked("/".join(map(decoded_level, line.decode("ascii").split("/"))))
    except (UnicodeDecodeError, BadFolderName):
        return ""


def temporary(case: Case) -> Iterator[Problem]:
    """Files in tmp/ that nobody writes any more, in the folders too: other programs deliver there."""
    account = case.account
    for name, directory in layout.folders_in(account.path).items():
        place = os.path.join(account.access.directory, os.fsdecode(directory))
        mark, now = account.namer.mark, account.now()
        if left := layout.abandoned(place, mark, now):
            what = f"{some(len(left), 'temporary file')} that nobody writes any more"
            yield Problem("temporary files", name, what, partial(layout.sweep, account.disk, place, mark, now))


def modes(case: Case) -> Iterator[Problem]:
    """The account's directory is nobody else's; its owner can work in all of them."""
    account = case.account
    home = account.access.directory
    if stat.S_IMODE(os.stat(home).st_mode) & 0o077:
        what = "other users of this machine can look into the mailbox"
        yield Problem("modes", "", what, partial(account.disk.set_mode, home, 0o700))
    owner = os.stat(home).st_uid
    for name, directory in layout.folders_in(account.path).items():
        place = os.path.join(home, os.fsdecode(directory))
        for path in [place, *(os.path.join(place, part) for part in layout.PARTS)]:
            yield from _mode(case, name, path, owner)


def _mode(case: Case, name: str, path: str, owner: int) -> Iterator[Problem]:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return
    part = os.path.relpath(path, case.account.access.directory)
    if status.st_mode & stat.S_IRWXU != stat.S_IRWXU:
        what = f"the node may not work in the directory {part}"
        yield Problem("modes", name, what, partial(case.account.disk.set_mode, path, 0o700))
    if status.st_uid != owner:
        yield Problem("modes", name, f"the directory {part} belongs to another user: chown it to the mailbox's")
