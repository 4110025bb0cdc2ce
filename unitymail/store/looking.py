"""Following the Maildir: what other hands and deliveries did to a folder's files becomes rows of the index.

Knows how a listing is compared with the rows; refuses to change a file's name. Everything runs under the account's
write lock.

*Note: gone.* readdir may skip a file that is renamed while it reads, so a name missing from one listing means nothing.
It counts as gone when a second listing of new/ and then cur/ misses it too, and while another program is at work in the
folder, whose next rename may hide it again, when several do.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from unitymail.store import inserting
from unitymail.store.chosen import chosen, in_chunks
from unitymail.store.forgetting import forget, subtract_totals
from unitymail.store.index import Index
from unitymail.store.keywords import add_keywords, fitting
from unitymail.store.maildir import CUR, NEW, Letters, flags_of, listing, path_in, split, suffix_for
from unitymail.store.schema import VANISHED

if TYPE_CHECKING:
    from unitymail.store.folder import Folder

CONFIRMATIONS = 8
TICK_S = 0.02
"""A directory that changed less than this ago may be changing."""
Place = bytes
"""`n` or `c`, then the file's name."""


@dataclass(slots=True)
class Difference:
    """What a scan found: places never seen, messages whose file has another name now, and those that are gone."""

    added: list[Place] = field(default_factory=list)
    moved: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.moved or self.gone)


def scan_new(folder: Folder, index: Index) -> Difference | None:
    """Deliveries in new/, at a cost that does not grow with the folder; None when the whole folder must be scanned."""
    listed = listing(folder.path + b"/new")
    known = {
        base + seen[1:]
        for base, seen in index.all(
            "SELECT base, seen FROM pending CROSS JOIN files USING (id) WHERE pending.id BETWEEN ? AND ?", *folder.ids()
        )
        if seen[:1] == NEW
    }
    if not known.issubset(listed):
        return None
    unknown = [name for name in listed if name not in known]
    if _bases_known(folder, index, unknown):
        return None
    return Difference(_without_strays(folder, index, [NEW + name for name in unknown]))


def _bases_known(folder: Folder, index: Index, names: list[bytes]) -> bool:
    return any(
        index.one(
            f"SELECT 1 FROM files WHERE base IN ({','.join('?' * len(some))}) AND id BETWEEN ? AND ? LIMIT 1",
            *(split(name)[0] for name in some), *folder.ids(),
        )
        for some in in_chunks(names)
    )  # fmt: skip


def scan_all(folder: Folder, index: Index) -> Difference:
    """Both directories against all rows."""
    rows = index.all("SELECT id, base, seen FROM files WHERE id BETWEEN ? AND ?", *folder.ids())
    known = {seen[:1] + base + seen[1:]: id for id, base, seen in rows}
    found = _listed(folder)
    missing = {split(place[1:])[0]: place for place in known.keys() - found}
    difference = Difference()
    unknown = sorted(found - known.keys())
    bases = {base for _, base, _ in rows} if unknown else set()
    for place in unknown:
        base, suffix = split(place[1:])
        if base in missing:
            before = missing.pop(base)
            difference.moved.append((known[before], before[:1] + split(before[1:])[1], place[:1] + suffix))
        elif base not in bases:
            bases.add(base)
            difference.added.append(place)
        elif (renamed := _set_apart(folder, place, base)) is not None:
            difference.added.append(renamed)
    if missing:
        difference = _confirmed(folder, index, difference, {known[place]: place for place in missing.values()})
    difference.added = _without_strays(folder, index, difference.added)
    return difference


def _listed(folder: Folder) -> set[Place]:
    """new/ first: a file moves from there to cur/, never back."""
    found = {NEW + name for name in listing(folder.path + b"/new")}
    names = listing(folder.path + b"/cur")
    folder.fingerprint.take(names)
    found.update(CUR + name for name in names)
    return found


def _confirmed(folder: Folder, index: Index, difference: Difference, missing: dict[int, Place]) -> Difference:
    """Those that other listings miss, too, are gone; what has left the index already is no matter."""
    live = {id for (id,) in index.all("SELECT id FROM messages WHERE id IN " + chosen(), _json(missing))}
    for _ in range(CONFIRMATIONS):
        began, before = folder.account.now(), folder.mtimes()
        places = {split(place[1:])[0]: place for place in _listed(folder)}
        for id, place in list(missing.items()):
            if (again := places.get(split(place[1:])[0])) is not None:
                del missing[id]
                if again != place:
                    difference.moved.append((id, place[:1] + split(place[1:])[1], again[:1] + split(again[1:])[1]))
        if not missing or (before == folder.mtimes() and began - max(before) / 1e9 > TICK_S):
            break
    difference.gone += [id for id in missing if id in live]
    return difference


def _json(ids: dict[int, Place]) -> str:
    return str(list(ids))


