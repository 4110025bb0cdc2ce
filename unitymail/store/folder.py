"""A folder of an account as sessions use it: its snapshot, and the changes they ask for.

Knows when to look at the Maildir and when at the index; refuses to know how names are compared (`looking`), rows are
rendered (`rendering`) or files follow (`settling`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from zope.interface import implementer

from unitymail.interfaces.store import Column, Copied, FolderStatus, IContent, IFolder, NoSuchFolder, Snapshot
from unitymail.store import (
    appending,
    changing,
    counting,
    intents,
    lettering,
    looking,
    reading,
    recents,
    renamed,
    rendering,
)
from unitymail.store.access import guarded
from unitymail.store.index import Index
from unitymail.store.keeping import ensure_directory
from unitymail.store.letters import LettersOf
from unitymail.store.maildir import Letters, path_in
from unitymail.store.marks import YOUNG_S, Fingerprint, Mark, mtime_of, verified_at
from unitymail.store.schema import first_id, last_id
from unitymail.store.snapshots import FolderRow, loaded, read_row, updated

if TYPE_CHECKING:
    from unitymail.store.account import Account


@implementer(IFolder)
class Folder:
    """One object a folder and process. All state is guarded by the account's thread lock, but for `snapshot`."""

    def __init__(self, account: Account, row: FolderRow) -> None:
        self.account = account
        self.access = account.access
        self.row = row
        self.fingerprint = Fingerprint()
        self._letters = LettersOf()
        self._lettered: Letters = ()
        self.new_mark = Mark(row.new_mark, row.new_verify)
        self.cur_mark = Mark(row.cur_mark, row.cur_verify)
        self.is_deleted = False
        self._snapshot: Snapshot | None = None
        self._generation = 0
        self._scan_took = 0.0
        self._totals = counting.Totals()

    @property
    def id(self) -> str:
        return self.row.mailboxid

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot or self.refresh()

    @property
    def path(self) -> bytes:
        """The Maildir's directory."""
        return os.path.join(self.account.path, self.row.directory) if self.row.directory else self.account.path

    @property
    def places(self) -> tuple[bytes, ...]:
        """Where other programs put, rename and remove files."""
        return self.path + b"/new", self.path + b"/cur"

    def ids(self) -> tuple[int, int]:
        """The range of message ids."""
        return first_id(self.row.id), last_id(self.row.id)

    def id_of(self, uid: int) -> int:
        return first_id(self.row.id) | uid

    @property
    def letters(self) -> Letters:
        """The keywords that letters in its files' names mean."""
        return self._letters.read(self.path)

    @guarded
    def refresh(self) -> Snapshot:
        with self.access.using() as index:
            self.account.keep_to_class(index)
            self.follow(index)
            assert self._snapshot is not None
            return self._snapshot

    @property
    def loaded(self) -> bool:
        """Whether this process has a snapshot of it."""
        return self._snapshot is not None

    def follow(self, index: Index) -> None:
        """Take in what other processes and other hands did."""
        if self._snapshot is None or index.look_outside() != self._generation:
            self.catch_up(index)
        if self.is_due or self.letters != self._lettered:
            with self.access.alone() as index:
                self.look(index)

    @property
    def is_due(self) -> bool:
        """Whether something changed since the last look, or may have."""
        return any(self._due())

    def _due(self) -> tuple[bool, bool]:
        """Whether new/ and cur/ must be scanned."""
        try:
            new, cur = self.mtimes()
        except FileNotFoundError:
            new, cur = self._missing_directory()
        return (
            new != self.new_mark.mtime or bool(self.new_mark.verify),
            cur != self.cur_mark.mtime or bool(self.cur_mark.verify and self.account.now() >= self.cur_mark.verify),
        )

    def mtimes(self) -> tuple[int, int]:
        """Time stamps of new/ and cur/ in nanoseconds."""
        return mtime_of(self.path + b"/new"), mtime_of(self.path + b"/cur")

    def _missing_directory(self) -> tuple[int, int]:
        """Another process renamed the folder, somebody removed it, or it lacks a part."""
        with self.access.using() as index:
            self.catch_up(index)
        if not os.path.isdir(self.path) and not self._is_elsewhere():
            raise NoSuchFolder(why=f"{self.name}: its directory is gone")
        for part in (b"/tmp", b"/cur", b"/new"):
            ensure_directory(self.account.disk, os.fsdecode(self.path + part))
        return self.mtimes()

    def _is_elsewhere(self) -> bool:
        """Whether another program has renamed the directory."""
        with self.access.alone() as index:
            self.catch_up(index)
            return os.path.isdir(self.path) or renamed.find_again(self.account, index, self.row) is not None

    def look(self, index: Index, *, thoroughly: bool = False) -> None:
        """Scan what is due and take in the difference; under the write lock."""
        self.catch_up(index)
        if (letters := self.letters) != self._lettered:
            lettering.take_in(self, index, letters)
            self._lettered = letters
        new_due, cur_due = self._due()
        new, cur = self.mtimes()
        now = self.account.now()
        if cur_due and cur == self.cur_mark.mtime and not thoroughly and self.fingerprint.fits(self.path + b"/cur"):
            self.cur_mark = self.cur_mark.after_scan(cur, now)
            cur_due = False
        used, difference = self.account.used(), None
        if not (cur_due or thoroughly):
            difference = looking.scan_new(self, index) if new_due else looking.Difference()
        if difference is None:
            difference = looking.scan_all(self, index)
            self._scan_took = self.account.now() - now
            self.cur_mark = self.cur_mark.after_scan(cur, now)
        self.new_mark = self.new_mark.after_scan(new, now)
        if difference:
            looking.take_in(self, index, difference, used)
            self.catch_up(index)

    @contextmanager
    def own_changes(self) -> Iterator[None]:
        """Around changes of our own to new/ and cur/: the marks move along, to be verified later."""
        before = self.mtimes()
        yield
        after = self.mtimes()
        now = self.account.now()
        if before[0] == self.new_mark.mtime and after[0] != before[0]:
            self.new_mark = Mark(after[0], now + YOUNG_S)
        if before[1] == self.cur_mark.mtime and after[1] != before[1]:
            self.cur_mark = Mark(after[1], verified_at(now, self._scan_took))

    def catch_up(self, index: Index) -> None:
        """The snapshot of what the index holds now."""
        with index.reading():
            generation = index.look_outside()
            row = read_row(index, "WHERE id = ?", self.row.id)
            if row is None:
                self.is_deleted = True
                raise NoSuchFolder(why=f"{self.name} was deleted")
            self._take_row(row)
            old = self._snapshot
            if old is None or old.uidvalidity != row.uidvalidity:
                self._snapshot = loaded(index, row, self._next_serial())
            elif (old.highest_modseq, old.uidnext) != (row.highest_modseq, row.uidnext):
                serial = self._next_serial()
                self._snapshot = updated(index, row, old, serial) or loaded(index, row, serial)
        self._generation = generation

    def _take_row(self, row: FolderRow) -> None:
        old = self.row
        if (row.new_mark, row.new_verify, row.cur_mark, row.cur_verify) != (
            old.new_mark, old.new_verify, old.cur_mark, old.cur_verify,
        ):  # fmt: skip
            self.new_mark = Mark(row.new_mark, row.new_verify)
            self.cur_mark = Mark(row.cur_mark, row.cur_verify)
            self.fingerprint.forget()
        if row.name != old.name:
            self.account.live.renamed(self, old.name, row.name)
        self.row = row

    def save_marks(self, index: Index) -> None:
        """Keep the marks for other processes; inside a transaction."""
        marks = (self.new_mark.mtime, self.new_mark.verify, self.cur_mark.mtime, self.cur_mark.verify)
        if marks != (self.row.new_mark, self.row.new_verify, self.row.cur_mark, self.row.cur_verify):
            index.execute(
                "UPDATE folders SET new_mark = ?, new_verify = ?, cur_mark = ?, cur_verify = ? WHERE id = ?",
                *marks, self.row.id,
            )  # fmt: skip
            row = read_row(index, "WHERE id = ?", self.row.id)
            if row is not None:
                self.row = row

    def forget_snapshot(self) -> None:
        """The next one is read from the index."""
        self._snapshot = None

    def begin_anew(self, row: FolderRow) -> None:
        """The index was lost: everything is to be found again."""
        self.row = row
        self.is_deleted = False
        self._lettered = ()
        self.new_mark = self.cur_mark = Mark()
        self.fingerprint.forget()

    def _next_serial(self) -> int:
        return self._snapshot.serial + 1 if self._snapshot else 1

    @guarded
    def claim_recent(self) -> tuple[int, int]:
        with self.access.using() as index:
            return recents.claim(self, index)

    @guarded
    def peek_recent(self) -> int:
        with self.access.using() as index:
            return recents.span(self, index)[0]

    def status(self) -> FolderStatus:
        found: FolderStatus | int = 0
        while isinstance(found, int):
            found = self._status(found)
        return found

    @guarded
    def _status(self, last: int) -> FolderStatus | int:
        """What is told; or, while there are more sizes to find out, the last UID so far: others may work between."""
        with self.access.using() as index:
            snapshot = self.refresh()
            if self._totals.are_due(snapshot) and (more := rendering.measure_some(self, index, last)) is not None:
                return more
            return counting.status(self, index, snapshot, self._totals)

    def rows(self, uids: Sequence[int], columns: Sequence[Column | Literal["withheld"]]) -> list[tuple[Any, ...]]:
        return reading.rows(self, uids, columns)

    def terms_holding(self, uids: Sequence[int], needles: Sequence[str]) -> list[tuple[int, str]]:
        return reading.terms_holding(self, uids, needles)

    @guarded
    def internal_days(self, uids: Sequence[int]) -> list[tuple[int, int]]:
        with self.access.using() as index:
            return reading.select(self, index, reading.DAYS, uids)

    @guarded
    def word_verdicts(self, uids: Sequence[int], needle: str, *, body_only: bool) -> bytes | None:
        with self.access.using() as index:
            self.account.keep_to_class(index)
            return self.account.full_text.verdicts(self, index, uids, needle, body_only=body_only)

    @guarded
    def content(self, uid: int) -> IContent | None:
        with self.access.using() as index:
            self.account.keep_to_class(index)
            return rendering.content(self, index, uid)

    @guarded
    def contents(self, uids: Sequence[int], octets: int) -> Sequence[IContent | None]:
        with self.access.using() as index:
            self.account.keep_to_class(index)
            return rendering.contents(self, index, uids, octets)

    @guarded
    def whole(self, uid: int) -> IContent | None:
        """As `content`, with what is withheld: for those who look after the mailbox, and for no client."""
        with self.access.using() as index:
            return rendering.whole(self, index, uid)

    @guarded
    def handed_out(self, uid: int) -> tuple[IContent | None, bool]:
        """As `content` for other programs: secure messages are withheld whatever the class; and whether it is."""
        with self.access.using() as index:
            self.account.keep_to_class(index)
            return rendering.handed_out(self, index, uid)

    @guarded
    def store(
        self, uids: Collection[int], change: Literal["add", "remove", "replace"], flags: Iterable[str],
        unchanged_since: int | None = None,
    ) -> tuple[Snapshot, tuple[int, ...]]:  # fmt: skip
        with self.access.using() as index:
            left_alone = changing.store(self, index, uids, change, flags, unchanged_since)
            return self.snapshot, left_alone

    @guarded
    def expunge(self, uids: Collection[int] | None = None) -> Snapshot:
        with self.access.alone() as index:
            changing.expunge(self, index, uids)
            return self.snapshot

    @guarded
    def copy(self, uids: Collection[int], target: IFolder) -> Copied:
        with self.access.alone() as index:
            return intents.copy(self, index, uids, target, move=False)

    @guarded
    def move(self, uids: Collection[int], target: IFolder) -> Copied:
        with self.access.alone() as index:
            return intents.copy(self, index, uids, target, move=True)

    def append(self, path: str, flags: Iterable[str], internal_date: float | None, *, own: bool = True) -> int:
        """`own`: the user brings it, so that nothing of it is withheld; mail of others comes otherwise."""
        return self.append_all([(path, flags, internal_date)], own=own)[0]

    @guarded
    def append_all(
        self, messages: Sequence[tuple[str, Iterable[str], float | None]], *, flushed: bool = True, own: bool = True
    ) -> list[int]:
        with self.access.alone() as index:
            return appending.append(self, index, messages, own=own, flushed=flushed)

    @guarded
    def replace(self, uid: int, path: str, flags: Iterable[str], internal_date: float | None, target: IFolder) -> int:
        with self.access.alone() as index:
            return appending.replace(self, index, uid, (path, flags, internal_date), target)

    @guarded
    def vanished_since(self, modseq: int) -> list[int] | None:
        with self.access.using() as index:
            return changing.vanished_since(self, index, modseq)

    def path_of_base(self, base: bytes) -> bytes | None:
        """Where the file of this base name was last seen."""
        with self.access.using() as index:
            seen = index.one("SELECT seen FROM files WHERE base = ? AND id BETWEEN ? AND ?", base, *self.ids())
        return None if seen is None else path_in(self.path, base, seen[0])
