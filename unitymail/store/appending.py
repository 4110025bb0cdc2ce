"""APPEND and REPLACE: finished files become messages, all or nothing. Refuses to know how their octets arrived.

*Note: what is small* is durable in the index before its files are (`landing`): there is nothing to take back.

*Note: one file needs no intent.* It is there or it is not, whenever the process ends. Several files, or one for which
another message leaves, are announced first, as those of COPY are; what a process leaves half done is taken away again,
for no client was told OK.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import Never
from unitymail.interfaces.store import SYSTEM_FLAGS, IFolder, NoSuchMessage
from unitymail.store import inserting, intents, landing, looking, receipts
from unitymail.store.changing import places_of, remove_rows
from unitymail.store.index import Index
from unitymail.store.inserting import Arrival
from unitymail.store.keywords import add_keywords, canonical
from unitymail.store.maildir import CUR, suffix_for
from unitymail.store.schema import EXPUNGED

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

FLUSHED_ONE_BY_ONE = 64
"""More files than that are flushed together."""
Message = tuple[str, Iterable[str], float | None]
"""The file's path, flags, internal date."""


def append(
    folder: Folder, index: Index, messages: Sequence[Message], *, own: bool, measured: bool = True,
    flushed: bool = True, also: Callable[[], None] | None = None,
) -> list[int]:  # fmt: skip
    """The UIDs. The files are moved into cur/.

    own: see `maildir.is_own`. measured: the files are shown as they are. flushed: their octets are durable already.
    also: what else is true with the same transaction.
    """
    _prepare(folder, index)
    arrivals = _planned(folder, index, messages, leaving=0, own=own, measured=measured)
    if not flushed and landing.takes(folder.account, [one.octets for one in arrivals]):
        uids = _land(folder, index, messages, arrivals)
    else:
        if not flushed:
            _flush(folder.account.disk, [path for path, _, _ in messages])
        announced = len(arrivals) > 1 or also is not None
        uids = _take_in(folder, index, messages, arrivals, announced=announced, also=also or (lambda: None))
    folder.account.usage_changed(sum(one.octets for one in arrivals))
    return uids


def replace(folder: Folder, index: Index, uid: int, message: Message, target: IFolder) -> int:
    """The new message's UID in `target`; the old one leaves `folder` in the same transaction."""
    if getattr(target, "account", None) is not folder.account:
        raise Never(why="a message is replaced within one account")
    return _replace(folder, index, uid, message, cast("Folder", target))


def _replace(folder: Folder, index: Index, uid: int, message: Message, target: Folder) -> int:
    folder.follow(index)
    _prepare(target, index)
    if not places_of(folder.snapshot, [uid]):
        raise NoSuchMessage(why="it was expunged meanwhile")
    old = folder.id_of(uid)
    leaving: int = index.one("SELECT octets FROM facts WHERE id = ?", old)[0]
    arrivals = _planned(target, index, [message], leaving=leaving, own=True)
    _flush(folder.account.disk, [message[0]])
    unheard = receipts.unheard(folder, index, [uid])
    news = receipts.News()

    def leave() -> None:
        news.owed = receipts.owe_deleted(index, unheard, {old}, folder.account.now())
        remove_rows(folder, index, [old], EXPUNGED)

    uids = _take_in(target, index, [message], arrivals, announced=True, also=leave)
    folder.catch_up(index)
    folder.account.usage_changed(arrivals[0].octets - leaving)
    folder.account.tell(news)
    return uids[0]


def substitute(
    folder: Folder, index: Index, uid: int, message: Message, *, kind: int, also: Callable[[set[int]], None]
) -> int:
    """The message becomes another one in its folder, whoever brought it before: the new UID.

    kind: as what the old one is expunged. also: what else is true with the same transaction, given the old id.
    """
    folder.follow(index)
    if not places_of(folder.snapshot, [uid]):
        raise NoSuchMessage(why="it was expunged meanwhile")
    old = folder.id_of(uid)
    leaving: int = index.one("SELECT octets FROM facts WHERE id = ?", old)[0]
    arrivals = _planned(folder, index, [message], leaving=leaving, own=False)

    def leave() -> None:
        also({old})
        remove_rows(folder, index, [old], kind)

    uids = _take_in(folder, index, [message], arrivals, announced=True, also=leave)
    folder.account.usage_changed(arrivals[0].octets - leaving)
    return uids[0]


def _prepare(folder: Folder, index: Index) -> None:
    if not os.path.isdir(folder.path):
        folder.follow(index)
    folder.catch_up(index)


