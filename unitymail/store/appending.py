"""APPEND: a finished file becomes a message. Refuses to know how its octets arrived."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from unitymail.store import inserting
from unitymail.store.index import Index
from unitymail.store.keywords import add_keywords, canonical
from unitymail.store.maildir import CUR, suffix_for

if TYPE_CHECKING:
    from unitymail.store.folder import Folder


def append(
    folder: Folder, index: Index, messages: Sequence[tuple[str, Iterable[str], float | None]]
) -> list[int]:
    """The UIDs. The files are moved into cur/ and their names durable before a row refers to them."""
    if not os.path.isdir(folder.path):
        folder.follow(index)
    folder.catch_up(index)
    sizes = [os.stat(path).st_size for path, _, _ in messages]
    folder.account.require_room(index, sum(sizes))
    spelled = [canonical(index, flags) for _, flags, _ in messages]
    with index.changing():
        add_keywords(index, folder.row.id, frozenset().union(*spelled))
    moved: list[tuple[str, str]] = []
    try:
        with folder.own_changes():
            arrivals = []
            for (path, _, date), flags, size in zip(messages, spelled, sizes, strict=True):
                arrival = _moved_in(folder, path, date, flags, size)
                moved.append((path, _path_of(folder, arrival)))
                arrivals.append(arrival)
            folder.account.disk.flush_directory(os.fsdecode(folder.path + b"/cur"))
        with index.changing(durable=True):
            uids = inserting.insert(folder, index, arrivals)
            folder.save_marks(index)
    except BaseException:
        _put_back(folder, moved)
        raise
    folder.catch_up(index)
    folder.account.usage_changed(sum(sizes))
    return uids


def _moved_in(folder: Folder, path: str, date: float | None, flags: frozenset[str], size: int) -> inserting.Arrival:
    disk = folder.account.disk
    if date is not None:
        disk.set_times(path, date)
    base = os.fsencode(folder.account.namer.name(size, size))
    seen = CUR + suffix_for(flags, b"")
    arrival = inserting.Arrival(base, seen, flags, int(os.stat(path).st_mtime if date is None else date), size)
    disk.rename(path, _path_of(folder, arrival))
    folder.fingerprint.add(base + seen[1:])
    return arrival


def _path_of(folder: Folder, arrival: inserting.Arrival) -> str:
    return os.fsdecode(folder.path + b"/cur/" + arrival.base + arrival.seen[1:])


def _put_back(folder: Folder, moved: list[tuple[str, str]]) -> None:
    """The caller keeps its files; nothing half appended stays in the folder."""
    folder.fingerprint.forget()
    for path, target in moved:
        try:
            folder.account.disk.rename(target, path)
        except OSError:
            continue
