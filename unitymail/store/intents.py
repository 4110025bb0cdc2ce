"""COPY and MOVE: all or nothing, whatever happens in between.

Knows the intent that is written first (`appending` has its own use for it); refuses to know sessions. An intent names
the files about to appear in the target. Names become links, the links become durable, and one transaction inserts the
rows, gives the UIDs, removes the sources of a MOVE and removes the intent. An intent found under the write lock was
left by a process that ended: it is undone, which loses nothing, for the sources are still there. The files of moved
messages leave when the account is settled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple, cast

from unitymail.interfaces.errors import Never
from unitymail.interfaces.store import Copied, IFolder
from unitymail.store import landing
from unitymail.store.changing import places_of, remove_rows
from unitymail.store.chosen import chosen
from unitymail.store.index import Index
from unitymail.store.keeping import link_or_copy
from unitymail.store.keywords import add_keywords
from unitymail.store.maildir import CUR, claimed, is_own, path_in, suffix_for
from unitymail.store.schema import MOVED, UID_MASK, first_id

if TYPE_CHECKING:
    from unitymail.store.account import Account
    from unitymail.store.folder import Folder


class Link(NamedTuple):
    """One message to be linked: its source and the name it gets in the target's cur/."""

    source: int
    base: bytes
    seen: bytes
    target_base: bytes
    target_seen: bytes

    @property
    def target_name(self) -> bytes:
        return self.target_base + self.target_seen[1:]


def copy(folder: Folder, index: Index, uids: Collection[int], target: IFolder, *, move: bool) -> Copied:
    """Copy or move those of `uids` that exist, in ascending order."""
    if getattr(target, "account", None) is not folder.account:
        raise Never(why="messages are copied within one account")
    return _copy(folder, index, uids, cast("Folder", target), move=move)


def _copy(folder: Folder, index: Index, uids: Collection[int], target: Folder, *, move: bool) -> Copied:
    folder.follow(index)
    if target is not folder:
        target.follow(index)
    planned_at = folder.snapshot.highest_modseq
    links = _planned(folder, index, uids, target)
    if not links:
        return Copied(target.snapshot.uidvalidity, (), ())
    if not move:
        folder.account.require_room(index, _octets(index, links))
    landing.flush(folder.account, index)
    intent = announce(target, index, [link.target_name for link in links], "move" if move else "copy")
    try:
        with target.own_changes():
            done = _link(folder, index, target, links)
            folder.account.disk.flush_directory(os.fsdecode(target.path + b"/cur"))
        copied = _conclude(folder, index, target, done, intent, planned_at, move=move)
    except BaseException:
        target.fingerprint.forget()
        undo(folder.account, index)
        raise
    target.catch_up(index)
    folder.catch_up(index)
    folder.account.note_usage(index)
    return copied


def _planned(folder: Folder, index: Index, uids: Collection[int], target: Folder) -> list[Link]:
    snapshot, first = folder.snapshot, first_id(folder.row.id)
    ids = [first | snapshot.uids[at] for at in places_of(snapshot, uids)]
    rows = index.all(
        "SELECT id, base, seen, messages.flags, iif(withheld, NULL, size), octets FROM messages"
        f" JOIN files USING (id) JOIN facts USING (id) WHERE id IN {chosen()} ORDER BY id",
        str(ids),
    )
    names = folder.account.namer.names(
        (octets, _crlf_size(base, octets, size), is_own(base)) for _, base, _, _, size, octets in rows
    )
    suffixes = {
        number: CUR + suffix_for(index.flags_of(number), b"", target.letters) for number in {row[3] for row in rows}
    }
    return [
        Link(id, base, seen, os.fsencode(name), suffixes[number])
        for (id, base, seen, number, _, _), name in zip(rows, names, strict=True)
    ]


def _crlf_size(base: bytes, octets: int, size: int | None) -> int:
    """Of all of the message, where it is known; else -1."""
    return size if size is not None else -1 if (named := claimed(base, octets)) is None else named


def _octets(index: Index, links: list[Link]) -> int:
    ids = str([link.source for link in links])
    return int(index.one("SELECT ifnull(sum(octets), 0) FROM facts WHERE id IN " + chosen(), ids)[0])


def announce(target: Folder, index: Index, names: Iterable[bytes], kind: str) -> int:
    """Say which names are about to appear in the target's cur/; the intent's number."""
    with index.changing(durable=True):
        intent: int = index.one(
            "INSERT INTO intents (kind, directory, at, detail) VALUES (?, ?, ?, ?) RETURNING id",
            kind, target.row.directory, int(target.account.now()),
            json.dumps([name.decode("latin-1") for name in names]),
        )[0]  # fmt: skip
    return intent


