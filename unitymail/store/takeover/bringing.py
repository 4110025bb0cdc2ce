"""A folder takes the messages of another server's: files first, then one transaction of rows.

Knows what is here already, and the order of files and rows; refuses to know formats. Files are linked, and copied
where that is impossible; in place they stay where they are. What is interrupted leaves an intent, and whoever opens
the account next takes the links back: their sources are still there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from unitymail.store import inserting, intents
from unitymail.store.access import guarded
from unitymail.store.index import Index
from unitymail.store.inserting import Arrival
from unitymail.store.keeping import link_or_copy, replace_file
from unitymail.store.keywords import fitting
from unitymail.store.letters import FILE as LETTERS
from unitymail.store.maildir import CUR, NEW, listing, path_in, split, suffix_for
from unitymail.store.schema import UID_MASK
from unitymail.store.takeover.decision import Decision, Here, decide
from unitymail.store.takeover.packed import unpack
from unitymail.store.takeover.source import Source
from unitymail.store.validity import next_uidvalidity

if TYPE_CHECKING:
    from unitymail.store.folder import Folder


Unpacked = dict[bytes, tuple[str, int]]
"""Base name → (the unpacked file in tmp/, its octets)."""


class Moved(Exception):
    """A file of the source is not where it was a moment ago: the other server works on it."""


@guarded
def state_of(folder: Folder, *, in_place: bool) -> Here:
    """What the folder has and remembers."""
    with folder.access.using() as index:
        folder.catch_up(index)
        return _state(folder, index, in_place)


def _state(folder: Folder, index: Index, in_place: bool) -> Here:
    """In place a known name is a known message, whatever became of its file."""
    uid_of = dict(
        index.all(
            f"SELECT base, id & {UID_MASK} FROM expunged WHERE base IS NOT NULL AND id BETWEEN ? AND ?", *folder.ids()
        )
    )
    files = index.all(
        f"SELECT base, id & {UID_MASK}, octets FROM files CROSS JOIN facts USING (id) WHERE id BETWEEN ? AND ?",
        *folder.ids(),
    )
    uid_of.update((base, uid) for base, uid, _ in files)
    octets = {} if in_place else {base: octets for base, _, octets in files}
    return Here(folder.row.uidvalidity, folder.row.uidnext, uid_of, octets)


def bring(folder: Folder, found: Source, *, in_place: bool) -> tuple[Decision, int]:
    """What was decided and done; how many files had to be copied. Raises Moved; nothing has happened then.

    Compressed files are unpacked before the folder is held.
    """
    known = state_of(folder, in_place=in_place).uid_of.keys() if found.packed else ()
    unpacked: Unpacked = {}
    try:
        for one in found.messages:
            if one.base in found.packed and one.base not in known:
                unpacked[one.base] = _unpack(folder, path_in(found.path, one.base, one.seen))
        if in_place:
            _put_in_place(folder, found, unpacked)
        return _bring(folder, replace(found, messages=_measured(found, unpacked)), unpacked, in_place)
    finally:
        for path, _ in unpacked.values():
            with suppress(FileNotFoundError):
                folder.account.disk.unlink(path)


def _unpack(folder: Folder, path: bytes) -> tuple[str, int]:
    target = folder.account.temporary()
    try:
        return target, unpack(folder.account.disk, path, target)
    except FileNotFoundError as error:
        raise Moved from error


def _put_in_place(folder: Folder, found: Source, unpacked: Unpacked) -> None:
    """Each takes the place of the compressed file, under the same name."""
    for one in found.messages:
        if one.base in unpacked:
            folder.account.disk.rename(unpacked[one.base][0], os.fsdecode(path_in(found.path, one.base, one.seen)))


def _measured(found: Source, unpacked: Unpacked) -> tuple[Arrival, ...]:
    return tuple(
        replace(one, octets=unpacked[one.base][1]) if one.base in unpacked else one for one in found.messages
    )


@guarded
def _bring(folder: Folder, found: Source, unpacked: Unpacked, in_place: bool) -> tuple[Decision, int]:
    with folder.access.alone() as index:
        folder.catch_up(index)
        here = _state(folder, index, in_place)
        here = replace(here, octets={base: size for base, size in here.octets.items() if base not in found.packed})
        decision = decide(found.messages, found.uids, here)
        copied = 0
        if decision.arrivals or decision.uidvalidity:
            if in_place:
                _insert(folder, index, decision, [_as_it_is(folder, index, one) for _, one in decision.arrivals])
            else:
                copied = _link_all(folder, index, found, unpacked, here, decision)
        folder.look(index, thoroughly=True)
        return decision, copied


def _as_it_is(folder: Folder, index: Index, one: Arrival) -> Arrival:
    return replace(one, flags=fitting(index, folder.row.id, one.flags))


def _link_all(
    folder: Folder, index: Index, found: Source, unpacked: Unpacked, here: Here, decision: Decision
) -> int:
    """The files, then the rows."""
    _bring_letters(folder, found)
    taken = here.uid_of.keys() | _names_there(folder)
    arrivals = [_renamed(folder, index, one, one.base in taken) for _, one in decision.arrivals]
    names = [one.base + one.seen[1:] for one in arrivals]
    intent = intents.announce(folder, index, names, "takeover")
    try:
        with folder.own_changes():
            copied = sum(
                _link(folder, path_in(found.path, message.base, message.seen), name, unpacked.get(message.base))
                for (_, message), name in zip(decision.arrivals, names, strict=True)
            )
            folder.account.disk.flush_directory(os.fsdecode(folder.path + b"/cur"))
        _insert(folder, index, decision, arrivals, intent)
    except BaseException:
        folder.fingerprint.forget()
        intents.undo(folder.account, index)
        raise
    return copied


def _bring_letters(folder: Folder, found: Source) -> None:
    """So that names tell keywords here, too."""
    path = folder.path + b"/" + LETTERS
    if found.letters and not os.path.exists(path):
        replace_file(folder.account.disk, os.fsdecode(path), found.letters, folder.account.temporary())


def _names_there(folder: Folder) -> set[bytes]:
    return {split(name)[0] for part in (b"/new", b"/cur") for name in listing(folder.path + part)}


def _renamed(folder: Folder, index: Index, one: Arrival, is_taken: bool) -> Arrival:
    """As it will be in cur/; under a name of our own where another message has its name."""
    flags = fitting(index, folder.row.id, one.flags)
    base = os.fsencode(folder.account.namer.name()) if is_taken else one.base
    return replace(one, base=base, seen=CUR + suffix_for(flags, b"", folder.letters), flags=flags)


def _link(folder: Folder, before: bytes, name: bytes, unpacked: tuple[str, int] | None) -> bool:
    """Whether it had to be a copy."""
    account, target = folder.account, os.fsdecode(folder.path + b"/cur/" + name)
    try:
        if unpacked is not None:
            account.disk.link(unpacked[0], target)
        else:
            link_or_copy(account.disk, os.fsdecode(before), target, account.temporary)
    except FileNotFoundError as error:
        raise Moved from error
    folder.fingerprint.add(name)
    return unpacked is not None or os.stat(target).st_nlink == 1


def _insert(folder: Folder, index: Index, decision: Decision, arrivals: list[Arrival], intent: int = 0) -> None:
    validity = _never_given(folder, index) if decision.uids == "renewed" else decision.uidvalidity
    numbered = [(uid, one) for (uid, _), one in zip(decision.arrivals, arrivals, strict=True)]
    was_fresh = folder.row.uidnext == 1
    others = _others_with(folder, index, validity)
    with index.changing(durable=True):
        if validity:
            index.execute("UPDATE folders SET uidvalidity = ? WHERE id = ?", validity, folder.row.id)
            index.execute("DELETE FROM packed WHERE folder = ?", folder.row.id)
            index.many("UPDATE folders SET uidvalidity = ? WHERE id = ?", others)
        inserting.insert_at(folder, index, numbered, decision.uidnext)
        if was_fresh:
            index.execute("UPDATE folders SET recent_from = ? WHERE id = ?", _first_recent(decision), folder.row.id)
        if intent:
            intents.conclude(index, intent)
        folder.save_marks(index)
    folder.catch_up(index)
    folder.account.note_usage(index)


def _others_with(folder: Folder, index: Index, validity: int) -> list[tuple[int, int]]:
    """(another UIDVALIDITY, id) of other folders that have this one, as far as no client can know them by it."""
    fresh = "SELECT id FROM folders WHERE uidvalidity = ? AND uidnext = 1 AND id <> ?"
    return [(_never_given(folder, index), id) for (id,) in index.all(fresh, validity, folder.row.id)]


def _never_given(folder: Folder, index: Index) -> int:
    account, floor = folder.account, index.one("SELECT max(uidvalidity) FROM folders")[0]
    return next_uidvalidity(account.disk, account.access.directory, account.now(), floor, account.temporary)


def _first_recent(decision: Decision) -> int:
    """The UID from which on all were in new/, where nobody had seen them."""
    first = decision.uidnext
    for uid, one in reversed(decision.arrivals):
        if one.seen[:1] != NEW:
            break
        first = uid
    return first
