"""Many users at once from a file: good rows are kept, each bad one is told with its line and why.

Rows go in slices, one transaction each, while the passwords of the next slice are hashed in threads. Note *Delegates*:
a row may name somebody of a later row, so delegates are set when everybody is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeVar

from unitymail.admin.operations.csv_rows import BadRow, Row
from unitymail.admin.operations.names import the, user_ids
from unitymail.admin.operations.row_secrets import Remembering, RowSecrets
from unitymail.admin.operations.user_rows import Asked, asked_by
from unitymail.admin.operations.users import changed_user, finish, new_user
from unitymail.interfaces.directory import IDirectory, IDirectoryChange, Refused, Secret, Taken
from unitymail.interfaces.login import IPasswords
from unitymail.people.user import User

SLICE = 250
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    line: int
    alias: str
    why: str


@dataclass(slots=True)
class Imported:
    """How many users were added, changed, and were already as the file has them; `usn` is 0 when none was touched."""

    usn: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    without_password: int = 0
    problems: list[Problem] = field(default_factory=list)


def import_users(
    directory: IDirectory,
    passwords: IPasswords,
    rows: Iterable[Row | BadRow],
    *,
    update: bool,
    dry_run: bool,
    who: str,
    advance: Callable[[int], None] = lambda rows: None,
) -> Imported:
    """Add the users of `rows`; with `update`, change those who are there. `advance(n)`: n more rows are done.

    A dry run reports the same and changes nothing; its passwords are judged but not hashed.
    """
    rehearsal: AbstractContextManager[Any] = directory.rehearse(who) if dry_run else nullcontext()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool, rehearsal as rehearsed:
        secrets = RowSecrets(passwords, pool, update, dry_run)
        return _Import(directory, secrets, rehearsed, update, who).run(rows, advance)


def _slices(things: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(things)
    while some := list(islice(rest, SLICE)):
        yield some


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A row to be written; `secret` as `RowSecrets.begin` has it."""

    asked: Asked
    secret: Future[Secret | None] | None


@dataclass
class _Import:
    """One run. `rehearsed` is the change that a dry run takes place in."""

    directory: IDirectory
    secrets: RowSecrets
    rehearsed: IDirectoryChange | None
    update: bool
    who: str
    outcome: Imported = field(default_factory=Imported)
    delegates: list[tuple[Asked, bool]] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    """User id → the line that was taken for it: a second one for the same user is a mistake, not a later word."""

    def run(self, rows: Iterable[Row | BadRow], advance: Callable[[int], None]) -> Imported:
        before: list[_Waiting] = []
        for read in _slices(rows):
            waiting = self._begin(read)
            self._write(before)
            before = waiting
            advance(len(read))
        self._write(before)
        for some in _slices(self.delegates):
            self._set_delegates(some)
        self.outcome.problems.sort(key=lambda problem: problem.line)
        return self.outcome

    def _begin(self, read: list[Row | BadRow]) -> list[_Waiting]:
        """Begin to hash; delegates are put aside."""
        good = []
        for row in read:
            asked = asked_by(row) if isinstance(row, Row) else row
            if isinstance(asked, Asked):
                good.append(asked)
            else:
                alias = row.cells["alias"].strip() if isinstance(row, Row) else ""
                self.outcome.problems.append(Problem(asked.line, alias, asked.why))
        plain = [replace(asked, wish=replace(asked.wish, delegate=None)) for asked in good]
        reading = self.directory.read() if self.rehearsed is None else nullcontext(self.rehearsed)
        with reading as view:
            secrets = self.secrets.begin(Remembering(view), plain)  # type: ignore[arg-type]
        return [_Waiting(asked, secret) for asked, secret in zip(good, secrets, strict=True)]

    def _change(self) -> AbstractContextManager[Any]:
        return self.directory.change(self.who) if self.rehearsed is None else nullcontext(self.rehearsed)

    def _write(self, slice_: list[_Waiting]) -> None:
        """One transaction; what is refused has changed nothing of it."""
        for waiting in slice_:
            if waiting.secret is not None:
                waiting.secret.exception()  # the write lock is not held while passwords are hashed
        if not slice_:
            return
        with self._change() as change:
            view, newest = Remembering(change), change.usn
            for waiting in slice_:
                asked = waiting.asked
                try:
                    changed = self._write_one(change, view, waiting)
                except Refused as refused:
                    self.outcome.problems.append(Problem(asked.line, asked.alias, str(refused)))
                else:
                    if asked.wish.delegate is not None:
                        self.delegates.append((asked, changed))
            self._took(change, newest)

    def _write_one(self, change: Any, view: Any, waiting: _Waiting) -> bool:
        """Whether anything was to be done."""
        asked, newest = waiting.asked, change.usn
        wish = replace(asked.wish, delegate=None)
        before = change.named(User, asked.alias)
        secret = waiting.secret.result() if waiting.secret is not None else None
        if before is None:
            user = change.add(new_user(view, asked.alias, wish))
            finish(change, user, wish, secret)
            self.lines[user.id] = asked.line
            self.outcome.added += 1
            self.outcome.without_password += secret is None and not user.home
            return True
        if line := self.lines.get(before.id):
            raise Taken(f"Line {line} is for the user {before.alias} already; leave one of the two out.")
        if not self.update:
            raise Taken(f"There is a user {before.alias} already; import with --update to change those who are there.")
        finish(change, change.replace(changed_user(view, before, wish)), wish, secret)
        self.lines[before.id] = asked.line
        changed = bool(change.usn > newest)
        self.outcome.changed += changed
        self.outcome.unchanged += not changed
        return changed

    def _set_delegates(self, some: list[tuple[Asked, bool]]) -> None:
        with self._change() as change:
            newest = change.usn
            for asked, counted in some:
                at = change.usn
                try:
                    user = the(change, User, asked.alias)
                    change.replace(replace(user, delegates=user_ids(change, asked.wish.delegate or ())))
                except Refused as refused:
                    why = f"The user is there, but without these delegates: {refused}"
                    self.outcome.problems.append(Problem(asked.line, asked.alias, why))
                if change.usn > at and not counted:
                    self.outcome.unchanged -= 1
                    self.outcome.changed += 1
            self._took(change, newest)

    def _took(self, change: Any, newest: int) -> None:
        if change.usn > newest:
            self.outcome.usn = change.usn
