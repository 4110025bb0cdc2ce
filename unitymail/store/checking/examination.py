"""All looks at a mailbox, one after the other; what is mended is looked at again, so that nobody takes its word for it.

Knows the order and the lock; refuses to know what is looked for. Between two looks, and between two hundred messages
that are read, clients get their turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from unitymail.interfaces.store import NoSuchFolder
from unitymail.store import layout
from unitymail.store.access import guarded
from unitymail.store.checking import around, contents, database, directories, files, kept, names, rows, totals
from unitymail.store.checking.problem import Case, Finding, OfAccount, OfFolder, Problem
from unitymail.store.chosen import in_chunks

if TYPE_CHECKING:
    from unitymail.store.account import Account
    from unitymail.store.folder import Folder

AT_ONCE = 200
FIRST: tuple[OfAccount, ...] = (
    database.put_aside, database.lacking, around.modes, directories.parts, directories.hidden, directories.names,
    rows.of_no_folder, rows.contradictions, rows.stuck, rows.flags, rows.needless,
    totals.of_folders, totals.of_account, totals.uidvalidities, contents.forms,
)  # fmt: skip
OF_FOLDERS: tuple[OfFolder, ...] = (kept.packed, files.against_rows, names.keywords)
"""Before the messages are read."""
AFTER: tuple[OfFolder, ...] = (names.behind,)
LAST: tuple[OfAccount, ...] = (
    totals.of_folders, kept.of_gone_contents, kept.words, kept.ties, kept.undelete, around.subscribed, around.temporary,
)  # fmt: skip
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found in how many messages; `is_sound` when nothing is left to do."""

    messages: int
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        return all(finding.mended for finding in self.findings)


def examine(
    account: Account, *, repair: bool = False, quick: bool = False, advance: Advance = lambda messages: None
) -> Examined:
    """Find what is inconsistent; `repair` mends it, `quick` reads no message. `advance(n)`: so many more are done."""
    examination = _Examination(account, repair, quick)
    examination.look_at_the_index()
    for of_account in FIRST:
        examination.look(of_account)
    names = list(layout.folders_in(account.path))
    for name in names:
        with suppress(NoSuchFolder):
            account.folder(name).refresh()
    examination.look(directories.lost)
    messages = 0
    for name in names:
        with suppress(NoSuchFolder):  # a client deleted it meanwhile
            messages += _folder(examination, account.folder(name), advance)
    for of_account in LAST:
        examination.look(of_account)
    return Examined(messages, tuple(dict.fromkeys(examination.findings)))


def _folder(examination: _Examination, folder: Folder, advance: Advance) -> int:
    for of_folder in OF_FOLDERS:
        examination.look(partial(_of, of_folder, folder))
    uids = list(folder.refresh().uids)
    for some in in_chunks(uids, AT_ONCE):
        examination.look(partial(_read, folder, some, examination.quick))
        advance(len(some))
    for of_folder in AFTER:
        examination.look(partial(_of, of_folder, folder))
    return len(uids)


def _of(of_folder: OfFolder, folder: Folder, case: Case) -> Iterator[Problem]:
    return of_folder(case, folder)


def _read(folder: Folder, uids: Sequence[int], quick: bool, case: Case) -> Iterator[Problem]:
    return contents.of_files(case, folder, uids, quick=quick)


class _Examination:
    """One run; `access` for `guarded`."""

    def __init__(self, account: Account, repair: bool, quick: bool) -> None:
        self.account = account
        self.access = account.access
        self.repair = repair
        self.quick = quick
        self.findings: list[Finding] = []

    @guarded
    def look_at_the_index(self) -> None:
        """A file that cannot be trusted is built anew before anything else is believed."""
        with self.access.using() as index:
            why = database.damage(index, quick=self.quick)
        if why:
            if self.repair:
                self.access.rebuild()
            self.findings.append(Finding("index", "", database.damaged(why), self.repair))

    @guarded
    def look(self, look: OfAccount) -> None:
        with self.access.alone() as index:
            case = Case(self.account, index)
            problems = list(look(case))
            if not (problems and self.repair):
                self.findings += [_told(problem, False) for problem in problems]
                return
            for problem in problems:
                if problem.mend is not None:
                    problem.mend()
            self.account.live.catch_up(index)
            left = [(problem.kind, problem.folder) for problem in look(case)]
            self.findings += [_told(one, (one.kind, one.folder) not in left) for one in problems]


def _told(problem: Problem, mended: bool) -> Finding:
    return Finding(problem.kind, problem.folder, problem.what, mended)