def conclude(index: Index, intent: int) -> None:
    """What was intended is done with this transaction."""
    index.execute("DELETE FROM intents WHERE id = ?", intent)


def _link(folder: Folder, index: Index, target: Folder, links: list[Link]) -> list[Link]:
    """Link each file; those that a foreign hand renamed are looked for once, those it removed are left out.

    One removed just after it was linked is left out, too: the target's next scan takes its file as an arrival.
    """
    lost = _not_linked(folder, target, links)
    if not lost:
        return links
    folder.look(index, thoroughly=True)
    ids = str([link.source for link in links])
    seen = dict(index.all("SELECT id, seen FROM messages JOIN files USING (id) WHERE id IN " + chosen(), ids))
    found = [link._replace(seen=seen[link.source]) for link in lost if link.source in seen]
    still_lost = {link.source for link in _not_linked(folder, target, found)}
    target.fingerprint.forget()
    return [link for link in links if link.source in seen and link.source not in still_lost]


def _not_linked(folder: Folder, target: Folder, links: list[Link]) -> list[Link]:
    """Link them all, but for those whose file is not where it was seen: these are returned."""
    disk, temporary = folder.account.disk, folder.account.temporary
    source, place = folder.path, os.fsdecode(target.path + b"/cur/")
    lost = []
    for link in links:
        name = link.target_name
        try:
            link_or_copy(disk, os.fsdecode(path_in(source, link.base, link.seen)), place + os.fsdecode(name), temporary)
        except FileNotFoundError:
            lost.append(link)
            continue
        target.fingerprint.add(name)
    return lost


def _conclude(
    folder: Folder, index: Index, target: Folder, links: list[Link], intent: int, planned_at: int, *, move: bool
) -> Copied:
    with index.changing(durable=True):
        ids = [link.source for link in links]
        targets = _insert(index, target, links, planned_at)
        if move:
            remove_rows(folder, index, ids, MOVED)
        conclude(index, intent)
        target.save_marks(index)
    return Copied(target.row.uidvalidity, tuple(id & UID_MASK for id in ids), tuple(id & UID_MASK for id in targets))


def _insert(index: Index, target: Folder, links: list[Link], planned_at: int) -> range:
    """Rows for the targets, made of their sources' rows, which all exist; the range of new ids, in the sources' order.

    Flags may have changed since the names were planned.
    """
    octets = _octets(index, links)
    uidnext: int = index.one(
        "UPDATE folders SET uidnext = uidnext + ?1, messages = messages + ?1, octets = octets + ?2 WHERE id = ?3"
        " RETURNING uidnext",
        len(links), octets, target.row.id,
    )[0]  # fmt: skip
    modseq = index.next_modseq()
    index.execute("UPDATE folders SET highest_modseq = ? WHERE id = ?", modseq, target.row.id)
    first = first_id(target.row.id) + uidnext - len(links)
    ids = range(first, first + len(links))
    sources = str([link.source for link in links])
    index.many("INSERT INTO files VALUES (?, ?, ?)", [
        (id, link.target_base, link.target_seen) for id, link in zip(ids, links, strict=True)
    ])  # fmt: skip
    in_order = "?1 - 1 + row_number() OVER (ORDER BY id)"
    index.execute(
        f"INSERT INTO messages SELECT {in_order}, flags, ?2 FROM messages WHERE id IN " + chosen(),
        first, modseq, sources,
    )  # fmt: skip
    index.execute(
        f"INSERT INTO facts SELECT {in_order}, content, date, internaldate, size, octets, ?2, withheld FROM facts"
        " WHERE id IN " + chosen(),
        first, int(target.account.now()), sources,
    )  # fmt: skip
    if index.one("SELECT 1 FROM messages WHERE id IN " + chosen() + " AND modseq > ? LIMIT 1", sources, planned_at):
        index.many("INSERT INTO pending VALUES (?)", [(id,) for id in ids])
    used = index.all("SELECT DISTINCT flags FROM messages WHERE id BETWEEN ? AND ?", first, first + len(links) - 1)
    add_keywords(index, target.row.id, {flag for (number,) in used for flag in index.flags_of(number)})
    return ids


def undo(account: Account, index: Index) -> None:
    """Take back what an interrupted COPY, MOVE or APPEND of several did; under the write lock."""
    for intent, directory, names in index.all("SELECT id, directory, detail FROM intents WHERE kind <> 'rename'"):
        path = os.path.join(account.path, directory, b"cur")
        for name in json.loads(names):
            try:
                account.disk.unlink(os.fsdecode(os.path.join(path, name.encode("latin-1"))))
            except FileNotFoundError:
                continue
        if os.path.isdir(path):
            account.disk.flush_directory(os.fsdecode(path))
        with index.changing(durable=True):
            conclude(index, intent)
