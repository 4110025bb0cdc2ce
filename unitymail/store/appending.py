"""APPEND and REPLACE: finished files become messages, all or nothing. Refuses to know how their octets arrived.

*Note: one file needs no intent.* It is there or it is not, whenever the process ends. Several files, or one for which
another message leaves, are announced first, as those of COPY are; what a process leaves half done is taken away again,
for no client was told OK.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, cast

from unitymail.interfaces.errors import Never
from unitymail.interfaces.store import SYSTEM_FLAGS, IFolder, NoSuchMessage
from unitymail.store import inserting, intents, receipts
from unitymail.store.changing import places_of, remove_rows
from unitymail.store.index import Index
from unitymail.store.inserting import Arrival
from unitymail.store.keywords import add_keywords, canonical
from unitymail.store.maildir import CUR, suffix_for
from unitymail.store.schema import EXPUNGED

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

Message = tuple[str, Iterable[str], float | None]
"""The file's path, flags, internal date."""


def append(
    folder: Folder, index: Index, messages: Sequence[Message], *, own: bool, measured: bool = True,
    also: Callable[[], None] | None = None,
) -> list[int]:  # fmt: skip
    """The UIDs. The files are moved into cur/ and their names durable before a row refers to them.

    own: see `maildir.is_own`. measured: the files are shown as they are. also: what else is true with the same
    transaction.
    """
    _prepare(folder, index)
    arrivals = _planned(folder, index, messages, leaving=0, own=own, measured=measured)
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