def _planned(
    folder: Folder, index: Index, messages: Sequence[Message], *, leaving: int, own: bool, measured: bool = True
) -> list[Arrival]:
    """What the files will be in the folder, once it is known that there is room."""
    status = [os.stat(path) for path, _, _ in messages]
    folder.account.require_room(index, sum(one.st_size for one in status) - leaving)
    spelled = [canonical(index, flags) for _, flags, _ in messages]
    if keywords := frozenset().union(*spelled).difference(SYSTEM_FLAGS):
        with index.changing():
            add_keywords(index, folder.row.id, keywords)
    name, letters = folder.account.namer.name, folder.letters
    return [
        Arrival(
            os.fsencode(name(one.st_size, one.st_size if measured else -1, own=own)),
            CUR + suffix_for(flags, b"", letters), flags,
            int(one.st_mtime if date is None else date), one.st_size,
        )
        for (_, _, date), flags, one in zip(messages, spelled, status, strict=True)
    ]  # fmt: skip


def _flush(disk: IDisk, paths: Sequence[str]) -> None:
    if len(paths) > FLUSHED_ONE_BY_ONE:
        disk.flush_filesystem(paths[0])
        return
    for path in paths:
        descriptor = disk.overwrite(path)
        try:
            disk.flush(descriptor)
        finally:
            disk.close(descriptor)


def _land(folder: Folder, index: Index, messages: Sequence[Message], arrivals: list[Arrival]) -> list[int]:
    """The rows first, with the octets; the files get their names when nothing can take the messages away again."""
    account, octets = folder.account, [_read(path) for path, _, _ in messages]
    landing.make_room(account, index, sum(one.octets for one in arrivals))
    with index.changing(durable=True):
        uids = inserting.insert(folder, index, arrivals)
        landing.hold(account, index, zip((one.base for one in arrivals), octets, strict=True))
    try:
        with folder.own_changes():
            for (path, _, date), arrival in zip(messages, arrivals, strict=True):
                _move_in(folder, path, date, arrival)
    except BaseException:
        _put_back(folder, messages, arrivals)
        _withdraw(folder, index, uids)
        raise
    with suppress(OSError, sqlite3.Error), index.changing():
        folder.save_marks(index)  # else other processes look once more
    folder.catch_up(index)
    return uids


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _withdraw(folder: Folder, index: Index, uids: list[int]) -> None:
    """Messages that have rows cannot have files. If not even that can be written down, they are completed later."""
    landed = folder.account.landing
    landed.in_doubt = True
    with index.changing(durable=True):
        looking.lose(folder, index, [folder.id_of(uid) for uid in uids])
    landed.in_doubt = False


def _take_in(
    folder: Folder, index: Index, messages: Sequence[Message], arrivals: list[Arrival], *, announced: bool,
    also: Callable[[], None] = lambda: None,
) -> list[int]:  # fmt: skip
    names = [one.base + one.seen[1:] for one in arrivals]
    intent = intents.announce(folder, index, names, "append") if announced else 0
    try:
        with folder.own_changes():
            for (path, _, date), arrival in zip(messages, arrivals, strict=True):
                _move_in(folder, path, date, arrival)
            folder.account.disk.flush_directory(os.fsdecode(folder.path + b"/cur"))
        with index.changing(durable=True):
            uids = inserting.insert(folder, index, arrivals)
            also()
            if announced:
                intents.conclude(index, intent)
            folder.save_marks(index)
    except BaseException:
        _put_back(folder, messages, arrivals)
        if announced:
            intents.undo(folder.account, index)
        raise
    folder.catch_up(index)
    return uids


def _move_in(folder: Folder, path: str, date: float | None, arrival: Arrival) -> None:
    disk = folder.account.disk
    if date is not None:
        disk.set_times(path, date)
    disk.rename(path, _path_of(folder, arrival))
    folder.fingerprint.add(arrival.base + arrival.seen[1:])


def _path_of(folder: Folder, arrival: Arrival) -> str:
    return os.fsdecode(folder.path + b"/cur/" + arrival.base + arrival.seen[1:])


def _put_back(folder: Folder, messages: Sequence[Message], arrivals: list[Arrival]) -> None:
    """The caller keeps its files; nothing half appended stays in the folder."""
    folder.fingerprint.forget()
    for (path, _, _), arrival in zip(messages, arrivals, strict=True):
        try:
            folder.account.disk.rename(_path_of(folder, arrival), path)
        except OSError:
            continue
