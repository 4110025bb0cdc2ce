"""A user's mailbox: its folders, subscriptions and totals.

Knows which directories are folders and which row of the index belongs to each; refuses to know messages.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from zope.interface import implementer

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import Never
from unitymail.interfaces.quota import IUsage
from unitymail.interfaces.store import (
    BadFolderName,
    FolderExists,
    FolderInfo,
    IAccount,
    NoSuchFolder,
    Noticed,
    OverQuota,
    Owed,
)
from unitymail.store import intents, layout, moving, receipts, settling, subscriptions, undelete
from unitymail.store.access import Access, guarded
from unitymail.store.folder import Folder
from unitymail.store.index import Index
from unitymail.store.maildir import Namer
from unitymail.store.names import INBOX, canonical, checked, directory_of
from unitymail.store.schema import VANISHED
from unitymail.store.snapshots import FolderRow, pack, packed_modseq, read_row
from unitymail.store.validity import next_uidvalidity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SPECIAL = {
    "Drafts": "\\Drafts",
    "Sent": "\\Sent",
    "Deleted Items": "\\Trash",
    "Junk": "\\Junk",
    "Archive": "\\Archive",
}
"""Folders that exist from the start, with their special use (RFC 6154)."""
PATIENCE_S = 0.2


@implementer(IAccount)
class Account:
    """`quota` gives the octets the account may hold, 0 for no limit.

    Its folders, with their snapshots, are kept while the index is open. Nothing refers to the account in a circle: it
    leaves the memory with its last user, whenever the collector comes by.
    """

    def __init__(
        self, id: str, access: Access, *, disk: IDisk, namer: Namer, now: Callable[[], float], usage: IUsage | None,
        quota: Callable[[str], int], undelete_days: Callable[[], int], retry_for: Callable[[], int],
        noticed: Callable[[Noticed], None] = lambda news: None,
    ) -> None:  # fmt: skip
        self.id = id
        self.access = access
        self.path = os.fsencode(access.directory)
        self.disk = disk
        self.namer = namer
        self.now = now
        self._usage = usage
        self._quota = quota
        self._undelete_days = undelete_days
        self._retry_for = retry_for
        self._noticed = noticed
        self._looked_for_owed = False
        self._folders: WeakValueDictionary[int, Folder] = WeakValueDictionary()
        self._by_name: WeakValueDictionary[str, Folder] = WeakValueDictionary()
        self._kept: set[Folder] = set()
        self._purged_at = 0.0
        access.belongs_to(self)

    @property
    def undelete_days(self) -> int:
        return self._undelete_days()

    @property
    def names_kept_for(self) -> int:
        """Seconds that the names of expunged messages are remembered at least."""
        return max(self.undelete_days * 86_400, self._retry_for())

    @guarded
    def prepare(self) -> None:
        """Make what is missing: the INBOX, and for a new account the special folders, subscribed."""
        if layout.make_account(self.disk, self.access.directory):
            self.disk.flush_directory(self.access.directory)
        if subscriptions.read(self._subscriptions_path) is not None:
            return
        with self.access.alone() as index:
            layout.sweep(self.disk, self.access.directory, self.namer.mark, self.now())
            present = layout.folders_in(self.path)
            for name in SPECIAL:
                if name not in present:
                    layout.make_folder(self.disk, self.path, name, self.temporary)
            for name in (INBOX, *SPECIAL):
                self._row(index, name, os.fsencode(directory_of(name)))
            subscriptions.write(self.disk, self._subscriptions_path, (INBOX, *SPECIAL), self.temporary)

    @property
    def _subscriptions_path(self) -> str:
        return os.path.join(self.access.directory, subscriptions.FILE)

    def temporary(self) -> str:
        """A free name in the account's tmp/."""
        return os.path.join(self.access.directory, "tmp", self.namer.name())

    @guarded
    def new_file(self) -> tuple[int, str]:
        path = self.temporary()
        return self.disk.create(path), path

    @guarded
    def folders(self) -> list[FolderInfo]:
        with self.access.using() as index:
            special = dict(index.all("SELECT directory, special_use FROM folders"))
        found = layout.folders_in(self.path)
        subscribed = set(self.subscriptions())
        parents = {parent for name in found for parent in _parents(name)}
        return sorted(
            (
                FolderInfo(
                    name,
                    special.get(found.get(name, b"-"), SPECIAL.get(name, "")) if name in found else "",
                    name in subscribed, name in found, name in parents,
                )
                for name in found.keys() | parents
            ),
            key=lambda info: (info.name != INBOX, info.name),
        )  # fmt: skip

    @guarded
    def folder(self, name: str) -> Folder:
        name = canonical(name)
        known = self._by_name.get(name)
        if known is not None and os.path.isdir(known.path):
            return known
        directory = self._directory(name)
        if directory is None:
            raise NoSuchFolder(why=f"there is no folder {name!r}")
        with self.access.using() as index:
            row = read_row(index, "WHERE directory = ?", directory)
            if row is None:
                with self.access.alone() as index:
                    row = self._row(index, name, directory)
            folder = self._object(row)
            folder.catch_up(index)
            return folder

    def _object(self, row: FolderRow) -> Folder:
        folder = self._folders.get(row.id)
        if folder is None:
            folder = self._folders[row.id] = Folder(self, row)
        self._by_name[row.name] = folder
        self._kept.add(folder)
        return folder

    def _directory(self, name: str) -> bytes | None:
        usual = os.fsencode(directory_of(name)) if name else b"."
        if os.path.isdir(os.path.join(self.path, usual, b"cur")):
            return usual
        return layout.folders_in(self.path).get(name)

    def folder_of_row(self, index: Index, number: int) -> Folder | None:
        """The object for a row of `folders`; None when the row or its directory is gone."""
        row = read_row(index, "WHERE id = ?", number)
        if row is None or not os.path.isdir(os.path.join(self.path, row.directory, b"cur")):
            return None
        return self._object(row)

    def renamed(self, folder: Folder, old: str, new: str) -> None:
        """A folder object found that its folder has another name now."""
        if self._by_name.get(old) is folder:
            del self._by_name[old]
        self._by_name[new] = folder

    def forget_folder(self, row: FolderRow) -> None:
        """The folder is no more."""
        folder = self._folders.pop(row.id, None)
        self._by_name.pop(row.name, None)
        if folder is not None:
            self._kept.discard(folder)

    def _row(self, index: Index, name: str, directory: bytes, special_use: str | None = None) -> FolderRow:
        """The folder's row, made with a new UIDVALIDITY when it has none; under the write lock."""
        row = read_row(index, "WHERE directory = ?", directory)
        if row is not None:
            return row
        floor: int = index.one("SELECT ifnull(max(uidvalidity), 0) FROM folders")[0]
        validity = next_uidvalidity(self.disk, self.access.directory, self.now(), floor, self.temporary)
        use = SPECIAL.get(name, "") if special_use is None else special_use
        with index.changing(durable=True):
            index.execute(
                "INSERT INTO folders (directory, name, mailboxid, special_use, uidvalidity, highest_modseq)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                directory, name, "F" + secrets.token_hex(8), use, validity, index.next_modseq(),
            )  # fmt: skip
        row = read_row(index, "WHERE directory = ?", directory)
        assert row is not None
        return row

    @guarded
    def create(self, name: str, special_use: str = "") -> Folder:
        name = checked(name.removesuffix("/"))
        with self.access.alone() as index:
            present = layout.folders_in(self.path)
            if name in present:
                raise FolderExists(why=f"there is a folder {name!r}")
            self._make_parents(index, name, present)
            layout.make_folder(self.disk, self.path, name, self.temporary)
            self._drop_stale_row(index, os.fsencode(directory_of(name)))
            self._row(index, name, os.fsencode(directory_of(name)), special_use or None)
        return self.folder(name)

    def _drop_stale_row(self, index: Index, directory: bytes) -> None:
        """A row whose directory somebody removed must not lend its UIDs to a new folder."""
        row = read_row(index, "WHERE directory = ?", directory)
        if row is not None:
            with index.changing(durable=True):
                moving.drop_rows(index, row.id)
            self.forget_folder(row)

    @guarded
    def delete(self, name: str) -> None:
        name = canonical(name)
        if name == INBOX:
            raise Never(why="INBOX cannot be deleted")
        with self.access.alone() as index:
            moving.delete(self, index, self.folder(name))

    @guarded
    def rename(self, old: str, new: str) -> None:
        old, new = canonical(old), checked(new.removesuffix("/"))
        with self.access.alone() as index:
            present = layout.folders_in(self.path)
            if new in present:
                raise FolderExists(why=f"there is a folder {new!r}")
            if old == INBOX:
                inbox, target = self.folder(INBOX), self.create(new)
                inbox.move(list(inbox.refresh().uids), target)
                return
            if old not in present and not any(name.startswith(old + "/") for name in present):
                raise NoSuchFolder(why=f"there is no folder {old!r}")
            if new.startswith(old + "/"):
                raise BadFolderName(why="a folder cannot become its own child")
            self._make_parents(index, new, present)
            moving.rename(self, index, old, new, present)

    def _make_parents(self, index: Index, name: str, present: dict[str, bytes]) -> None:
        implied = {parent for other in present for parent in _parents(other)}
        for parent in _parents(name):
            if parent not in present and parent not in implied:
                layout.make_folder(self.disk, self.path, parent, self.temporary)
                self._row(index, parent, os.fsencode(directory_of(parent)))

    @guarded
    def subscribe(self, name: str, on: bool) -> None:
        name = canonical(name)
        with self.access.alone():
            names = set(self.subscriptions())
            if (name in names) == on:
                return
            names.symmetric_difference_update({name})
            subscriptions.write(self.disk, self._subscriptions_path, names, self.temporary)

    def subscriptions(self) -> list[str]:
        return subscriptions.read(self._subscriptions_path) or []

    @guarded
    def usage(self) -> tuple[int, int]:
        with self.access.using() as index:
            for name in layout.folders_in(self.path):
                try:
                    self.folder(name).refresh()
                except NoSuchFolder:
                    continue
            octets, messages = index.one("SELECT ifnull(sum(octets), 0), ifnull(sum(messages), 0) FROM folders")
            self.note_usage(index)
            return int(octets), int(messages)

    def note_usage(self, index: Index) -> None:
        """Tell the node how full the mailbox is."""
        if self._usage is not None:
            octets = index.one("SELECT ifnull(sum(octets), 0) FROM folders")[0]
            self._usage.add(self.id, octets - self._usage.used(self.id))

    def usage_changed(self, octets: int) -> None:
        if self._usage is not None and octets:
            self._usage.add(self.id, octets)

    def require_room(self, index: Index, octets: int) -> None:
        """Raises OverQuota when so many octets more are too many."""
        limit = self._quota(self.id)
        if limit and index.one("SELECT ifnull(sum(octets), 0) FROM folders")[0] + octets > limit:
            raise OverQuota(why=f"the mailbox may hold {limit} octets")

    def settle(self) -> int:
        """Let files follow what was changed; how many did. Called every few seconds, and by `close`.

        Sessions may work between the batches.
        """
        done, batch = 0, settling.Batch(0, 0, True)
        while batch.more:
            batch = self._settle_some(batch.last)
            done += batch.done
        return done

    def settle_if_free(self) -> int:
        """As `settle`; an account that is closed by now, or that somebody keeps busy, is left for the next time."""
        done, batch = 0, settling.Batch(0, 0, True)
        while batch.more:
            with self.access.free(PATIENCE_S) as free:
                if not free:
                    break
                batch = self._settle_some(batch.last)
            done += batch.done
        return done

    @guarded
    def _settle_some(self, last: int) -> settling.Batch:
        with self.access.using() as index:
            if index.one("SELECT EXISTS (SELECT 1 FROM pending WHERE id > ?)"
                         " OR EXISTS (SELECT 1 FROM expunged WHERE base IS NULL)", last)[0]:  # fmt: skip
                with self.access.alone() as index:
                    return settling.settle_some(self, index, last)
            if self.now() - self._purged_at >= undelete.PURGE_EVERY_S:
                with self.access.alone() as index:
                    undelete.purge(self, index)
                    self._purged_at = self.now()
        return settling.Batch(0, last, False)

    def ensure_undelete(self) -> None:
        layout.make_undelete(self.disk, self.access.directory)

    def remove_stray(self, path: bytes) -> None:
        """A file whose name was expunged before came back: it goes where expunged files are."""
        if settling.put_away(self, path) is None:
            self.disk.unlink(os.fsdecode(path))

    @guarded
    def deleted(self) -> list[undelete.Deleted]:
        """What `undelete` can bring back, the newest first."""
        with self.access.alone() as index:
            self.settle()
            return undelete.listed(index)

    @guarded
    def undelete(self, ids: Iterable[int]) -> int:
        """Bring these back to the folders they were in (INBOX when that is gone); how many came."""
        with self.access.alone() as index:
            return undelete.bring_back(self, index, list(ids))

    @guarded
    def knows_name(self, base: bytes) -> bool:
        """Whether a file of this name is in the INBOX, or a client had its message expunged, or moved it away.

        A row alone proves nothing, nor does a name that vanished: a power cut may have taken the name in new/ and
        spared the row.
        """
        with self.access.alone() as index:
            row = read_row(index, "WHERE directory = ?", b"")
            if row is None:
                return layout.holds(self.path, base)
            inbox = self._object(row)
            ids, last_seen = inbox.ids(), inbox.path_of_base(base)
            return bool(
                os.path.exists(os.path.join(inbox.path, b"new", base))
                or (last_seen is not None and os.path.exists(last_seen))
                or index.one(
                    "SELECT 1 FROM expunged WHERE base = ? AND kind <> ? AND id BETWEEN ? AND ?", base, VANISHED, *ids
                )
                or index.one(
                    "SELECT 1 FROM files JOIN expunged USING (id) WHERE files.base = ? AND id BETWEEN ? AND ?",
                    base, *ids,
                )
                or layout.holds(self.path, base)
            )  # fmt: skip

    @guarded
    def reindex(self) -> int:
        """Forget what was rendered and look at every file name anew; how many messages there are."""
        with self.access.alone() as index:
            with index.changing():
                for table in ("summaries", "fields", "terms", "previews", "threads", "packed"):
                    index.execute(f"DELETE FROM {table}")
            count = 0
            for name in layout.folders_in(self.path):
                folder = self.folder(name)
                folder.look(index, thoroughly=True)
                count += len(folder.snapshot.uids)
            return count

    def tell(self, news: receipts.News) -> None:
        """Let who sends receipts know."""
        if news.seen or news.owed:
            self._noticed(Noticed(self.id, tuple(news.seen), news.owed))

    @guarded
    def traces_of(self, numbers: Sequence[int]) -> list[str]:
        with self.access.using() as index:
            return receipts.traces_of(index, numbers)

    @guarded
    def owed(self, most: int = 100) -> list[Owed]:
        with self.access.using() as index:
            return receipts.owed(index, most)

    @guarded
    def paid(self, number: int) -> None:
        with self.access.using() as index:
            receipts.paid(index, number)

    def interrupted(self, index: Index) -> None:
        if not self._looked_for_owed:
            self._looked_for_owed = True
            self.tell(receipts.News(owed=receipts.are_owed(index)))
        if index.one("SELECT 1 FROM intents LIMIT 1"):
            intents.undo(self, index)
            moving.finish_renames(self, index)

    def renewed(self, index: Index) -> None:
        """The index was lost: the folders of this process get new rows."""
        folders = list(self._folders.values())
        self._folders.clear()
        self._by_name.clear()
        for folder in folders:
            if os.path.isdir(folder.path):
                folder.begin_anew(self._row(index, folder.row.name, folder.row.directory))
                self._folders[folder.row.id] = self._by_name[folder.row.name] = folder

    def closing(self, index: Index) -> None:
        self.settle()
        grown = [
            folder
            for folder in list(self._folders.values())
            if folder.loaded and packed_modseq(index, folder.row.id) != folder.snapshot.highest_modseq
        ]
        if grown:
            with index.changing():
                for folder in grown:
                    pack(index, folder.row, folder.snapshot)
                    folder.save_marks(index)

    def closed(self) -> None:
        """Folders live on with the sessions that have them, and no longer."""
        self._kept.clear()

    def close(self) -> None:
        self.access.close()


def _parents(name: str) -> list[str]:
    """`a/b/c` → `a`, `a/b`."""
    levels = name.split("/")
    return ["/".join(levels[:depth]) for depth in range(1, len(levels))]
