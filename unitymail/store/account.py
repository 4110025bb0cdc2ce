"""A user's mailbox, as sessions, the courier and the store's own rooms see it.

Knows what an account is made of, and its totals; refuses to know how folders are found by name (`folders`), how files
follow (`upkeep`), and messages.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from zope.interface import implementer

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import Never
from unitymail.interfaces.quota import IUsage
from unitymail.interfaces.store import (
    MAX_SUBSCRIPTIONS,
    Deleted,
    FolderInfo,
    IAccount,
    NoSuchFolder,
    Noticed,
    OverQuota,
    Owed,
    TooManySubscriptions,
)
from unitymail.policy.withholding import NOTHING, WITHOUT_BOOK, IWithholder, Withholding
from unitymail.store import (
    ages,
    aging,
    delivered,
    folders,
    intents,
    landing,
    layout,
    metadata,
    moving,
    receipts,
    renewing,
    settling,
    subscriptions,
    undelete,
    upkeep,
    withholding,
)
from unitymail.store.access import Access, guarded
from unitymail.store.folder import Folder
from unitymail.store.fulltext.full_text import FullText
from unitymail.store.index import Index
from unitymail.store.landing import Landing
from unitymail.store.live_folders import LiveFolders
from unitymail.store.maildir import Namer
from unitymail.store.names import INBOX, canonical, checked
from unitymail.store.renewing import Renewed
from unitymail.store.shredding import Shredder
from unitymail.store.snapshots import FolderRow, read_row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence


@implementer(IAccount)
class Account:
    """`quota` gives the octets the account may hold, 0 for no limit.

    Its folders, with their snapshots, are kept while the index is open. Nothing refers to the account in a circle: it
    leaves the memory with its last user, whenever the collector comes by.
    """

    def __init__(
        self, id: str, access: Access, *, disk: IDisk, namer: Namer, now: Callable[[], float], usage: IUsage | None,
        quota: Callable[[str], int], undelete_days: Callable[[], int], retry_for: Callable[[], int],
        noticed: Callable[[Noticed], None] = lambda news: None, full_text: Callable[[], bool] = lambda: True,
        withholder: IWithholder = WITHOUT_BOOK, renewed: Callable[[Renewed], None] = lambda news: None,
        shredder: Shredder,
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
        self.withholder = withholder
        self._told_renewed = renewed
        self.shredder = shredder
        self._in_force: Withholding | None = None
        self._in_force_as_of = 0
        self._looked_for_owed = False
        self.live = LiveFolders()
        self.landing = Landing()
        self.full_text = FullText(disk, access.directory, full_text, shredder)
        self.purged_at = 0.0
        self.reminded_at = 0.0
        self.seen_outside = self.counted_outside = 0
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
            folders.make_special(self, index)
            subscriptions.write(self.disk, self._subscriptions_path, (INBOX, *folders.SPECIAL), self.temporary)

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
            return folders.listed(self, index, set(self.subscriptions()))

    @guarded
    def folder(self, name: str) -> Folder:
        name = canonical(name)
        return self.live.named(name) or folders.opened(self, name)

    def folder_of(self, row: FolderRow) -> Folder:
        """The object for a row of `folders`."""
        return self.live.of_row(row, partial(Folder, self))

    def folder_of_row(self, index: Index, number: int) -> Folder | None:
        """As `folder_of`, by the row's number; None when the row or its directory is gone."""
        row = read_row(index, "WHERE id = ?", number)
        if row is None or not os.path.isdir(os.path.join(self.path, row.directory, b"cur")):
            return None
        folder = self.folder_of(row)
        if folder.row.directory != row.directory:  # another process renamed it
            folder.catch_up(index)
        return folder

    @guarded
    def create(self, name: str, special_use: str = "") -> Folder:
        name = checked(name.removesuffix("/"))
        with self.access.alone() as index:
            folders.create(self, index, name, special_use)
        return self.folder(name)

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
            if old == INBOX:
                inbox, target = self.folder(INBOX), self.create(new)
                inbox.move(list(inbox.refresh().uids), target)
                metadata.copy(index, inbox.row.id, target.row.id)
            else:
                folders.rename(self, index, old, new)

    @guarded
    def subscribe(self, name: str, on: bool) -> None:
        name = checked(name) if on else canonical(name)
        with self.access.alone():
            names = set(self.subscriptions())
            if (name in names) == on:
                return
            if on and len(names) >= MAX_SUBSCRIPTIONS:
                raise TooManySubscriptions
            names.symmetric_difference_update({name})
            subscriptions.write(self.disk, self._subscriptions_path, names, self.temporary)

    def subscriptions(self) -> list[str]:
        return subscriptions.read(self._subscriptions_path) or []

    @guarded
    def metadata(self, name: str, entries: Collection[str], depth: metadata.Depth = "0") -> dict[str, bytes]:
        with self.access.using() as index:
            return metadata.read(index, self._annotated(index, name), entries, depth)

    @guarded
    def set_metadata(self, name: str, values: Mapping[str, bytes | None]) -> None:
        with self.access.alone() as index:
            metadata.write(index, self._annotated(index, name), values)

    def _annotated(self, index: Index, name: str) -> int:
        return folders.row_named(self, index, canonical(name)).id if name else metadata.ACCOUNT

    @guarded
    def metadata_changes(self, since: int) -> tuple[int, list[tuple[str, str]]]:
        with self.access.using() as index:
            newest, changed = metadata.changes(index, since)
            names = {metadata.ACCOUNT: "", **dict(index.all("SELECT id, name FROM folders"))} if changed else {}
            return newest, [(names[folder], entry) for folder, entry in changed if folder in names]

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

    def limit(self) -> int:
        return self._quota(self.id)

    def note_usage(self, index: Index, before: int | None = None) -> None:
        """Tell the node how full the mailbox is. `before`: what the node knew when its files were listed, so that
        what was delivered since, which is not in the index yet, stays counted.
        """
        if self._usage is not None:
            octets = index.one("SELECT ifnull(sum(octets), 0) FROM folders")[0]
            self._usage.add(self.id, octets - (self.used() if before is None else before))

    def usage_changed(self, octets: int) -> None:
        if self._usage is not None and octets:
            self._usage.add(self.id, octets)

    def require_room(self, index: Index, octets: int) -> None:
        """Raises OverQuota when so many octets more are too many."""
        limit = self._quota(self.id)
        if limit and index.one("SELECT ifnull(sum(octets), 0) FROM folders")[0] + octets > limit:
            raise OverQuota(why=f"the mailbox may hold {limit} octets")

    def settle(self) -> int:
        """Let files follow what was changed; how many did. Called every few seconds, and by `close`."""
        return upkeep.settle(self)

    def settle_if_free(self) -> int:
        """As `settle`, unless the account is closed by now, or somebody keeps it busy."""
        return upkeep.settle_if_free(self)

    def ensure_undelete(self) -> None:
        layout.make_undelete(self.disk, self.access.directory)

    def remove_stray(self, path: bytes) -> None:
        """A file whose name was expunged before came back: it goes where expunged files are."""
        if settling.put_away(self, path) is None:
            self.shredder.discard(os.fsdecode(path))

    def used(self) -> int:
        return self._usage.used(self.id) if self._usage is not None else 0

    @guarded
    def deleted(self) -> list[Deleted]:
        with self.access.alone() as index:
            self.settle()
            return undelete.listed(index)

    @guarded
    def undelete(self, ids: Iterable[int]) -> int:
        with self.access.alone() as index:
            return undelete.bring_back(self, index, list(ids))

    @guarded
    def deleted_heading(self, id: int) -> bytes:
        with self.access.using() as index:
            return undelete.heading(self, index, id)

    @guarded
    def knows_name(self, base: bytes) -> bool:
        """Whether the message of this file name was delivered into the INBOX before."""
        with self.access.alone() as index:
            return delivered.knows_name(self, index, base)

    @guarded
    def reindex(self) -> int:
        self.full_text.forget()
        with self.access.alone() as index:
            return upkeep.reindex(self, index)

    @property
    def withholding(self) -> Withholding:
        return self._in_force or NOTHING

    def keep_to_class(self, index: Index) -> None:
        """Show nothing that the user's class withholds by now: before anything is shown, outside a transaction."""
        ruling = self.withholder.ruling(self.id)
        if self._in_force is None or index.generation != self._in_force_as_of:
            self._read_in_force(index)  # Another process may have put another rule in force.
        if ruling is None or ruling.withholding == self._in_force:
            return
        news = renewing.follow(self, index, ruling)
        with self.access.using() as index:
            self._read_in_force(index)
        if news is not None and news.messages:
            self._told_renewed(news)

    def _read_in_force(self, index: Index) -> None:
        self._in_force_as_of = index.generation
        self._in_force = withholding.in_force(index).withholding

    def keep_to_class_if_free(self, patience_s: float) -> None:
        """As `keep_to_class`, unless the account is closed, or somebody keeps it busy."""
        ruling = self.withholder.ruling(self.id)
        if ruling is not None and ruling.withholding != self._in_force:
            with self.access.free(patience_s) as free:
                if free:
                    self._keep_to_class()

    @guarded
    def _keep_to_class(self) -> None:
        with self.access.using() as index:
            self.keep_to_class(index)

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
    def paid(self, number: int) -> bool:
        with self.access.using() as index:
            return receipts.paid(index, number)

    @guarded
    def alerted(self, at: int) -> None:
        """What the user was to be told at that moment is on its way; durable on return."""
        with self.access.using() as index:
            aging.told(index, at)

    def interrupted(self, index: Index) -> None:
        if not self._looked_for_owed:
            self._looked_for_owed = True
            self.tell(receipts.News(owed=receipts.are_owed(index)))
        if landing.is_left_behind(self, index):
            landing.complete(self, index)
        if index.one("SELECT 1 FROM intents LIMIT 1"):
            intents.undo(self, index)
            moving.finish_renames(self, index)

    def renewed(self, index: Index) -> None:
        """The index was lost: the folders of this process get new rows."""
        self._in_force = None
        self.live.begin_anew(lambda row: folders.row_of(self, index, row.name, row.directory))

    def closing(self, index: Index) -> None:
        self.settle()
        ages.note_moment(index, self.now())
        self.live.pack(index)

    def closed(self) -> None:
        self.live.let_go()
        self.full_text.close()

    def close(self) -> None:
        self.access.close()