def _set_apart(folder: Folder, place: Place, base: bytes) -> Place | None:
    """A second file of a name that is known gets a fresh one, for no message is lost. A second name of the same file
    is left, but for one in new/ that a process left there when it ended: that goes (see `settling`, out of new/)."""
    path = path_in(folder.path, base, place[:1] + split(place[1:])[1])
    twin = folder.path_of_base(base)
    try:
        if twin is None or os.path.samefile(path, twin):
            if twin is not None and place[:1] == NEW and os.path.dirname(twin) == folder.path + b"/cur":
                folder.account.disk.flush_directory(os.fsdecode(folder.path + b"/cur"))
                folder.account.disk.unlink(os.fsdecode(path))
            return None
        fresh = os.fsencode(folder.account.namer.name())
        target = path_in(folder.path, fresh, place[:1] + split(place[1:])[1])
        folder.account.disk.rename(os.fsdecode(path), os.fsdecode(target))
    except FileNotFoundError:
        return None
    folder.fingerprint.forget()
    return place[:1] + os.path.basename(target)


def _without_strays(folder: Folder, index: Index, places: list[Place]) -> list[Place]:
    """Leave out names that a client expunged or moved away: a repeated delivery or a lagging unlink."""
    kept = []
    for some in in_chunks(places):
        bases = [split(place[1:])[0] for place in some]
        strays = {
            base
            for (base,) in index.all(
                f"SELECT base FROM expunged WHERE base IN ({','.join('?' * len(bases))})"
                f" AND kind <> {VANISHED} AND id BETWEEN ? AND ?",
                *bases, *folder.ids(),
            )
        }  # fmt: skip
        for place, base in zip(some, bases, strict=True):
            if base in strays:
                folder.account.remove_stray(path_in(folder.path, base, place[:1] + split(place[1:])[1]))
            else:
                kept.append(place)
    return kept


def take_in(folder: Folder, index: Index, difference: Difference, used: int) -> None:
    """The difference becomes rows, in one transaction; durable when it gives UIDs. `used`: octets of the mailbox as the
    node knew them before the scan.
    """
    letters = folder.letters
    arrivals = [arrived for place in difference.added if (arrived := _arrived(folder, place, letters)) is not None]
    with index.changing(durable=bool(arrivals)):
        if arrivals:
            fit = {flags: fitting(index, folder.row.id, flags) for flags in {one.flags for one in arrivals}}
            arrivals = [
                one if fit[one.flags] == one.flags else replace(one, flags=fit[one.flags]) for one in arrivals
            ]
            inserting.insert(folder, index, sorted(arrivals, key=lambda one: one.order))
        if difference.moved:
            _follow_names(folder, index, difference.moved)
        if difference.gone:
            lose(folder, index, difference.gone)
    folder.account.note_usage(index, used)


def _arrived(folder: Folder, place: Place, letters: Letters) -> inserting.Arrival | None:
    base, suffix = split(place[1:])
    seen = place[:1] + suffix
    try:
        # A link would show what lies elsewhere to whoever may put one here.
        status = os.lstat(path_in(folder.path, base, seen))
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return inserting.Arrival(base, seen, flags_of(suffix, letters), int(status.st_mtime), status.st_size)


def _follow_names(folder: Folder, index: Index, moved: list[tuple[int, bytes, bytes]]) -> None:
    """Only the letters that changed against the name last seen are taken over."""
    modseq, letters = 0, folder.letters
    for id, before, after in moved:
        index.execute("UPDATE files SET seen = ? WHERE id = ?", after, id)
        row = index.one("SELECT flags FROM messages WHERE id = ?", id)
        if row is None:
            continue
        was, now = (fitting(index, folder.row.id, flags_of(seen, letters)) for seen in (before, after))
        old = index.flags_of(row[0])
        new = (old - (was - now)) | (now - was)
        if new != old:
            add_keywords(index, folder.row.id, new)
            modseq = modseq or index.next_modseq()
            index.execute("UPDATE messages SET flags = ?, modseq = ? WHERE id = ?", index.number_of(new), modseq, id)
        if after == CUR + suffix_for(new, after, letters):
            index.execute("DELETE FROM pending WHERE id = ?", id)
        else:
            index.execute("INSERT OR IGNORE INTO pending VALUES (?)", id)
    if modseq:
        index.execute("UPDATE folders SET highest_modseq = ? WHERE id = ?", modseq, folder.row.id)


def lose(folder: Folder, index: Index, ids: list[int]) -> None:
    """A foreign hand removed these: their names are kept, so that a repeated delivery does not bring one back."""
    modseq = index.next_modseq()
    subtract_totals(index, folder.row.id, ids)
    index.execute(
        "INSERT INTO expunged SELECT id, ?, ?, ?, messages.flags, base FROM messages JOIN files USING (id)"
        " WHERE id IN " + chosen(),
        modseq, int(folder.account.now()), VANISHED, str(ids),
    )  # fmt: skip
    index.execute("DELETE FROM messages WHERE id IN " + chosen(), str(ids))
    forget(index, ids)
    index.execute("UPDATE folders SET highest_modseq = ? WHERE id = ?", modseq, folder.row.id)
